"""Projections onto products of one-axis bases: separable operators, their fast inverses, Newton-Krylov steps."""

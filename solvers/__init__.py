"""Solvers: one subpackage for each method, none of which imports another."""

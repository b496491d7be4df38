"""Gaussian processes on tensor grids."""

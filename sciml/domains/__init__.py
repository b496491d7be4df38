"""Domains: boxes, regions, sampling and grids."""

"""Suites: cases under the names, test grids and numbers of the papers that published them."""

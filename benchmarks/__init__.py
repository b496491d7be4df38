"""Suites of cases with their targets, the runner that measures them, and the report."""

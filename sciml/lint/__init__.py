"""Lints: what a problem lacks, what it says twice, what contradicts itself."""

from sciml.lint.check import check_determined, check_problem

__all__ = ["check_determined", "check_problem"]

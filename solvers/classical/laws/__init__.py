"""Unknown functions inside evolutions, learned through the method of lines."""

from __future__ import annotations

from solvers.classical.laws.solver import LawIdentification
from solvers.classical.laws.spline import SplineLaw

__all__ = ["LawIdentification", "SplineLaw"]

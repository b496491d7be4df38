"""Finite differences on uniform grids: the method of lines, and Newton's method for steady problems."""

from solvers.classical.finite_difference.advection import WENO, AbstractAdvection, Central, Upwind
from solvers.classical.finite_difference.solver import FiniteDifference

__all__ = ["WENO", "AbstractAdvection", "Central", "FiniteDifference", "Upwind"]

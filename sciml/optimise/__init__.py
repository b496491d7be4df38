"""Nonlinear least squares over residual blocks: the optimisers and the covariance of a fit."""

from __future__ import annotations

from sciml.optimise.blocks import Gram, LeastSquares, ResidualBlock, gram, jacobian_rows, losses, residual_vector
from sciml.optimise.covariance import Covariance, covariance
from sciml.optimise.first_order import Adam
from sciml.optimise.levenberg_marquardt import LevenbergMarquardt
from sciml.optimise.optimiser import AbstractIterativeOptimiser, AbstractOptimiser, OptimiseResult
from sciml.optimise.quasi_newton import LBFGS
from sciml.optimise.self_scaled import SelfScaledBFGS
from sciml.optimise.sequential import Sequential

__all__ = [
    "LBFGS",
    "AbstractIterativeOptimiser",
    "AbstractOptimiser",
    "Adam",
    "Covariance",
    "Gram",
    "LeastSquares",
    "LevenbergMarquardt",
    "OptimiseResult",
    "ResidualBlock",
    "SelfScaledBFGS",
    "Sequential",
    "covariance",
    "gram",
    "jacobian_rows",
    "losses",
    "residual_vector",
]

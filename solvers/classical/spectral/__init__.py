"""Spectral methods on boxes: Fourier series in time, Legendre collocation, read from the expression tree."""

from solvers.classical.spectral.solver import Spectral

__all__ = ["Spectral"]

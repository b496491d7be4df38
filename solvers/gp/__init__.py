"""Gaussian processes on tensor grids with learned spectra."""

from solvers.gp.adam import AdamGP
from solvers.gp.shapes import Gaussian, StudentT
from solvers.gp.solver import KroneckerGP
from solvers.gp.student import StudentGP

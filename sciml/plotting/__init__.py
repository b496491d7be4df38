"""Figures of solutions: one solution, several beside the truth, and films."""

from sciml.plotting.animation import animate_solution
from sciml.plotting.comparison import plot_comparison
from sciml.plotting.law import plot_law
from sciml.plotting.solution import plot_solution
from sciml.plotting.spectrum import plot_spectrum

__all__ = ["animate_solution", "plot_comparison", "plot_law", "plot_solution", "plot_spectrum"]

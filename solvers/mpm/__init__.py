"""Particles in motion: the material point method, and laws that are learned through it."""

from solvers.mpm.forms import EnergyNetwork, InvariantNetworks, PlainNetworks, Splines
from solvers.mpm.labelled_law import LabelledLaw
from solvers.mpm.learning import Stage
from solvers.mpm.material_identification import MaterialIdentification
from solvers.mpm.neural_law import NeuralConstitutiveLaw
from solvers.mpm.solver import MPM

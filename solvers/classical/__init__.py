"""Classical solvers: the baselines that learned solvers are measured against, and the source of references."""

from solvers.classical.finite_difference import FiniteDifference
from solvers.classical.initial_value import InitialValue
from solvers.classical.laws import LawIdentification
from solvers.classical.spectral import Spectral

__all__ = ["FiniteDifference", "InitialValue", "LawIdentification", "Spectral"]

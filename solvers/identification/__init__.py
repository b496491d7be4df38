"""Numbers and forms of dynamical systems from noisy observations."""

from __future__ import annotations

from solvers.identification.fitting import Schedule
from solvers.identification.refit import Refit, refit
from solvers.identification.solver import SystemIdentification

__all__ = ["Refit", "Schedule", "SystemIdentification", "refit"]

"""Baselines that solve nothing: what a method must beat before its error means anything."""

from __future__ import annotations

from solvers.trivial.lift import Lift
from solvers.trivial.zero import Zero

__all__ = ["Lift", "Zero"]

"""Families of problems: one form, with distributions of its numbers and of its initial data."""

from __future__ import annotations

from pde_zoo.families.ode import ODE_FAMILIES
from pde_zoo.families.pde import PDE_FAMILIES
from sciml.family import ProblemFamily

FAMILIES: dict[str, ProblemFamily] = {**ODE_FAMILIES, **PDE_FAMILIES}
"""Every family by name."""

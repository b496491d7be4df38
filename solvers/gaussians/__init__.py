"""Physics-informed Gaussians."""

from __future__ import annotations

from solvers.gaussians.mixtures import HeadedMixture, Mixture
from solvers.gaussians.paper import PublishedPIG
from solvers.gaussians.solver import PIG

__all__ = ["PIG", "HeadedMixture", "Mixture", "PublishedPIG"]

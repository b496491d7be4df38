"""Physics-informed neural networks."""

from __future__ import annotations

from solvers.pinn.embeddings import Embedding
from solvers.pinn.networks import MLP, AbstractNetwork
from solvers.pinn.solver import PINN

__all__ = ["MLP", "PINN", "AbstractNetwork", "Embedding"]

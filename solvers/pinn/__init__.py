"""Physics-informed neural networks."""

from __future__ import annotations

from sciml.strong_form.embeddings import Embedding
from sciml.strong_form.networks import AbstractNetwork
from solvers.pinn.architectures import SIREN, GatedMLP, ResidualNet
from solvers.pinn.networks import MLP
from solvers.pinn.solver import PINN

__all__ = ["MLP", "PINN", "SIREN", "AbstractNetwork", "Embedding", "GatedMLP", "ResidualNet"]

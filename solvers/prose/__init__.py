"""PROSE: a transformer that is pretrained on families of problems, and reads and writes equations."""

from __future__ import annotations

from solvers.prose.architecture import ARCHITECTURES, Architecture
from solvers.prose.batches import Window
from solvers.prose.candidates import Candidate
from solvers.prose.corruption import Corruption
from solvers.prose.learning import Learning
from solvers.prose.pretraining import Recipe, pretrain
from solvers.prose.solver import PROSE

__all__ = [
    "ARCHITECTURES",
    "PROSE",
    "Architecture",
    "Candidate",
    "Corruption",
    "Learning",
    "Recipe",
    "Window",
    "pretrain",
]

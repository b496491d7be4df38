"""What an ansatz needs of an architecture: initial weights, and values at one input."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jaxtyping import Array, Float, PyTree


class AbstractNetwork(ABC):
    """An architecture: hyperparameters only, hashable, so that equal networks share one compilation."""

    @abstractmethod
    def init(self, key: Array, inputs: int, outputs: int) -> PyTree:
        """Random weights for `inputs` features and `outputs` values."""

    @abstractmethod
    def __call__(self, weights: PyTree, z: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """Values at one input."""

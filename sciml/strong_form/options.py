"""What the formulation reads of a solver's hyperparameters."""

from __future__ import annotations

from typing import Protocol

from sciml.strong_form.embeddings import Embedding
from sciml.strong_form.networks import AbstractNetwork


class FormulationOptions(Protocol):
    """Hyperparameters of any solver that fits an ansatz to residuals at points.

    Attributes:
        network: architecture of each network.
        embedding: what it reads of a point.
        num_points: points of the equations; None takes four rows for each weight.
        num_condition_points: points of each soft condition.
        condition_weight: weight of soft conditions relative to the equations.
        noise_level: size of the noise in the rows of observations, beside relative residuals of the equations.
        hard: whether conditions enter the ansatz where they can.
        adaptive_share: share of the points that is drawn in proportion to the residual.
        pool_factor: candidates for these, as a multiple of the number of points.
    """

    @property
    def network(self) -> AbstractNetwork: ...
    @property
    def embedding(self) -> Embedding: ...
    @property
    def num_points(self) -> int | None: ...
    @property
    def num_condition_points(self) -> int: ...
    @property
    def condition_weight(self) -> float: ...
    @property
    def noise_level(self) -> float: ...
    @property
    def hard(self) -> bool: ...
    @property
    def adaptive_share(self) -> float: ...
    @property
    def pool_factor(self) -> int: ...

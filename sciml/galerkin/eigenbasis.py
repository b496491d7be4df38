r"""The whitened eigenbasis of a kernel on the nodes of one axis.

With features Φ on the nodes, $K = \Phi\Phi^T$ is never formed: the SVD $\Phi = Q\,S\,V^T$ gives its eigenvectors Q and
eigenvalues $S^2$. The functions $\psi = \phi V S^{-1}$ take the values Q on the nodes and can be evaluated, and
differentiated, anywhere; a draw of the process is $\sum_i c_i\psi_i$ with independent $c_i \sim N(0, s_i^2)$.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import equinox as eqx
import numpy as np

Array = Any

CUT = 1e-11
"""Directions whose standard deviation is below this fraction of the largest are left out."""


class AbstractFeatures(eqx.Module):
    """Features of one coordinate."""

    @abstractmethod
    def derivatives(self, x: Array, order: int) -> list[Array]:
        """Features and their derivatives up to `order` at points x `(n,)`, each `(n, features)`."""


@final
class Eigenbasis(eqx.Module):
    """Functions that are orthonormal on the nodes of an axis and independent under the prior.

    Attributes:
        features: the kernel's features.
        transform: $V S^{-1}$, `(features, rank)`.
        scales: prior standard deviations $s_i$, `(rank,)`, decreasing.
        nodes: `(n,)`.
        vectors: Q, `(n, rank)`. Values ψ at the nodes equal Q up to round-off divided by s; projections must use Q.
    """

    features: AbstractFeatures
    transform: np.ndarray
    scales: np.ndarray
    nodes: np.ndarray
    vectors: np.ndarray

    def at(self, x: Array, order: int = 0) -> list[Array]:
        """Basis functions and derivatives up to `order` at points x `(n,)`, each `(n, rank)`."""
        return [d @ self.transform for d in self.features.derivatives(x, order)]

    @property
    def rank(self) -> int:
        """Number of functions."""
        return self.scales.shape[0]


def eigenbasis(features: AbstractFeatures, nodes: np.ndarray, cut: float = CUT) -> Eigenbasis:
    """The eigenbasis of a kernel on nodes.

    Args:
        features: of the kernel.
        nodes: `(n,)`.
        cut: smallest kept ratio of standard deviations.
    """
    q, s, vt = np.linalg.svd(features.derivatives(nodes, 0)[0], full_matrices=False)
    kept = s > cut * s[0]
    return Eigenbasis(features, vt[kept].T / s[kept], s[kept], nodes, q[:, kept])

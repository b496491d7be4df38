"""Shapes of spectral lines: which kernel a line of the spectrum stands for, and the basis it gives on nodes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, final

import numpy as np
from scipy.linalg import eigh, toeplitz

from sciml.galerkin.eigenbasis import AbstractFeatures, Eigenbasis, eigenbasis
from sciml.storable import storable
from solvers.gp.features import LadderFeatures, Line
from solvers.gp.kernels import AbstractKernel, Cosine, Matern

Array = Any

_ROUND_OFF = 1e-15


class AbstractShape(ABC):
    """A density from which the spectrum is mixed."""

    @property
    @abstractmethod
    def oversampling(self) -> float:
        """Nodes wanted for each half period of the highest frequency."""

    @property
    @abstractmethod
    def is_smooth(self) -> bool:
        """Whether draws have all derivatives, so that a wider band and not more nodes is what accuracy asks for."""

    @property
    @abstractmethod
    def fewest_nodes(self) -> int:
        """Nodes of an axis on which nothing oscillates."""

    @property
    @abstractmethod
    def most_derivatives(self) -> int:
        """Highest derivative of a draw that exists along one axis."""

    @abstractmethod
    def kernel(self, lines: tuple[Line, ...]) -> AbstractKernel:
        """The mixture's kernel."""

    @abstractmethod
    def length_of_rate(self, rate: Array) -> Array:
        """Length scale ℓ of the inverse width by which the published algorithm parametrises a line."""

    @abstractmethod
    def basis(self, lines: tuple[Line, ...], nodes: np.ndarray) -> Eigenbasis:
        """Its eigenbasis on nodes."""


@final
@dataclass(frozen=True)
class Gaussian(AbstractShape):
    """Gaussian lines: squared exponentials times cosines (GM). Smooth; spectrally accurate in few functions."""

    @property
    def oversampling(self) -> float:
        return 1.5

    @property
    def is_smooth(self) -> bool:
        return True

    @property
    def fewest_nodes(self) -> int:
        return 64

    @property
    def most_derivatives(self) -> int:
        return 4

    def kernel(self, lines: tuple[Line, ...]) -> AbstractKernel:
        return reduce(add, (line.kernel for line in lines))

    def length_of_rate(self, rate: Array) -> Array:
        return (2 * rate) ** -0.5

    def basis(self, lines: tuple[Line, ...], nodes: np.ndarray) -> Eigenbasis:
        return eigenbasis(LadderFeatures(lines, float(nodes[0]), float(nodes[-1])), nodes)


@final
@dataclass(frozen=True)
class StudentT(AbstractShape):
    """Student-t lines: Matérn kernels times cosines (StM). Heavy tails; full rank on the nodes, algebraic accuracy.

    Args:
        half_order: p, for Matérn order ν = p + 1/2 and a t density of 2ν degrees of freedom.
    """

    half_order: int = 2

    @property
    def oversampling(self) -> float:
        return 2.5

    @property
    def is_smooth(self) -> bool:
        return False

    @property
    def fewest_nodes(self) -> int:
        return 128

    @property
    def most_derivatives(self) -> int:
        return self.half_order

    def kernel(self, lines: tuple[Line, ...]) -> AbstractKernel:
        return reduce(add, (Matern(l.length, self.half_order) * Cosine(l.frequency) * l.weight for l in lines))

    def length_of_rate(self, rate: Array) -> Array:
        return 1 / rate

    def basis(self, lines: tuple[Line, ...], nodes: np.ndarray) -> Eigenbasis:
        kernel = self.kernel(lines)
        features = KernelSections(kernel, nodes)
        values, vectors = eigh_of_toeplitz(kernel(nodes - nodes[0]))
        kept = values > _ROUND_OFF * values[0]
        variances, q = values[kept], vectors[:, kept]
        return Eigenbasis(features, q / variances, np.sqrt(variances), nodes, q)


def eigh_of_toeplitz(first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, decreasing, and eigenvectors of the symmetric Toeplitz matrix with a given first column.

    Its eigenvectors are even or odd about the middle, so that two problems of half the size give them.
    """
    half, rest = divmod(first.size, 2)
    matrix = toeplitz(first)
    near, far = matrix[:half, :half], matrix[:half, : -half - 1 : -1]
    middle = matrix[:half, half : half + rest]
    even = np.block(
        [[near + far, np.sqrt(2) * middle], [np.sqrt(2) * middle.T, matrix[half : half + rest, half : half + rest]]]
    )
    (even_values, e), (odd_values, o) = eigh(even, driver="evd"), eigh(near - far, driver="evd")
    top, bottom = e[:half] / np.sqrt(2), o / np.sqrt(2)
    vectors = np.block([[top, bottom], [e[half:], np.zeros((rest, half))], [top[::-1], -bottom[::-1]]])
    values = np.concatenate([even_values, odd_values])
    order = np.argsort(-values)
    return values[order], vectors[:, order]


@final
@storable("gp_kernel_sections")
class KernelSections(AbstractFeatures):
    """Features $k(x - x_j)$ of any kernel, one for each node.

    Attributes:
        kernel: k.
        nodes: $x_j$, `(n,)`.
    """

    kernel: AbstractKernel
    nodes: np.ndarray

    def derivatives(self, x: Array, order: int) -> list[Array]:
        return self.kernel.derivatives(x[:, None] - self.nodes[None, :], order)

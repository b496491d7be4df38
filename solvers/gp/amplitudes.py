"""How much of a solution each line of its spectrum carries."""

from __future__ import annotations

import numpy as np

from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.eigenbasis import Eigenbasis
from sciml.galerkin.kronecker import along
from sciml.spectrum import SpectralLines
from solvers.gp.features import FourierFeatures, LadderFeatures, Line
from solvers.gp.shapes import AbstractShape


def spectral_lines(
    discrete: Discretisation, axis: int, lines: tuple[Line, ...], C: np.ndarray, shape: AbstractShape
) -> SpectralLines:
    """Lines of one axis with the root mean square of their parts on the nodes.

    Features are weighted with the smallest norm that gives the solution; overlapping lines share it as that says.
    """
    basis = discrete.spaces[axis].basis
    weights = along(basis.transform, C, axis)
    count = float(np.prod(discrete.shape))
    sizes = [
        np.linalg.norm(along(columns, np.take(weights, chosen, axis=axis), axis)) / np.sqrt(count)
        for columns, chosen in (_part(basis, k, line, shape) for k, line in enumerate(lines))
    ]
    return SpectralLines(
        np.array([float(line.frequency) for line in lines]),
        np.array([1 / float(line.length) for line in lines]),
        np.array(sizes),
    )


def _part(basis: Eigenbasis, k: int, line: Line, shape: AbstractShape) -> tuple[np.ndarray, np.ndarray]:
    """Values on the nodes of what one line adds, and the features that they multiply."""
    features, nodes = basis.features, basis.nodes
    if isinstance(features, LadderFeatures):
        sizes = [n * (1 + shifted) for n, shifted in zip(features.counts, features.shifted, strict=True)]
        chosen = np.arange(sum(sizes[:k]), sum(sizes[: k + 1]))
    elif isinstance(features, FourierFeatures):
        harmonics = features.weights.shape[0]
        chosen = np.array([j for j in ((k, harmonics + k - 1) if k else (0,)) if k < harmonics], int)
    else:
        return shape.kernel((line,))(nodes[:, None] - nodes[None, :]), np.arange(nodes.size)
    return features.derivatives(nodes, 0)[0][:, chosen], chosen

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
    has_columns = isinstance(basis.features, LadderFeatures | FourierFeatures)
    columns = basis.features.derivatives(basis.nodes, 0)[0] if has_columns else None
    between, sizes = np.subtract.outer(basis.nodes, basis.nodes), []
    for k, line in enumerate(lines):
        chosen = _chosen(basis, k)
        part = shape.kernel((line,))(between) if columns is None else columns[:, chosen]
        sizes.append(np.linalg.norm(along(part, np.take(weights, chosen, axis=axis), axis)) / np.sqrt(count))
    return SpectralLines(
        np.array([float(line.frequency) for line in lines]),
        np.array([1 / float(line.length) for line in lines]),
        np.array(sizes),
    )


def _chosen(basis: Eigenbasis, k: int) -> np.ndarray:
    """Which features are those of line k; all of them where the features are the kernel's values at the nodes."""
    features = basis.features
    if isinstance(features, LadderFeatures):
        sizes = [n * (1 + shifted) for n, shifted in zip(features.counts, features.shifted, strict=True)]
        return np.arange(sum(sizes[:k]), sum(sizes[: k + 1]))
    if isinstance(features, FourierFeatures):
        harmonics = features.weights.shape[0]
        return np.array([j for j in ((k, harmonics + k - 1) if k else (0,)) if k < harmonics], int)
    return np.arange(basis.nodes.size)

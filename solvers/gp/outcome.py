"""What an attempt on one equation comes to: its mean as a function of points, and whether it is a success."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.statement import Statement
from sciml.results import RESULTS
from solvers.gp.amplitudes import spectral_lines
from solvers.gp.attempts import Attempt
from solvers.gp.representation import ExactDeviation, KroneckerMean

if TYPE_CHECKING:
    from solvers.gp.solver import KroneckerGP

_EXPLAINED = 1e-2


def verdict(best: Attempt, estimated_error: float | None, solver: KroneckerGP) -> RESULTS:
    """Whether a solution is a success: by its estimated error if it has one, else by the residual alone.

    The residual counts all scales alike, while the equation smooths: it can be far above the error, as next to the
    faces that a layer touches, and far below, as that of a smooth part under a fast oscillation. Where it is no longer
    small beside the terms of the equation, the nodes have not seen the source, and there is nothing to estimate from.
    """
    if estimated_error is None or best.result not in (RESULTS.successful, RESULTS.under_resolved):
        return best.result
    certificate = best.certificate
    trusted = max(estimated_error, certificate.conditions) <= solver.accepted and certificate.equation <= _EXPLAINED
    return RESULTS.successful if trusted else RESULTS.under_resolved


def mean_of(best: Attempt, solver: KroneckerGP) -> KroneckerMean:
    """The posterior mean, with its spectrum."""
    discrete, C, shape = best.discrete, best.coefficients, solver.shape
    lines = [spectral_lines(discrete, k, own, C, shape) for k, own in enumerate(best.spectra)]
    return KroneckerMean(
        tuple(s.basis.features for s in discrete.spaces),
        tuple(jnp.asarray(s.basis.transform) for s in discrete.spaces),
        jnp.asarray(C),
        *names_of(discrete.statement),
        tuple(lines),
    )


def exact_deviation(discrete: Discretisation, factor: np.ndarray, floor: float = 0.0) -> ExactDeviation:
    """Standard deviation of a field from a factor of its coefficients' covariance and what its bases leave out."""
    return ExactDeviation(
        tuple(s.basis.features for s in discrete.spaces),
        tuple(jnp.asarray(s.basis.transform) for s in discrete.spaces),
        jnp.asarray(factor),
        jnp.asarray(floor),
        *names_of(discrete.statement),
    )


def numbers_of(best: Attempt) -> dict[str, float]:
    """What the statistics of a run say of an attempt."""
    found = {"residual": best.certificate.equation, "conditions": best.certificate.conditions}
    for x, lines in zip(best.discrete.statement.axes, best.spectra, strict=True):
        found |= {f"lines_{x.name}": len(lines), f"highest_{x.name}": max(line.frequency for line in lines)}
    return found


def names_of(statement: Statement) -> tuple[tuple[str, ...], str]:
    """Names of the coordinates and of the field."""
    return tuple(x.name for x in statement.axes), repr(statement.unknown)

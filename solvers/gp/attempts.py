"""From spectra to a certified solution: build the spaces, solve, look at the residual, widen the spectrum, again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from sciml.results import RESULTS
from sciml.solver import Run
from solvers.gp.certificate import Certificate, certify
from solvers.gp.features import Line
from solvers.gp.galerkin import Discretisation, solve_directly
from solvers.gp.learning import resolved_signals, section_signals
from solvers.gp.spaces import AxisSpace
from solvers.gp.spectrum import Signals, find_comb, find_lines, wanted_nodes
from solvers.gp.statement import Statement

if TYPE_CHECKING:
    from solvers.gp.solver import KroneckerGP

Spectra = tuple[tuple[Line, ...], ...]

_SINGULAR = 1e-14
_FEWEST_NODES = 64
_MOST_NODES = 3000


@final
@dataclass(frozen=True, eq=False)
class Attempt:
    """A solution with one choice of spectra.

    Attributes:
        discrete: spaces in which it was sought.
        spectra: lines of each axis.
        coefficients: C; NaN if there is none.
        certificate: residuals off the nodes.
        result: how the solve ended.
        iterations: Newton steps.
    """

    discrete: Discretisation
    spectra: Spectra
    coefficients: np.ndarray
    certificate: Certificate
    result: RESULTS
    iterations: int = 1


def axis_nodes(statement: Statement, axis: int, lines: tuple[Line, ...], solver: KroneckerGP) -> np.ndarray:
    """Equally spaced nodes with both ends, enough for a spectrum unless the user fixed their number."""
    lower, upper = statement.bounds(axis)
    count = solver.nodes or max(wanted_nodes(lines, upper - lower, solver.shape.oversampling), _FEWEST_NODES)
    return np.linspace(lower, upper, count)


def discretise(statement: Statement, spectra: Spectra, solver: KroneckerGP) -> Discretisation:
    spaces = []
    for k, lines in enumerate(spectra):
        basis = solver.shape.basis(lines, axis_nodes(statement, k, lines, solver))
        spaces.append(AxisSpace(basis, statement.rows(k), statement.orders[k]))
    return Discretisation(statement, tuple(spaces))


def attempt(statement: Statement, spectra: Spectra, solver: KroneckerGP) -> Attempt:
    discrete = discretise(statement, spectra, solver)
    inverse = discrete.invert(discrete.operator)
    if inverse is None:
        raise NotImplementedError
    if inverse.smallest < _SINGULAR:
        C = np.full([s.basis.rank for s in discrete.spaces], np.nan)
        return Attempt(discrete, spectra, C, Certificate(np.nan, np.nan), RESULTS.linear_solve_failed)
    C = solve_directly(discrete, inverse)
    certificate = certify(discrete, C)
    result = RESULTS.successful if certificate.worst <= solver.accepted else RESULTS.under_resolved
    return Attempt(discrete, spectra, C, certificate, result)


def learn(statement: Statement, axis: int, solver: KroneckerGP) -> tuple[Line, ...]:
    signals = resolved_signals(statement, axis)
    lines, left = find_lines(signals, tolerance=solver.tolerance, most=solver.most_lines)
    if left <= 1e-7:
        return lines

    def sample(count: int) -> Signals:
        return section_signals(statement, axis, np.linspace(*statement.bounds(axis), count + 1), None, None)

    comb, better = find_comb(sample, tolerance=solver.tolerance, most_nodes=_MOST_NODES)
    return comb if better < left else lines


def solve_best(statement: Statement, solver: KroneckerGP, run: Run) -> Attempt:
    spectra = tuple(learn(statement, k, solver) for k in range(len(statement.axes)))
    return attempt(statement, spectra, solver)

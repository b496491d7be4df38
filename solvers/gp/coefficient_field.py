r"""A coefficient field that no equation determines, from observations of what the equation makes of it.

Both fields are Gaussian processes: the state u, which the equation differentiates most, and coefficients such as the
logarithm b of a permeability in $-\nabla\cdot(e^b\nabla u) = f$. The joint posterior's mode is sought by Gauss–Newton
steps on all fields; after each the state is solved for anew with the coefficients held, so that only steps that lower
the objective on the equation's solutions are taken. Amplitudes, and the noise where it is unknown, follow MacKay's
fixed point $a^2 = |w|^2/(n - \operatorname{tr}\Sigma/a^2)$; the length scale is the one of largest evidence (Laplace)
of the observations, from long to short. Standard deviations are those of the Gaussian at the mode.
Source: MacKay, doi:10.1162/neco.1992.4.3.415; Stuart, Inverse problems, doi:10.1017/S0962492910000061.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any, final

import numpy as np

from sciml.expr.traverse import coordinates_of, multi_index, scalar_leaf
from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.eigenbasis import AbstractFeatures, Eigenbasis, eigenbasis
from sciml.galerkin.spaces import AxisSpace
from sciml.galerkin.statement import Statement
from sciml.galerkin.systems import System
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solver import Run
from sciml.storable import storable
from solvers.gp.attempts import node_count
from solvers.gp.features import FourierFeatures, Line
from solvers.gp.joint import Curvature, Joint, Scales, Whitened, curvature
from solvers.gp.learning import harmonics
from solvers.gp.scattered import Measurements
from solvers.gp.spectrum import smooth_line
from solvers.gp.system_spectra import learn_system
from solvers.gp.systems import parts_of_system

if TYPE_CHECKING:
    from solvers.gp.solver import KroneckerGP

Array = Any

_LENGTHS = (0.6, 0.3, 0.15)
_STATE_LENGTH = 0.3
_STATE_CUT, _COEFFICIENT_CUT = 1e-9, 1e-5
_COARSE_TOLERANCE = 1e-3
_HARMONICS = 12
_CONSTANTS = (0.0, *(s * 10.0 ** (k / 2) for k in range(-4, 3) for s in (1, -1)))
_FIRST_NOISE = 0.1
_WIDE = 10.0
_LEAST_AMPLITUDE = 0.5
_LEAST_DETERMINED = 0.1
_NEARLY_DEPENDENT = 1e-6
_FALLS = 0.999
_AS_GOOD = 1.0
_MOST_STEPS = 25
_MOST_INNER_STEPS = 8
_SETTLED = 5e-3
_CHANGED = 0.05
_LEAST_DAMPING = 1 / 64
_FARTHEST = 3.0


@final
@storable("gp_constant_feature")
class ConstantFeature(AbstractFeatures):
    """The one feature of a coordinate on which a field does not depend."""

    def derivatives(self, x: Array, order: int) -> list[Array]:
        ones = 0 * x[:, None] + 1
        return [ones, *([0 * ones] * order)]


def state_and_coefficients(problem: Problem) -> list[int]:
    """Numbers of the scalar unknowns: first the one that the equation differentiates most."""
    highest = [0] * len(problem.unknowns)
    for k, unknown in enumerate(problem.unknowns):
        part = Statement(problem, index=k)
        highest[k] = max((len(multi_index(a)) for a in part.unknown_atoms if scalar_leaf(a) == unknown), default=0)
    return sorted(range(len(highest)), key=lambda k: -highest[k])


@final
@dataclass(frozen=True, eq=False)
class Fit:
    """The joint posterior's mode with one choice of spaces.

    Attributes:
        joint: fields, statements and measurements.
        w: whitened coefficients at the mode.
        scales: amplitudes and noise.
        curvature: at the mode; None if there is none.
        evidence: logarithm of the observations' density, up to a constant.
        result: whether the iteration settled.
        iterations: Gauss–Newton steps.
    """

    joint: Joint
    w: Whitened
    scales: Scales
    curvature: Curvature | None
    evidence: float
    result: RESULTS
    iterations: int

    @property
    def misfit(self) -> float:
        """Root mean square of the measurements' misfits in units of their noise."""
        return float(np.sqrt(np.mean((self.joint.misfits(self.w) / self.scales.noise) ** 2)))


def infer_coefficients(problem: Problem, solver: KroneckerGP, run: Run) -> Fit:
    """The mode and its curvature at the length scale of largest evidence."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # trial steps may leave the range of numbers
        return _likeliest(problem, solver, run)


def _likeliest(problem: Problem, solver: KroneckerGP, run: Run) -> Fit:
    every = parts_of_system(problem)
    parts = tuple(every[k] for k in state_and_coefficients(problem))
    learned = learn_system(every, _COARSE_TOLERANCE, solver.most_lines)[parts[0].index]
    best: Fit | None = None
    constants = _CONSTANTS
    for length in _LENGTHS:
        joint = _joint(parts, learned, length, solver)
        start, scales, constants = _first_guess(joint, constants)
        fit = _mode(joint, start, scales, run)
        if best is None or fit.evidence > best.evidence - _AS_GOOD:
            best = fit
        if fit is not best or run.is_over:
            break
    assert best is not None
    return best


def _joint(
    parts: tuple[Statement, ...], learned: tuple[tuple[Line, ...], ...], length: float, solver: KroneckerGP
) -> Joint:
    """Spaces for one length scale, in units of each axis's extent; the state has the data's lines as well."""
    axes = range(len(parts[0].axes))
    extents = [np.ptp(parts[0].bounds(k)) for k in axes]
    smooth = [(smooth_line(e, length),) for e in extents]
    lines = [
        (smooth_line(e, min(length, _STATE_LENGTH)), *(line for line in own if line.frequency > 0))
        for e, own in zip(extents, learned, strict=True)
    ]
    counts = [max(node_count(parts[0], k, own[k], solver) for own in (smooth, lines)) for k in axes]
    fields = []
    for number, part in enumerate(parts):
        own, cut = (smooth, _COEFFICIENT_CUT) if number else (lines, _STATE_CUT)
        bases = [_basis(part, k, own[k], counts[k], solver, cut) for k in axes]
        spaces = tuple(AxisSpace(b, part.rows(k), part.orders[k]) for k, b in enumerate(bases))
        fields.append(Discretisation(part, spaces))
    system = System(tuple(fields), tuple(s.values[0] @ s.test for s in fields[0].spaces))
    measured = tuple(Measurements(system, o) for o in parts[0].problem.observations)
    return Joint(system, measured, (_STATE_CUT, *(_COEFFICIENT_CUT for _ in parts[1:])))


def _basis(
    part: Statement, axis: int, lines: tuple[Line, ...], count: int, solver: KroneckerGP, cut: float
) -> Eigenbasis:
    bounds, x = part.bounds(axis), part.axes[axis]
    nodes = np.linspace(*bounds, count, endpoint=not part.is_periodic(axis))
    if x not in coordinates_of(part.unknown):
        return eigenbasis(ConstantFeature(), nodes)
    if part.is_periodic(axis):
        weights = np.array([line.weight for line in harmonics(part, axis, _HARMONICS)])
        return eigenbasis(FourierFeatures(bounds[0], bounds[1] - bounds[0], weights), nodes, cut)
    basis = solver.shape.basis(lines, nodes)
    kept = basis.scales > cut * basis.scales[0]
    return Eigenbasis(basis.features, basis.transform[:, kept], basis.scales[kept], nodes, basis.vectors[:, kept])


def _first_guess(joint: Joint, constants: tuple[float, ...]) -> tuple[Whitened, Scales, tuple[float, ...]]:
    """The constant coefficients that explain the measurements best, and the state with them."""
    values = [m.observation.values for m in joint.measured]
    noise = [
        np.broadcast_to(np.std(v) * _FIRST_NOISE if m.observation.noise is None else m.observation.noise, v.shape)
        for m, v in zip(joint.measured, values, strict=True)
    ]
    sigma = np.maximum(np.concatenate(noise), np.finfo(float).tiny)
    size = _WIDE * max(float(np.sqrt(np.mean(np.concatenate(values) ** 2))), np.finfo(float).tiny)
    best: tuple[float, Whitened, Scales, float] | None = None
    for c in constants:
        w = [np.zeros(joint.sizes[0]), *(c * _constant(joint, k) for k in range(1, len(joint.sizes)))]
        amplitudes = (size, *(max(abs(c), _LEAST_AMPLITUDE) for _ in joint.sizes[1:]))
        scales = Scales(amplitudes, joint.statement_scales(w), sigma)
        w = _solved(joint, w, scales)
        scales = replace(scales, statements=joint.statement_scales(w))
        misfit = float(np.sum((joint.misfits(w) / sigma) ** 2))
        if np.isfinite(misfit) and (best is None or misfit < best[0]):
            best = (misfit, w, scales, c)
    if best is None:
        return [np.zeros(n) for n in joint.sizes], scales, constants[:1]
    return best[1], best[2], (best[3],)


def _constant(joint: Joint, field: int) -> np.ndarray:
    """Whitened coefficients of a field that is one everywhere."""
    spaces, directions = joint.system.fields[field].spaces, joint.directions[field]
    each = [
        np.linalg.lstsq(s.values[0] @ m, np.ones(s.basis.nodes.size), rcond=_NEARLY_DEPENDENT)[0]
        for s, m in zip(spaces, directions, strict=True)
    ]
    return reduce(np.kron, each)[joint.kept[field]]


def _solved(joint: Joint, w: Whitened, scales: Scales) -> Whitened:
    """The state that fits best with the coefficients held."""
    before = np.inf
    for _ in range(1 if joint.is_linear_in_state else _MOST_INNER_STEPS):
        r = joint.residual(w, scales)
        size = float(r @ r)
        found = curvature(joint.jacobian(w, scales, 1), r) if size < _FALLS * before else None
        if found is None:
            break
        state, *held = w
        w, before = [state + found.step, *held], size
    return w


def _mode(joint: Joint, start: Whitened, scales: Scales, run: Run) -> Fit:
    """Damped Gauss–Newton steps from a first guess, with amplitudes and unknown noise refreshed between them."""
    w, result, iteration = start, RESULTS.max_steps_reached, 0
    before = np.zeros(len(start))
    while iteration < _MOST_STEPS:
        iteration += 1
        found = curvature(joint.jacobian(w, scales), joint.residual(w, scales))
        if found is None:
            result = RESULTS.nonfinite
            break
        fresh = _refreshed(joint, w, scales, found)
        change = np.log(np.divide(fresh.amplitudes, scales.amplitudes))
        change = np.where(change * before < 0, change / 2, change)  # the fixed point swings about its end
        w, moved = _stepped(joint, w, scales, joint.split(found.step))
        scales = replace(fresh, amplitudes=tuple(map(float, scales.amplitudes * np.exp(change))))
        before = change
        if moved <= _SETTLED and np.all(np.abs(change) <= _CHANGED):
            result = RESULTS.successful
            break
        if run.is_over:
            result = RESULTS.budget_exhausted
            break
    found = curvature(joint.jacobian(w, scales), joint.residual(w, scales))
    evidence = -np.inf if found is None else _evidence(joint, w, scales, found)
    return Fit(joint, w, scales, found, evidence, result, iteration)


def _stepped(joint: Joint, w: Whitened, scales: Scales, step: Whitened) -> tuple[Whitened, float]:
    """The longest of the steps 1, 1/2, 1/4 … that lowers the objective, and its relative size.

    No coefficient moves by more than a few of its prior deviations at once.
    """
    reaches = [
        _FARTHEST * a * np.sqrt(d.size) / max(float(np.linalg.norm(d)), np.finfo(float).tiny)
        for d, a in zip(step[1:], scales.amplitudes[1:], strict=True)
    ]
    before, damping = float(np.sum(joint.residual(w, scales) ** 2)), min(1.0, *reaches)
    least = _LEAST_DAMPING * damping
    while damping >= least:
        moved = _solved(joint, [part + damping * d for part, d in zip(w, step, strict=True)], scales)
        after = float(np.sum(joint.residual(moved, scales) ** 2))
        if np.isfinite(after) and after <= before:
            sizes = [np.linalg.norm(d) / max(np.linalg.norm(v), 1.0) for d, v in zip(step[1:], moved[1:], strict=True)]
            return moved, damping * float(max(sizes))
        damping /= 2
    return w, 0.0


def _refreshed(joint: Joint, w: Whitened, scales: Scales, found: Curvature) -> Scales:
    """Amplitudes by MacKay's fixed point, unknown noise likewise, and the statements' scales at the present fields."""
    rows = np.split(found.root, np.cumsum(joint.sizes)[:-1])
    amplitudes = []
    for part, root, a in zip(w, rows, scales.amplitudes, strict=True):
        determined = max(part.size - float(np.sum(root**2)) / a**2, _LEAST_DETERMINED)
        amplitudes.append(float(np.sqrt(np.sum(part**2) / determined)) or a)
    noise, start = scales.noise.copy(), 0
    for m in joint.measured:
        stop = start + m.observation.values.size
        if m.observation.noise is None:
            C = joint.coefficients(w)
            seen = joint.measured_jacobian(m, C) @ found.root
            left = max(stop - start - float(np.sum((seen / noise[start:stop, None]) ** 2)), 1.0)
            noise[start:stop] = np.sqrt(np.sum(m.misfit(C) ** 2) / left)
        start = stop
    return Scales(tuple(amplitudes), joint.statement_scales(w), noise)


def _evidence(joint: Joint, w: Whitened, scales: Scales, found: Curvature) -> float:
    """Laplace's approximation of the measurements' density, the state being a function of the coefficients."""
    first = joint.sizes[0]
    triangle = np.abs(np.diag(found.triangle))[first:]
    quad = float(np.sum((joint.misfits(w) / scales.noise) ** 2))
    quad += sum(float(np.sum(part**2)) / a**2 for part, a in zip(w[1:], scales.amplitudes[1:], strict=True))
    prior = sum(n * np.log(a) for n, a in zip(joint.sizes[1:], scales.amplitudes[1:], strict=True))
    return -0.5 * quad - float(np.log(triangle).sum()) - prior - float(np.log(scales.noise).sum())

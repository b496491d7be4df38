r"""The ordinary differential equations behind an evolution problem, read from its tree for whole batches at once.

A problem $\partial_t u_i = L u + N(u)$ over time alone is a system already. Over time and one periodic coordinate it
becomes one on $m$ equidistant points, with Fourier derivatives; the part of $L$ with constant coefficients in which a
field drives itself is kept apart, because its flow is known exactly. Second order in time becomes first order by naming
velocities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp

from sciml.domains.box import Box
from sciml.errors import SciMLError, UnsupportedProblemError
from sciml.expr.classify import orders
from sciml.expr.evaluation import evaluate
from sciml.expr.evolution import Evolution, evolution, first_order
from sciml.expr.leaves import Parameter
from sciml.expr.nodes import Apply, Scalar
from sciml.expr.operations import Op
from sciml.expr.reduce import product, total
from sciml.expr.traverse import atoms, is_unknown, multi_index, scalar_leaf
from sciml.known import Arguments, BoundLaws, known_values
from sciml.pointwise import Structure
from sciml.problem import Problem


@final
class PeriodicAxis(eqx.Module):
    """Equidistant points on a circle of some length.

    Attributes:
        name: the coordinate.
        start: its lower end, which is the first point.
        length: one period.
        points: how many, m.
    """

    name: str = eqx.field(static=True)
    start: float = eqx.field(static=True)
    length: float = eqx.field(static=True)
    points: int = eqx.field(static=True)

    @property
    def nodes(self) -> jax.Array:
        """Places `(m,)`."""
        return self.start + self.length / self.points * jnp.arange(self.points)

    def symbol(self, order: int) -> jax.Array:
        """$(ik)^n$ for each Fourier mode `(m//2 + 1,)`; the highest mode of an even m has no odd derivative."""
        k = 2 * jnp.pi / self.length * jnp.arange(self.points // 2 + 1)
        power = (1j * k) ** order
        is_lost = order % 2 == 1 and self.points % 2 == 0
        return power.at[-1].set(0.0) if is_lost else power


@final
class Rates(eqx.Module):
    r"""$\dot y = A(\theta)\,y + r(t, y, \theta)$ for states `(d, *batch)`, or `(d, m, *batch)` on a periodic axis.

    Attributes:
        unknowns: what the d components are; velocities that second-order equations need come last.
        rest: $r$, one expression a component.
        own: $A$: for each component, pairs of order of derivative and coefficient.
        time: name of the time coordinate.
        axis: the periodic axis, or None for a problem in time alone.
        arguments: numbers of the problem; a call overwrites those of its parameters that it is given.
    """

    unknowns: tuple[Scalar, ...] = eqx.field(static=True, converter=Structure)
    rest: tuple[Scalar, ...] = eqx.field(static=True, converter=Structure)
    own: tuple[tuple[tuple[int, Scalar], ...], ...] = eqx.field(static=True, converter=Structure)
    time: str = eqx.field(static=True)
    axis: PeriodicAxis | None
    arguments: Arguments

    @staticmethod
    def of(problem: Problem, points: int = 128) -> Rates:
        """Read the system from a problem.

        Args:
            problem: over time, and at most one periodic coordinate of a box.
            points: m.

        Raises:
            UnsupportedProblemError: another domain, or equations that are no evolution.
        """
        reasons = no_rates(problem)
        if reasons:
            raise UnsupportedProblemError(reasons[0], "an evolution in time, or on a circle", "use another solver")
        found, axis = _evolution(problem), None
        if problem.space:
            low, high = problem.box.bounds[problem.space[0].name]
            axis = PeriodicAxis(problem.space[0].name, float(low), float(high - low), points)
        rest, own = zip(*(_apart(found, i) for i in range(len(found.unknowns))), strict=True)
        assert problem.time is not None
        return Rates(found.unknowns, rest, own, problem.time.name, axis, problem.arguments)

    def __call__(self, t: Any, state: jax.Array, parameters: Mapping[str, Any]) -> jax.Array:
        """$\\dot y$ of the shape of `state`; parameters are numbers or arrays over the trailing axes of the batch."""
        value = self.nonstiff(t, state, parameters)
        if self.axis is None or not any(self.own):
            return value
        return value + self._filtered(state, self._symbols(parameters, state.ndim - 2))

    def nonstiff(self, t: Any, state: jax.Array, parameters: Mapping[str, Any]) -> jax.Array:
        """$r(t, y, \\theta)$."""
        needed = atoms(*self.rest)
        arguments = self.arguments.with_parameters(parameters)
        points: dict[str, Any] = {self.time: t}
        if self.axis is not None:
            points[self.axis.name] = self.axis.nodes.reshape(-1, *[1] * (state.ndim - 2))
        values = {**known_values(needed, points, arguments), **self._fields(needed, state)}
        sides = evaluate(self.rest, values, BoundLaws(arguments.laws))
        return jnp.stack([jnp.broadcast_to(side, state.shape[1:]) for side in sides])

    def propagator(self, parameters: Mapping[str, Any], step: Any, batch: int) -> Callable[[jax.Array], jax.Array]:
        """$y \\mapsto e^{hA}y$ for a step h that may vary over the batch.

        Args:
            parameters: as in a call.
            step: h.
            batch: how many trailing axes the states have.
        """
        if self.axis is None or not any(self.own):
            return lambda state: state
        factor = jnp.exp(step * self._symbols(parameters, batch))
        return lambda state: self._filtered(state, factor)

    def _fields(self, needed: tuple[Scalar, ...], state: jax.Array) -> dict[Any, Any]:
        """Values of the unknowns and of their derivatives."""
        modes: dict[int, jax.Array] = {}
        values: dict[Any, Any] = {}
        for atom in needed:
            leaf = scalar_leaf(atom) if is_unknown(atom) else None
            if leaf is None:
                continue
            i, order = self.unknowns.index(leaf), len(multi_index(atom))
            if order == 0 or self.axis is None:
                values[atom] = state[i]
                continue
            if i not in modes:
                modes[i] = jnp.fft.rfft(state[i], axis=0)
            symbol = self.axis.symbol(order).reshape(-1, *[1] * (state.ndim - 2))
            values[atom] = jnp.fft.irfft(symbol * modes[i], n=self.axis.points, axis=0)
        return values

    def _symbols(self, parameters: Mapping[str, Any], batch: int) -> jax.Array:
        """Eigenvalues of A: `(d, modes, *batch)`, or with ones for axes that no parameter varies over."""
        axis = self.axis
        assert axis is not None
        arguments = self.arguments.with_parameters(parameters)
        rows = []
        for row in self.own:
            row_sum = jnp.zeros((axis.points // 2 + 1, *[1] * batch), complex)
            for order, coefficient in row:
                number = evaluate(coefficient, known_values(atoms(coefficient), {}, arguments))
                row_sum = row_sum + number * axis.symbol(order).reshape(-1, *[1] * batch)
            rows.append(row_sum)
        return jnp.stack(jnp.broadcast_arrays(*rows))

    def _filtered(self, state: jax.Array, factor: jax.Array) -> jax.Array:
        assert self.axis is not None
        return jnp.fft.irfft(factor * jnp.fft.rfft(state, axis=1), n=self.axis.points, axis=1)


def right_hand_sides(problem: Problem) -> tuple[tuple[Scalar, ...], tuple[Scalar, ...]]:
    r"""Scalar unknowns and their rates $f_i$ as expressions, in the order of the problem's unknowns.

    Each rate has the terms of the equation as it is written, where that is solved for the rate.

    Raises:
        UnsupportedProblemError: the equations are no evolution.
    """
    found = _evolution(problem)
    written = _as_written(problem)
    sides = found.right_hand_sides()
    return found.unknowns, tuple(written.get(u, side) for u, side in zip(found.unknowns, sides, strict=True))


def no_rates(problem: Problem) -> list[str]:
    """Reasons why a problem has no such system; empty if it has."""
    time = problem.time
    if time is None:
        return ["a problem without time"]
    if not isinstance(problem.domain, Box):
        return [f"a domain of type {type(problem.domain).__name__}"]
    if len(problem.space) > 1 or any(x.name not in problem.domain.periodic for x in problem.space):
        return [f"a problem over {', '.join(x.name for x in problem.coordinates)} on {problem.domain!r}"]
    try:
        found = _evolution(problem)
    except SciMLError as error:
        return [error.found]
    for atom in atoms(*found.right_hand_sides()):
        if isinstance(atom, Apply) and atom.op in (Op.AT, Op.INTEGRAL):
            return [f"the functional `{atom!r}`"]
    return []


def _evolution(problem: Problem) -> Evolution:
    """First order in time, with components in the order of the problem's unknowns and velocities after them."""
    time = problem.time
    assert time is not None
    equations = list(problem.equations)
    order = max((along.get(time, 0) for along in orders(*problem.residuals).values()), default=0)
    found = evolution(first_order(equations, time)[0] if order > 1 else equations, time)
    names = {leaf.digest: i for i, leaf in enumerate(problem.unknowns)}
    place = sorted(range(len(found.unknowns)), key=lambda i: (names.get(found.unknowns[i].digest, len(names)), i))
    where = {old: new for new, old in enumerate(place)}
    linear = {(where[i], where[j]): row for (i, j), row in found.linear.items()}
    return Evolution(tuple(found.unknowns[i] for i in place), linear, tuple(found.nonlinear[i] for i in place))


def _as_written(problem: Problem) -> dict[Scalar, Scalar]:
    """Right sides of equations of the form `u_t == …`."""
    time, written = problem.time, {}
    for e in problem.equations:
        left: Any = e.lhs
        if isinstance(left, Apply) and left.op is Op.DERIVATIVE and left.attr == (time,) and not left.shape:
            leaf = scalar_leaf(left)  # type: ignore[arg-type]
            if leaf is not None and not any(is_unknown(a) and time in multi_index(a) for a in atoms(e.rhs)):
                written[leaf] = e.rhs
    return written


def _apart(found: Evolution, i: int) -> tuple[Scalar, tuple[tuple[int, Scalar], ...]]:
    """Component i: what remains, and its own derivatives with constant coefficients."""
    own, others = [], [found.nonlinear[i]]
    for j in range(len(found.unknowns)):
        for atom, coefficient in found.linear.get((i, j), {}).items():
            is_constant = all(isinstance(a, Parameter) for a in atoms(coefficient))
            if i == j and is_constant and multi_index(atom):
                own.append((len(multi_index(atom)), coefficient))
            else:
                others.append(product(coefficient, atom))
    return total(others), tuple(own)

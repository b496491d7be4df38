r"""The published algorithm: grid values, kernels and precisions ascend one log joint density by Adam.

$\log p = -\tfrac12\log|K| - \tfrac12 u^TK^{-1}u + \lambda\left(\tfrac{N_b}2\log\tau - \tfrac\tau2|u_b - g|^2\right)
+ \tfrac{N_c}2\log v - \tfrac v2|e(u)|^2$ with $K = K_1 \otimes \cdots \otimes K_d$, derivatives $K_k^{(p)}K_k^{-1}u$
along each axis, and the equation's residual e at every node, faces included. Weights are optimised in their logarithm,
which is the Jeffreys prior that prunes them.
Source: Fang et al., ICLR 2024, arXiv:2311.04465, and its published code.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from sciml.conditions import ConditionKind
from sciml.errors import OptionError
from sciml.expr.evaluation import evaluate
from sciml.expr.nodes import Scalar
from sciml.expr.traverse import atoms, is_unknown
from sciml.galerkin.separable import derivative_orders
from sciml.galerkin.statement import Statement
from sciml.known import Arguments, BoundLaws, known_values
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import Estimate, Solution, Stats
from sciml.solver import AbstractSolver, Run
from solvers.gp.features import Line
from solvers.gp.representation import KroneckerMean
from solvers.gp.shapes import AbstractShape, KernelSections, StudentT
from solvers.gp.support import reasons

_CHUNK = 50


@final
class AxisKernel(eqx.Module):
    """Trainable spectrum of one axis: Q lines.

    Attributes:
        log_weights: $\\log w_q$.
        log_rates: logarithm of what the shape calls the inverse width, see `AbstractShape.length_of_rate`.
        frequencies: cycles per unit length; the sign is free.
    """

    log_weights: jax.Array
    log_rates: jax.Array
    frequencies: jax.Array

    def derivatives(self, shape: AbstractShape, lags: jax.Array, order: int) -> list[jax.Array]:
        """The mixture and its derivatives at lags `(m,)`."""
        column = (slice(None), None)
        line = Line(
            2 * jnp.pi * self.frequencies[column],
            shape.length_of_rate(jnp.exp(self.log_rates))[column],
            jnp.exp(self.log_weights)[column],
        )
        return [jnp.sum(k, axis=0) for k in shape.kernel((line,)).derivatives(lags[None, :], order)]

    def lines(self, shape: AbstractShape) -> tuple[Line, ...]:
        """The learned spectrum."""
        lengths = np.asarray(shape.length_of_rate(jnp.exp(self.log_rates)))
        rows = zip(np.abs(np.asarray(self.frequencies)), lengths, np.exp(self.log_weights), strict=True)
        return tuple(Line(2 * np.pi * float(m), float(length), float(w)) for m, length, w in rows)


@final
class State(eqx.Module):
    """Everything that Adam moves."""

    values: jax.Array
    kernels: tuple[AxisKernel, ...]
    log_tau: jax.Array
    log_v: jax.Array


@final
@dataclass(frozen=True)
class AdamGP(AbstractSolver):
    """The gradient-descent fit of the published method, for comparison with `KroneckerGP`'s direct algebra.

    Solves one equation of one field on a box of at most three axes with values given on faces. It needs 1e5 and more
    steps where the direct algebra needs one, and frequencies that bracket those of the solution.

    Source: Fang et al., ICLR 2024, arXiv:2311.04465.

    Args:
        shape: of the lines.
        nodes: along each axis, both ends included.
        num_lines: Q.
        highest: largest initial frequency, in cycles per unit length.
        boundary_weight: λ.
        jitter: added to the diagonal of each axis's covariance.
        learning_rate: Adam's.
        steps: of Adam.
    """

    shape: AbstractShape = field(default_factory=StudentT)
    nodes: int = 400
    num_lines: int = 30
    highest: float = 20.0
    boundary_weight: float = 200.0
    jitter: float = 1e-6
    learning_rate: float = 0.01
    steps: int = 100_000

    def __post_init__(self) -> None:
        for name in ("nodes", "num_lines", "steps"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise OptionError(f"{name}={getattr(self, name)!r}", "a positive integer", "change it")
        for name in ("highest", "boundary_weight", "jitter", "learning_rate"):
            if not getattr(self, name) > 0:
                raise OptionError(f"{name}={getattr(self, name)!r}", "a positive number", "change it")

    def check(self, problem: Problem) -> list[str]:
        found = list(reasons(problem, self.shape, as_many_conditions_as_derivatives=False))
        if not found and problem.domain.periodic:
            found.append("it needs a box without periodic axes")
        for c in problem.placed_conditions if not found else ():
            if c.kind not in (ConditionKind.DIRICHLET, ConditionKind.INITIAL):
                found.append(f"it needs values of u on faces, not `{c.residual!r} == 0` on {c.place}")
        return found

    def run(self, problem: Problem, run: Run) -> Solution:
        started = time.perf_counter()
        statement = Statement(problem)
        grids = tuple(jnp.linspace(*statement.bounds(k), self.nodes) for k in range(len(statement.axes)))
        objective = Objective(self, statement, grids)
        optimiser = optax.adam(self.learning_rate)
        state = initial_state(self, len(grids))
        carry, losses, result = (state, optimiser.init(eqx.filter(state, eqx.is_array))), [], RESULTS.successful
        done = 0
        while done < self.steps:
            count = min(_CHUNK, self.steps - done)
            new, chunk = _advance(objective.loss, optimiser, carry, problem.arguments, count)
            losses.append(np.asarray(chunk))
            done += count
            if not np.isfinite(losses[-1]).all():
                result = RESULTS.nonfinite
                break
            carry = new
            if run.callback is not None and run.callback(carry[0]):
                result = RESULTS.interrupted
                break
            if run.is_over and done < self.steps:
                result = RESULTS.budget_exhausted
                break
        loss = np.concatenate(losses)
        return Solution(
            problem,
            repr(self),
            posterior_mean(self, statement, grids, carry[0]),
            result,
            {name: Estimate(p.value) for name, p in problem.parameters.items() if p.value is not None},
            Stats(solve=time.perf_counter() - started, iterations=done, unknowns=int(carry[0].values.size)),
            {"step": np.arange(loss.size), "loss": loss},
        )


def initial_state(solver: AdamGP, dimension: int) -> State:
    """Zero values; equal weights, unit rates, and frequencies equally spaced from zero."""
    q = solver.num_lines
    axis = AxisKernel(jnp.full(q, -jnp.log(q)), jnp.zeros(q), jnp.linspace(0, 1, q) * solver.highest)
    return State(jnp.zeros((solver.nodes,) * dimension), (axis,) * dimension, jnp.zeros(()), jnp.zeros(()))


@eqx.filter_jit
def _advance(
    loss: Any, optimiser: optax.GradientTransformation, carry: tuple[State, Any], arguments: Arguments, count: int
) -> tuple[tuple[State, Any], jax.Array]:
    def step(carry: tuple[State, Any], _: None) -> tuple[tuple[State, Any], jax.Array]:
        state, memory = carry
        value, slope = jax.value_and_grad(loss)(state, arguments)
        updates, memory = optimiser.update(slope, memory)
        return (optax.apply_updates(state, updates), memory), value  # type: ignore[return-value]

    return jax.lax.scan(step, carry, None, length=count)


@final
@dataclass(frozen=True, eq=False)
class Objective:
    """The negative log joint density on a grid of equal steps.

    Attributes:
        solver: hyperparameters.
        statement: the problem.
        grids: nodes of each axis.
    """

    solver: AdamGP
    statement: Statement
    grids: tuple[jax.Array, ...]

    def loss(self, state: State, arguments: Arguments) -> jax.Array:
        """$-\\log p$ of a state."""
        n, u = self.solver.nodes, state.values
        tables = [self._covariances(k, kernel) for k, kernel in enumerate(state.kernels)]
        identity = self.solver.jitter * jnp.eye(n)
        whole = [table[0] + identity for table in tables]
        others = u.size // n
        prior = -0.5 * others * sum(jnp.linalg.slogdet(K)[1] for K in whole)
        solved = u
        for k, K in enumerate(whole):
            solved = _along(lambda v, K=K: jnp.linalg.solve(K, v), solved, k)
        prior -= 0.5 * jnp.sum(u * solved)
        jets = {a: self._derivative(a, u, tables, whole) for a in self.statement.unknown_atoms}
        residual = self._evaluate((self.statement.residual,), arguments, jets)[0]
        misfits = [self._misfit(f, u, arguments) for f in self.statement.faces]
        count = sum(m.size for m in misfits)
        boundary = count / 2 * state.log_tau - jnp.exp(state.log_tau) / 2 * sum(jnp.sum(m**2) for m in misfits)
        equation = u.size / 2 * state.log_v - jnp.exp(state.log_v) / 2 * jnp.sum(
            jnp.broadcast_to(residual, u.shape) ** 2
        )
        return -(prior + self.solver.boundary_weight * boundary + equation)

    def _covariances(self, axis: int, kernel: AxisKernel) -> list[jax.Array]:
        """$K, K', \\dots$ along an axis; of the lag alone, so evaluated once for each."""
        n = self.solver.nodes
        step = self.grids[axis][1] - self.grids[axis][0]
        lags = step * jnp.arange(-(n - 1), n)
        index = np.arange(n)[:, None] - np.arange(n)[None, :] + n - 1
        return [v[index] for v in kernel.derivatives(self.solver.shape, lags, self.statement.orders[axis])]

    def _derivative(
        self, atom: Scalar, u: jax.Array, tables: Sequence[list[jax.Array]], whole: Sequence[jax.Array]
    ) -> jax.Array:
        for k, order in enumerate(derivative_orders(atom, self.statement.axes)):
            if order:
                table, K = tables[k][order], whole[k]
                u = _along(lambda v, t=table, K=K: t @ jnp.linalg.solve(K, v), u, k)
        return u

    def _misfit(self, face: Any, u: jax.Array, arguments: Arguments) -> jax.Array:
        end = 0 if face.row.position == self.statement.bounds(face.axis)[0] else -1
        there = [p[None, end] if k == face.axis else p for k, p in enumerate(self.grids)]
        data = self._evaluate((face.data,), arguments, {}, there)[0]
        value = jnp.take(u, jnp.array([end]), axis=face.axis)
        return face.row.coefficients[0] * value - data

    def _evaluate(
        self, es: Sequence[Scalar], arguments: Arguments, jets: Mapping[Any, jax.Array], grids: Any = None
    ) -> Any:
        d = len(self.grids)
        points = {
            x.name: jnp.reshape(p, [-1 if j == k else 1 for j in range(d)])
            for k, (x, p) in enumerate(zip(self.statement.axes, grids or self.grids, strict=True))
        }
        known = known_values([a for a in atoms(*es) if not is_unknown(a)], points, arguments)
        return evaluate(tuple(es), {**known, **jets}, BoundLaws(arguments.laws))


def _along(f: Any, values: jax.Array, axis: int) -> jax.Array:
    """A map of columns `(n, m)` applied along one axis."""
    front = jnp.moveaxis(values, axis, 0)
    return jnp.moveaxis(f(front.reshape(front.shape[0], -1)).reshape(front.shape), 0, axis)


def posterior_mean(solver: AdamGP, statement: Statement, grids: tuple[jax.Array, ...], state: State) -> KroneckerMean:
    """$K_* (K + \\text{jitter})^{-1} u$ along every axis."""
    coefficients = state.values
    features = []
    for k, (grid, axis) in enumerate(zip(grids, state.kernels, strict=True)):
        nodes = np.asarray(grid)
        sections = KernelSections(solver.shape.kernel(axis.lines(solver.shape)), nodes)
        K = jnp.asarray(sections.derivatives(nodes, 0)[0]) + solver.jitter * jnp.eye(nodes.size)
        coefficients = _along(lambda v, K=K: jnp.linalg.solve(K, v), coefficients, k)
        features.append(sections)
    names = tuple(x.name for x in statement.axes)
    unknown = repr(statement.problem.unknowns[0])
    return KroneckerMean(tuple(features), tuple(jnp.eye(g.size) for g in grids), coefficients, names, unknown)

"""ProblemFamily: a problem whose parameters and initial data are distributions, and the data that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.distributions import AbstractDistribution, AbstractInitialData, Around, UniformStates
from sciml.errors import OptionError, SolveError
from sciml.expr.coefficients import Cubic
from sciml.expr.fourier import fourier_sum
from sciml.expr.leaves import Coefficient
from sciml.expr.nodes import Coordinate, Expr, Scalar
from sciml.expr.text import text
from sciml.expr.tokens import number_words, tokens
from sciml.problem import Problem
from sciml.rates import Rates, right_hand_sides
from sciml.runge_kutta import flow
from sciml.trajectories import Trajectories

CELLS = 10
"""Cells along each parameter; a split takes whole cells."""
SEPARATOR = "|"
"""Word between the equations of a system."""
ROUNDS = 40
"""How often more draws are made in place of rejected ones."""
BATCH = 4096
"""Trajectories integrated at once."""
MOST_WAVES = 16
"""Initial data of no more waves are written as such, and interpolated otherwise."""


@final
class Split(Enum):
    """Disjoint parts of the parameter box: no number is drawn in two of them. The value lists residues of cells."""

    ALL = tuple(range(CELLS))
    TRAIN = tuple(range(CELLS - 2))
    VALIDATION = (CELLS - 2,)
    TEST = (CELLS - 1,)


@final
@dataclass(frozen=True, eq=False)
class ProblemFamily:
    r"""Problems of one form, with random numbers and random initial data.

    Args:
        template: the problem, with an unknown parameter for each distribution and any initial data; over time alone,
            or over time and one periodic coordinate. Fields with two time derivatives start at rest.
        parameters: distribution of each unknown parameter.
        initial: distribution of the initial data.
        samples: how many equidistant times a trajectory has, the ends of the domain included.
        substeps: Runge–Kutta steps between two of them.
        limit: trajectories that leave $|u|<$ limit are rejected.
        points: points of a periodic axis.
        refinement: how many times finer the axis is while integrating.
        summary: what it is, in a line.
        source: where it is from.

    Raises:
        OptionError: unknown parameters and distributions do not match.
        UnsupportedProblemError: the template is no evolution of this kind.
    """

    template: Problem
    parameters: Mapping[str, AbstractDistribution]
    initial: AbstractInitialData = field(default_factory=UniformStates)
    samples: int = 192
    substeps: int = 8
    limit: float = 1e3
    points: int = 128
    refinement: int = 1
    summary: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        unknown = {p.name for p in self.template.unknown_parameters}
        if unknown != set(self.parameters):
            raise OptionError(
                f"distributions of {', '.join(sorted(self.parameters)) or 'nothing'} in family {self.name}",
                f"one for each unknown parameter: {', '.join(sorted(unknown)) or 'none'}", "match the names",
            )  # fmt: skip

    @property
    def name(self) -> str:
        """The template's name."""
        return self.template.name

    @property
    def unknowns(self) -> tuple[Scalar, ...]:
        """The d scalar fields of the template."""
        return self.template.unknowns

    @property
    def time(self) -> Coordinate:
        """The time coordinate."""
        assert self.template.time is not None
        return self.template.time

    @property
    def centre(self) -> dict[str, float]:
        """Mean of each parameter."""
        return {name: d.mean for name, d in self.parameters.items()}

    @cached_property
    def right_hand_sides(self) -> tuple[Scalar, ...]:
        """Rates of all unknowns, velocities included, with the parameters as leaves."""
        return right_hand_sides(self.template)[1]

    @cached_property
    def rates(self) -> Rates:
        """The system to integrate, on the fine axis."""
        return Rates.of(self.template, self.points * self.refinement)

    @property
    def times(self) -> np.ndarray:
        """Sample times `(T,)`."""
        return np.linspace(*self.template.box.bounds[self.time.name], self.samples)

    @property
    def nodes(self) -> np.ndarray | None:
        """Points of the periodic axis `(m,)`, or None."""
        axis = self.rates.axis
        return None if axis is None else np.asarray(axis.nodes)[:: self.refinement]

    def widened(self, width: float) -> ProblemFamily:
        """The same family with every `Around` of another relative width."""
        made = {n: replace(d, width=width) if isinstance(d, Around) else d for n, d in self.parameters.items()}
        return replace(self, parameters=made)

    # words

    def words(self, parameters: Mapping[str, float] | None = None) -> list[str]:
        """Prefix words of all right-hand sides with `|` between them; with numbers, if given, else with names."""
        spelled = {name: number_words(float(value)) for name, value in (parameters or {}).items()}
        joined: list[str] = []
        for side in self.right_hand_sides:
            joined += [*([SEPARATOR] if joined else []), *tokens(side)]
        return [part for word in joined for part in spelled.get(word, [word])]

    # draws

    def sample(self, key: jax.Array, n: int, split: Split = Split.ALL) -> tuple[dict[str, jax.Array], jax.Array]:
        """Numbers and initial data of n problems.

        Returns:
            `{parameter: (n,)}`, and initial fields `(n, d)`, or `(n, d, m)` on the fine axis.
        """
        for_numbers, for_start = jax.random.split(key)
        axis = self.rates.axis
        angles = None if axis is None else 2 * jnp.pi * jnp.arange(axis.points) / axis.points
        start = self.initial.sample(for_start, n, len(self.unknowns), angles)
        return self._numbers(for_numbers, n, split), start

    def _numbers(self, key: jax.Array, n: int, split: Split) -> dict[str, jax.Array]:
        """Numbers whose cell belongs to the split."""
        pool = n if split is Split.ALL else 16 * n + 64
        for attempt in range(ROUNDS):
            keys = jax.random.split(jax.random.fold_in(key, attempt), max(len(self.parameters), 1))
            drawn = {
                name: d.sample(k, pool) for k, (name, d) in zip(keys, sorted(self.parameters.items()), strict=False)
            }
            if split is Split.ALL:
                return drawn
            kept = np.flatnonzero(np.isin(self.cells(drawn), split.value))[:n]
            if kept.size == n:
                return {name: value[kept] for name, value in drawn.items()}
        raise SolveError(f"too few numbers in split {split.name} of family {self.name}", "a box with more cells",
                         "widen its distributions")  # fmt: skip

    def cells(self, parameters: Mapping[str, Any]) -> np.ndarray:
        """Residue of the cell of each draw: sum over parameters of the cell along each, modulo `CELLS`."""
        total: Any = 0
        for name, d in self.parameters.items():
            low, high = d.bounds
            along = np.floor((np.asarray(parameters[name]) - low) / (high - low) * CELLS).astype(int)
            total = total + np.clip(along, 0, CELLS - 1)
        return np.asarray(total) % CELLS

    # one problem

    def problem(self, parameters: Mapping[str, float], initial: Any) -> Problem:
        """The problem of one draw: numbers in place, and initial conditions with the drawn data.

        Args:
            parameters: a number for each unknown parameter.
            initial: `(d,)`, or `(d, m)` at equidistant points from the lower end of the axis.
        """
        data = np.asarray(initial, float)
        start = self.template.box.at(**{self.time.name: float(self.times[0])})
        rates = self.rates.unknowns[len(self.unknowns) :]
        given = [(u == self._profile(i, data[i])).on(start) for i, u in enumerate(self.unknowns)]
        if rates:
            given += [c for c in self.template.conditions if self.time.name in text(c.equation.lhs)]
        numbers = {name: float(parameters[name]) for name in self.parameters}
        return self.template.replace(conditions=given, **numbers)

    def _profile(self, i: int, data: np.ndarray) -> Expr | float:
        if data.ndim == 0:
            return float(data)
        (x,) = self.template.space
        low, high = self.template.box.bounds[x.name]
        waves = fourier_sum(x, low, high - low, data, MOST_WAVES)
        if waves is not None:
            return waves
        nodes = np.linspace(low, high, data.size + 1)
        closed = np.append(data, data[0])
        return Coefficient(f"start_{i}", x, values=closed, points=(nodes,), interpolation=Cubic())

    # data

    def integrate(self, parameters: Mapping[str, Any], initial: Any, substeps: int | None = None) -> jax.Array:
        """Trajectories `(n, T, d)` or `(n, T, d, m)` from initial fields on the fine axis, whether bounded or not."""
        start = jnp.moveaxis(jnp.asarray(initial), 0, -1)
        velocities = len(self.rates.unknowns) - len(self.unknowns)
        if velocities:
            start = jnp.concatenate([start, jnp.zeros((velocities, *start.shape[1:]))])
        states = _flow(self.rates, jnp.asarray(self.times), start, dict(parameters), substeps or self.substeps)
        seen = states[:, : len(self.unknowns)]
        if self.rates.axis is not None:
            seen = seen[:, :, :: self.refinement]
        return jnp.moveaxis(seen, -1, 0)

    def trajectories(
        self, key: jax.Array, n: int, *, split: Split = Split.ALL, substeps: int | None = None
    ) -> Trajectories:
        """n bounded trajectories with their numbers.

        Args:
            key: PRNG key.
            n: how many.
            split: part of the parameter box to draw from.
            substeps: in place of the family's own.

        Raises:
            SolveError: almost all draws leave the bound.
        """
        parts: list[tuple[dict[str, np.ndarray], np.ndarray]] = []
        rejected, accepted = 0, 0
        for attempt in range(ROUNDS * max(n // BATCH, 1)):
            size = min(n, BATCH)
            numbers, start = self.sample(jax.random.fold_in(key, attempt), size, split)
            states = np.asarray(self.integrate(numbers, start, substeps))
            largest = np.max(np.abs(states), axis=tuple(range(1, states.ndim)))
            kept = np.flatnonzero(largest < self.limit)  # false for NaN
            rejected += size - kept.size
            kept = kept[: n - accepted]
            parts.append(({name: np.asarray(v)[kept] for name, v in numbers.items()}, states[kept]))
            accepted += kept.size
            if accepted == n:
                numbers = {name: np.concatenate([p[name] for p, _ in parts]) for name in self.parameters}
                states = np.concatenate([s for _, s in parts])
                return Trajectories(self.name, self.times, self.nodes, states, numbers, rejected)
        raise SolveError(f"{accepted} bounded trajectories of {n} in family {self.name}", "a family that mostly stays",
                         "raise limit, shorten the domain, or draw smaller initial data")  # fmt: skip

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name} {d}" for name, d in self.parameters.items())
        return f"ProblemFamily({self.name}: {numbers}; initial data {self.initial})"


_flow = eqx.filter_jit(flow)

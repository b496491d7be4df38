"""An evolution form on a periodic box, turned into a symbol over Fourier modes and a function on a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sciml.expr.evaluation import evaluate
from sciml.expr.evolution import Evolution
from sciml.expr.frames import fingerprint
from sciml.expr.nodes import Constant, Coordinate, Scalar
from sciml.expr.reduce import difference, is_number, product, total
from sciml.expr.traverse import atoms, coordinates_of, multi_index, scalar_leaf
from sciml.known import Arguments, BoundLaws, known_values
from sciml.pointwise import ByDigest
from solvers.classical import fourier
from solvers.classical.marching import Semilinear

Complex = NDArray[np.complex128]

_SAMPLES = 64


@final
@dataclass(frozen=True)
class Period:
    """One spatial axis as the Fourier series sees it.

    Args:
        axis: its coordinate.
        origin: where the period starts.
        length: the period; twice the box for an axis continued by parity.
        parities: parity of each unknown about both ends of the box, or None for an axis that is periodic itself.
    """

    axis: Coordinate
    origin: float
    length: float
    parities: tuple[int, ...] | None = None


@final
@dataclass(frozen=True)
class ConstantPart:
    """u_t = L u + N with L of constant coefficients, and all else in N.

    Args:
        unknowns: the scalar fields, in order.
        symbol_terms: (row, column, derivative counts along the axes, number) of every term of L.
        rates: N, one lowered scalar for each unknown.
    """

    unknowns: tuple[Scalar, ...]
    symbol_terms: tuple[tuple[int, int, tuple[int, ...], float], ...]
    rates: tuple[Scalar, ...]

    @property
    def is_coupled(self) -> bool:
        """Whether L has entries off the diagonal."""
        return any(i != j for i, j, _, _ in self.symbol_terms)

    @property
    def order(self) -> int:
        """Highest derivative in L."""
        return max((sum(counts) for _, _, counts, _ in self.symbol_terms), default=0)


def constant_part(
    form: Evolution,
    axes: Sequence[Coordinate],
    intervals: Mapping[str, tuple[float, float]],
    arguments: Arguments,
) -> ConstantPart:
    """Split off the constant-coefficient part; of a coefficient that varies, the middle of its range is taken.

    With the middle of the range in L, what stays explicit of a diffusion that does not change sign is at most as large
    as what is implicit, so that the splitting stays stable at any step.
    """
    terms: list[tuple[int, int, tuple[int, ...], float]] = []
    rates = list(form.nonlinear)
    for (i, j), row in form.linear.items():
        for atom, coefficient in row.items():
            low, high = _range(coefficient, intervals, arguments)
            middle = (low + high) / 2
            if middle != 0.0:
                terms.append((i, j, derivative_counts(atom, axes), middle))
            if coordinates_of(coefficient):
                rest = difference(coefficient, Constant(middle))
                rates[i] = total([rates[i], product(rest, atom)])
    return ConstantPart(form.unknowns, tuple(terms), tuple(rates))


def _range(
    coefficient: Scalar, intervals: Mapping[str, tuple[float, float]], arguments: Arguments
) -> tuple[float, float]:
    names = [x.name for x in coordinates_of(coefficient)]
    mesh = np.meshgrid(*(np.linspace(*intervals[name], _SAMPLES) for name in names), indexing="ij", sparse=True)
    known = known_values(atoms(coefficient), dict(zip(names, mesh, strict=True)), arguments)
    values = np.asarray(evaluate(coefficient, known), dtype=np.float64)
    return float(values.min()), float(values.max())


def derivative_counts(atom: Scalar, axes: Sequence[Coordinate]) -> tuple[int, ...]:
    """How often an atom is differentiated along each axis."""
    along = multi_index(atom)
    return tuple(sum(x.digest == axis.digest for x in along) for axis in axes)


def symbol(part: ConstantPart, cutoffs: Sequence[int], lengths: Sequence[float]) -> Complex:
    """L over the kept modes: shape (fields, modes...), or (modes..., fields, fields) if the fields are coupled."""
    waves = fourier.wavenumbers(cutoffs, lengths)
    count = len(part.unknowns)
    matrices = np.zeros((count, count, *np.broadcast_shapes(*(k.shape for k in waves))), dtype=np.complex128)
    for i, j, powers, number in part.symbol_terms:
        factor: Any = number
        for k, power in zip(waves, powers, strict=True):
            factor = factor * (1j * k) ** power
        matrices[i, j] += factor
    if part.is_coupled:
        return np.moveaxis(matrices, (0, 1), (-2, -1))
    return np.stack([matrices[i, i] for i in range(count)])


@final
class RateArguments(NamedTuple):
    """Numbers that `FourierRates` reads: i k along each axis, grid coordinates by name, and what the problem gives."""

    waves: tuple[jax.Array, ...]
    grid: dict[str, jax.Array]
    given: Arguments


@final
@dataclass(frozen=True, eq=False)
class FourierRates(ByDigest):
    """N(t, u) on Fourier modes: derivatives by wavenumbers, products on a grid that does not alias the kept modes.

    Hashable by structure: two equal problems at equal resolution share one compiled program.
    """

    rates: tuple[Scalar, ...]
    unknowns: tuple[Scalar, ...]
    derivatives: tuple[tuple[Scalar, int, tuple[int, ...]], ...]
    known: tuple[Scalar, ...]
    time: str
    points: tuple[int, ...]
    cutoffs: tuple[int, ...]

    @property
    def digest(self) -> bytes:
        mine = (self.rates, self.unknowns, self.derivatives, self.known, self.time, self.points, self.cutoffs)
        return fingerprint(*mine)

    def __call__(self, time: jax.Array, state: jax.Array, arguments: RateArguments) -> jax.Array:
        if all(is_number(rate, 0) for rate in self.rates):
            return jnp.zeros_like(state)
        values = known_values(self.known, {**arguments.grid, self.time: time}, arguments.given)
        if self.derivatives:
            values |= self._fields(state, arguments.waves)
        rates = evaluate(self.rates, values, BoundLaws(arguments.given.laws))
        grid = jnp.stack([jnp.broadcast_to(rate, self.points) for rate in rates]).astype(jnp.float64)
        return fourier.from_grid(grid, self.cutoffs)

    def _fields(self, state: jax.Array, waves: tuple[jax.Array, ...]) -> dict[Scalar, jax.Array]:
        spectra = []
        for _, index, counts in self.derivatives:
            spectrum = state[index]
            for wave, count in zip(waves, counts, strict=True):
                spectrum = spectrum * wave**count if count else spectrum
            spectra.append(spectrum)
        grids = fourier.to_grid(jnp.stack(spectra), self.points)
        return {atom: grids[position] for position, (atom, _, _) in enumerate(self.derivatives)}


def semilinear(
    part: ConstantPart,
    periods: Sequence[Period],
    time: Coordinate,
    points: Sequence[int],
    given: Arguments,
    *,
    dealias: bool,
) -> Semilinear:
    """The system over the modes that a grid of `points` resolves."""
    axes = [period.axis for period in periods]
    lengths = [period.length for period in periods]
    cutoffs = tuple(fourier.cutoff(count, dealias=dealias) for count in points)
    needed = atoms(*part.rates)
    derivatives = tuple(
        (atom, part.unknowns.index(leaf), derivative_counts(atom, axes))
        for atom in needed
        if (leaf := scalar_leaf(atom)) is not None
    )
    known = tuple(atom for atom in needed if scalar_leaf(atom) is None)
    rates = FourierRates(part.rates, part.unknowns, derivatives, known, time.name, tuple(points), cutoffs)
    grid = fourier.grid_points(points, lengths, [period.origin for period in periods])
    arguments = RateArguments(
        tuple(jnp.asarray(1j * k) for k in fourier.wavenumbers(cutoffs, lengths)),
        {axis.name: jnp.asarray(values) for axis, values in zip(axes, grid, strict=True)},
        given,
    )
    return Semilinear(symbol(part, cutoffs, lengths), rates, arguments, part.is_coupled)

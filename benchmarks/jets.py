"""Ways to the derivatives of a network, timed: why `sciml.jets` does what it does. Run as `python -m benchmarks.jets`.

Every row is a set of derivatives that an equation needs, every column a scheme; each figure is the median of several
runs at a batch of points in double precision, of the values, and of the gradients of a point residual in the weights
(the rows of a Jacobian, which is where training spends its time).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from statistics import median

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.jet import jet
from jaxtyping import Array, PyTree

from sciml.jets import Index, derivatives
from solvers.pinn import MLP

POINTS, RUNS = 2000, 7

Scheme = Callable[[PyTree, Mapping[str, Array], tuple[Index, ...]], dict[Index, Array]]
"""Weights, a point and derivative indices to the derivatives of the network's first output."""

CASES: dict[str, tuple[tuple[str, ...], tuple[Index, ...]]] = {
    "order 1: u_t, u_x": (("t", "x"), (("t",), ("x",))),
    "order 2: u_t, u_xx": (("t", "x"), (("t",), ("x", "x"))),
    "order 3: u_t, u_xxx": (("t", "x"), (("t",), ("x",) * 3)),
    "order 4: u_t, u_xxxx": (("t", "x"), (("t",), ("x",) * 4)),
    "mixed 4: biharmonic": (("x", "y"), (("x",) * 4, ("x", "x", "y", "y"), ("y",) * 4)),
    "Laplacian, d = 2": (("a", "b"), (("a",) * 2, ("b",) * 2)),
    "Laplacian, d = 5": (tuple("abcde"), tuple((name,) * 2 for name in "abcde")),
    "Laplacian, d = 10": (tuple("abcdefghij"), tuple((name,) * 2 for name in "abcdefghij")),
}

NETWORK = MLP(width=32, depth=3)


def prefix_shared(weights: PyTree, point: Mapping[str, Array], indices: tuple[Index, ...]) -> dict[Index, Array]:
    """What the library does."""

    def fields(p: Mapping[str, Array]) -> dict[str, Array]:
        return {"u": NETWORK(weights, jnp.stack(list(p.values())))[0]}

    found = derivatives(fields, indices, point)
    return {index: found[index]["u"] for index in indices}


def nested(weights: PyTree, point: Mapping[str, Array], indices: tuple[Index, ...]) -> dict[Index, Array]:
    """Each derivative on its own, by nested `jvp`."""
    names = list(point)

    def along(f: Callable[[Array], Array], name: str) -> Callable[[Array], Array]:
        axis = jnp.asarray([float(other == name) for other in names])
        return lambda z: jax.jvp(f, (z,), (axis,))[1]

    def derivative(index: Index) -> Array:
        f = _network(weights)
        for name in index:
            f = along(f, name)
        return f(jnp.stack(list(point.values())))

    return {index: derivative(index) for index in indices}


def taylor(weights: PyTree, point: Mapping[str, Array], indices: tuple[Index, ...]) -> dict[Index, Array]:
    """`jax.experimental.jet` along each axis; mixed fourth derivatives by polarisation."""
    names, z = list(point), jnp.stack(list(point.values()))

    def power(direction: Array, order: int) -> Array:
        series = [direction, *[jnp.zeros_like(direction)] * (order - 1)]
        return jet(_network(weights), (z,), (series,))[1][order - 1]

    def derivative(index: Index) -> Array:
        axes = [jnp.asarray([float(other == name) for other in names]) for name in sorted(set(index))]
        if len(axes) == 1:
            return power(axes[0], len(index))
        x, y = axes
        return (power(x + y, 4) + power(x - y, 4) - 2 * power(x, 4) - 2 * power(y, 4)) / 12

    return {index: derivative(index) for index in indices}


def forward_laplacian(weights: PyTree, point: Mapping[str, Array], indices: tuple[Index, ...]) -> dict[Index, Array]:
    """Value, gradient and Laplacian pushed through the layers together; only the sum of second derivatives.

    Reference: R. Li et al., "A computational framework for neural network-based variational Monte Carlo with forward
    Laplacian" (2024), doi:10.1038/s42256-024-00794-x.
    """
    *hidden, (last, _) = weights
    z = jnp.stack(list(point.values()))
    slope, laplacian = jnp.eye(z.size), jnp.zeros_like(z)
    for matrix, bias in hidden:
        slope, laplacian = matrix @ slope, matrix @ laplacian
        z = jnp.tanh(matrix @ z + bias)
        first = 1 - z**2
        laplacian = first * laplacian - 2 * z * first * jnp.sum(slope**2, axis=1)
        slope = first[:, None] * slope
    return {("sum",): (last @ laplacian)[0]}


def _network(weights: PyTree) -> Callable[[Array], Array]:
    return lambda z: NETWORK(weights, z)[0]


SCHEMES: dict[str, Scheme] = {
    "prefix-shared": prefix_shared,
    "nested jvp": nested,
    "jet": taylor,
    "forward Laplacian": forward_laplacian,
}


def measure(scheme: Scheme, names: tuple[str, ...], indices: tuple[Index, ...]) -> tuple[float, float, float]:
    """Milliseconds of the values and of the rows of the Jacobian, and the sum of all derivatives as a check."""
    weights = NETWORK.init(jax.random.key(0), len(names), 1)
    points = {name: jax.random.uniform(jax.random.key(k), (POINTS,)) for k, name in enumerate(names)}

    def residual(w: PyTree, p: Mapping[str, Array]) -> Array:
        return sum(scheme(w, p, indices).values(), jnp.zeros(()))

    values = jax.jit(lambda w: jax.vmap(lambda p: residual(w, p))(points))
    rows = jax.jit(lambda w: jax.vmap(lambda p: jax.grad(residual)(w, p))(points))
    return _milliseconds(values, weights), _milliseconds(rows, weights), float(jnp.sum(values(weights)))


def _milliseconds(function: Callable[[PyTree], PyTree], weights: PyTree) -> float:
    jax.block_until_ready(function(weights))
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        jax.block_until_ready(function(weights))
        seconds.append(time.perf_counter() - start)
    return 1e3 * median(seconds)


def main() -> None:
    """Print the table as Markdown; schemes that disagree in the sum of the derivatives end the run."""
    write = sys.stdout.write
    write("| derivatives | " + " | ".join(f"{name}: value / row, ms" for name in SCHEMES) + " |\n")
    write("|---" * (1 + len(SCHEMES)) + "|\n")
    for case, (names, indices) in CASES.items():
        cells, checks = [], []
        for name, scheme in SCHEMES.items():
            if name == "forward Laplacian" and not case.startswith("Laplacian"):
                cells.append("–")
                continue
            value, row, check = measure(scheme, names, indices)
            cells.append(f"{value:.1f} / {row:.1f}")
            checks.append(check)
        np.testing.assert_allclose(checks, checks[0], rtol=1e-8)
        write(f"| {case} | " + " | ".join(cells) + " |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

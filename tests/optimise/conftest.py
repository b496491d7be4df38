"""Least-squares problems with known answers, shared by the tests of the optimisers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from sciml.optimise import ResidualBlock


@dataclass(frozen=True)
class Case:
    """Weights to start from, a way to make the blocks on given points, and the model they train."""

    start: Any
    blocks: Callable[..., list[ResidualBlock]]
    model: Callable[..., Any]


def tanh_network(weights, x):
    return weights["last"] @ jnp.tanh(weights["slope"] * x + weights["shift"]) + weights["bias"]


def initial_network(width, seed=0):
    slope, shift, last = jax.random.split(jax.random.key(seed), 3)
    return {
        "slope": 3.0 * jax.random.normal(slope, (width,)),
        "shift": jax.random.normal(shift, (width,)),
        "last": 0.3 * jax.random.normal(last, (width,)),
        "bias": jnp.zeros(()),
    }


@pytest.fixture(scope="module")
def rosenbrock():
    """Two residuals that both vanish at (1, 1) only."""

    def residual(weights, point, args):
        x, y = weights["x"], weights["y"]
        return jnp.stack([10.0 * (y - x**2), 1.0 - x])

    return Case(
        start={"x": jnp.asarray(-1.2), "y": jnp.asarray(1.0)},
        blocks=lambda: [ResidualBlock("valley", residual, jnp.zeros(1))],
        model=residual,
    )


@pytest.fixture(scope="module")
def regression():
    """Fit sin(args x) on [-1, 1] by a network of one hidden layer."""

    def residual(weights, x, frequency):
        return tanh_network(weights, x) - jnp.sin(frequency * x)

    return Case(
        start=initial_network(12),
        blocks=lambda: [ResidualBlock("fit", residual, jnp.linspace(-1.0, 1.0, 60))],
        model=tanh_network,
    )


@pytest.fixture(scope="module")
def poisson():
    """-u'' = pi² sin(pi x) with u(0) = u(1) = 0 built in; the solution is sin(pi x)."""

    def model(weights, x):
        return x * (1 - x) * tanh_network(weights, x)

    def residual(weights, x, args):
        def slope(s):
            return jax.jvp(lambda r: model(weights, r), (s,), (1.0,))[1]

        return jax.jvp(slope, (x,), (1.0,))[1] + jnp.pi**2 * jnp.sin(jnp.pi * x)

    return Case(
        start=initial_network(10),
        blocks=lambda points: [ResidualBlock("equation", residual, points, scale=jnp.pi**2)],
        model=model,
    )

"""The Cole–Hopf quadrature against other ways to evaluate the same solution."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.special import ive

from pde_zoo import burgers
from pde_zoo.cole_hopf import ColeHopf
from sciml.statement import statement_residuals


def by_bessel_series(t: np.ndarray, x: np.ndarray, nu: float) -> np.ndarray:
    """u = -2ν φ_x/φ with φ by separation of variables: exp(-k cos πx) = I_0(k) + 2 Σ (-1)^n I_n(k) cos nπx."""
    k = 1 / (2 * np.pi * nu)
    n = np.arange(1, 60).reshape(-1, *[1] * t.ndim)
    amplitudes = 2 * (-1.0) ** n * ive(n, k) * np.exp(-((n * np.pi) ** 2) * nu * t)
    potential = ive(0, k) + np.sum(amplitudes * np.cos(n * np.pi * x), axis=0)
    slope = -np.sum(amplitudes * n * np.pi * np.sin(n * np.pi * x), axis=0)
    return -2 * nu * slope / potential


def by_trapezoid(t: float, x: float, nu: float) -> float:
    """The integrals over η by the trapezoidal rule, exponentially accurate for these integrands."""
    eta = np.linspace(-50, 50, 100_001) * np.sqrt(nu * t)
    exponent = -np.cos(np.pi * (x - eta)) / (2 * np.pi * nu) - eta**2 / (4 * nu * t)
    f = np.exp(exponent - exponent.max())
    return -float(np.sum(f * np.sin(np.pi * (x - eta))) / np.sum(f))


@pytest.mark.parametrize("nu", [0.05, 0.1, 0.3])
def test_against_the_bessel_series(nu: float) -> None:
    t, x = np.meshgrid(np.linspace(0.05, 1, 7), np.linspace(-1, 1, 41), indexing="ij")
    truth = ColeHopf(nu)
    values = np.asarray(truth({"t": t, "x": x})["u"])
    assert np.max(np.abs(values - by_bessel_series(t, x, nu))) < 1e-12 + 10 * truth.error
    assert truth.error < 1e-10


@pytest.mark.parametrize("nu", [0.01 / np.pi, 0.01])
def test_against_the_trapezoidal_rule_at_the_front(nu: float) -> None:
    t, x = np.meshgrid([0.1, 0.3, 0.5, 1.0], [-0.9, -0.1, -0.004, 0.0, 0.002, 0.02, 0.5], indexing="ij")
    values = np.asarray(ColeHopf(nu)({"t": t, "x": x})["u"])
    expected = np.vectorize(by_trapezoid)(t, x, nu)
    assert np.max(np.abs(values - expected)) < 1e-13


@pytest.mark.parametrize("nu", [1e-3, 0.01 / np.pi, 0.01])
def test_starts_from_the_initial_values_without_overflow(nu: float) -> None:
    x = np.linspace(-1, 1, 101)
    values = np.asarray(ColeHopf(nu)({"t": np.zeros_like(x), "x": x})["u"])
    assert np.max(np.abs(values + np.sin(np.pi * x))) < 1e-14


def test_states_an_error_at_rounding_where_it_converged_and_a_large_one_where_not() -> None:
    assert ColeHopf(0.01 / np.pi).error < 1e-14
    assert ColeHopf(0.01).error < 1e-14
    assert ColeHopf(1e-4).error > 1e-3


@pytest.mark.parametrize("nu", [0.01 / np.pi, 0.01])
def test_satisfies_the_statement(nu: float) -> None:
    problem = burgers(nu)
    residuals = statement_residuals(problem, problem.reference, jax.random.key(3), 64)
    assert max(r.relative for r in residuals.values()) < 1e-11

"""Truths satisfy the equations, boundary and initial conditions of their own problems."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import pde_zoo
from pde_zoo.catalogue import CASES
from sciml import Parameter, Problem, ProblemWarning
from sciml.reference import ComputedReference, ExactReference
from sciml.statement import statement_residuals

ROUNDING = 2e-12
"""Relative residual of a truth in closed form, up to four derivatives."""

PROBLEMS: dict[str, Problem] = {name: case.problem() for name, case in CASES.items()}
EXACT = [  # the truth of a problem with unknown numbers belongs to others than their first guess: see test_inverse.py
    name
    for name, problem in PROBLEMS.items()
    if isinstance(problem.reference, ExactReference) and not problem.unknown_parameters
]


def largest_residual(problem: Problem, n: int = 64) -> float:
    assert problem.reference is not None and not isinstance(problem.reference, ComputedReference)
    found = statement_residuals(problem, problem.reference, jax.random.key(7), n)
    assert len(found) >= len(problem.residuals) + 1
    return max(residual.relative for residual in found.values())


@pytest.mark.parametrize("name", EXACT)
def test_exact_solution_satisfies_its_statement(name: str) -> None:
    assert largest_residual(PROBLEMS[name], 32) < ROUNDING


CHANGED = [
    pde_zoo.advection(c=-3.0),
    pde_zoo.heat(kappa=0.3, dimensions=2),
    pde_zoo.fokker_planck(theta=0.5, diffusivity=2.0),
    pde_zoo.wave(c=0.7),
    pde_zoo.sine_gordon(omega=0.3),
    *(pde_zoo.poisson(d) for d in range(1, 7)),
    pde_zoo.harmonic(4),
    pde_zoo.multiscale_laplace((1, 3)),
    pde_zoo.helmholtz((2, 1, 3), k=5.0),
    pde_zoo.eikonal(0.02),
    pde_zoo.fisher_kpp(diffusivity=2.0, r=3.0),
    pde_zoo.ginzburg_landau_wave(q=1, alpha=0.3, beta=0.4),
    pde_zoo.taylor_green(nu=0.02),
    pde_zoo.black_scholes(sigma=0.2, r=0.01, strike=80.0, maturity=2.0),
    pde_zoo.elastodynamics(lame=0.5, shear=2.0, rho=3.0),
    pde_zoo.solitons(k1=1.2, k2=0.5),
    pde_zoo.burgers(nu=0.1),
]


@pytest.mark.parametrize("problem", CHANGED, ids=lambda p: p.name)
def test_truth_follows_the_arguments(problem: Problem) -> None:
    assert largest_residual(problem, 32) < ROUNDING


REPLACED = [
    (pde_zoo.advection, {"c": 2.5}),
    (pde_zoo.heat, {"kappa": 0.02}),
    (pde_zoo.burgers, {"nu": 0.02}),
    (pde_zoo.helmholtz, {"k": 3.0}),
    (pde_zoo.elastodynamics, {"rho": 2.0}),
]


@pytest.mark.parametrize(("build", "numbers"), REPLACED, ids=lambda v: getattr(v, "__name__", None))
def test_truth_follows_replaced_numbers(build, numbers) -> None:
    problem = build().replace(**numbers)
    assert problem == build(**numbers)
    assert largest_residual(problem, 32) < ROUNDING


@pytest.mark.parametrize("build", [pde_zoo.heat, pde_zoo.burgers, pde_zoo.wave])
def test_forgetting_a_number_keeps_the_truth_that_it_made(build) -> None:
    problem = build()
    (name,) = problem.parameters
    points = {x: np.array([0.3]) for x in problem.domain.frame.names}
    forgotten = problem.forget(name)
    assert [p.name for p in forgotten.unknown_parameters] == [name]
    assert forgotten.reference(points) == problem.reference(points)


@pytest.mark.parametrize("build", [pde_zoo.heat, pde_zoo.burgers, pde_zoo.wave, pde_zoo.taylor_green])
def test_unknown_number_leaves_no_truth(build) -> None:
    (name,) = build().parameters
    unknown = build(**{name: Parameter(name, positive=True, init=0.1)})
    assert unknown.reference is None
    assert [p.name for p in unknown.unknown_parameters] == [name]


def test_square_root_of_the_companion_is_a_truth_of_the_diffusion_problem() -> None:
    recipe = pde_zoo.nonlinear_diffusion(alpha=0.1).reference
    assert isinstance(recipe, ComputedReference) and recipe.instead is not None and recipe.back is not None
    assert recipe.instead.parameters["alpha"].value == 0.1
    assert recipe.back({"w": np.array([4.0, -1e-20])})["u"].tolist() == [2.0, 0.0]
    with pytest.warns(ProblemWarning, match="a jump of 0.00913"):
        changed = pde_zoo.nonlinear_diffusion().replace(alpha=0.1).reference
    assert isinstance(changed, ComputedReference) and changed.instead == recipe.instead


@pytest.mark.accuracy
@pytest.mark.parametrize("name", [n for n, p in PROBLEMS.items() if isinstance(p.reference, ComputedReference)])
def test_computed_truths_reach_their_accuracy(name: str, tmp_path) -> None:
    from sciml.cli import LIBRARY
    from sciml.reference_cache import compute_reference

    problem = PROBLEMS[name]
    truth = compute_reference(problem, problem.reference, CASES[name].grid(problem), LIBRARY.make_solver, tmp_path)
    assert 0 < truth.error < 1e-3

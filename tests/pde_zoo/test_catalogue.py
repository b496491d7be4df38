"""Every case builds, has a test grid, and says where its published numbers come from."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

import pde_zoo
from pde_zoo.catalogue import CASES
from sciml.cli import LIBRARY
from sciml.errors import OptionError
from sciml.reference import ComputedReference

NAMES_USED_BY_OTHERS = [
    *(f"gp_hm/{name}" for name in ("u1", "u2", "u3", "u4", "u5", "u6", "u7", "a1", "a2", "a3", "advection")),
    *(
        f"pig/{name}"
        for name in (
            "helmholtz", "helmholtz_10_10", "klein_gordon", "flow_mixing", "nonlinear_diffusion", "allen_cahn",
        )
    ),
    *(
        f"records/{name}"
        for name in (
            "burgers", "burgers_nu_0.01", "allen_cahn", "kdv", "kuramoto_sivashinsky", "wave", "multiscale_laplace",
            "poisson_5d", "poisson_10d", "helmholtz_4_4", "cavity_re100",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES_USED_BY_OTHERS)
def test_names_that_others_use_exist(name: str) -> None:
    assert CASES[name].name == name


def test_every_function_of_the_zoo_is_a_case() -> None:
    builders = {name for name in pde_zoo.__all__ if name != "manufactured"}
    assert builders <= {name for name in CASES if "/" not in name}


@pytest.mark.parametrize("name", CASES)
def test_case_builds_with_its_grid_and_summary(name: str) -> None:
    case = CASES[name]
    problem = case.problem()
    assert problem.name == name
    assert problem.reference is not None
    grid = case.grid(problem)
    assert set(grid.points()) == set(problem.domain.frame.names)
    assert bool(np.all(problem.domain.contains(grid.points())))
    assert math.isclose(float(grid.quadrature().sum()), problem.domain.volume, rel_tol=1e-12)
    assert case.summary.endswith((".", "exact."))
    assert set(case.values) <= set(inspect.signature(case.build).parameters)


@pytest.mark.parametrize("name", CASES)
def test_documentation_states_the_truth(name: str) -> None:
    documentation = CASES[name].build.__doc__ or ""
    assert "Truth:" in documentation or documentation.split("\n")[0].endswith("exact.")


@pytest.mark.parametrize("name", [name for name in CASES if "/" in name])
def test_published_numbers_name_their_source(name: str) -> None:
    for published in CASES[name].published:
        assert any(word in published.source for word in ("(read)", "second-hand", "(measured)"))
        assert published.error > 0 or (math.isnan(published.error) and published.note)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if isinstance(c.problem().reference, ComputedReference)])
def test_recipe_names_a_solver_that_accepts_the_problem(name: str) -> None:
    problem = CASES[name].problem()
    recipe = problem.reference
    assert isinstance(recipe, ComputedReference)
    assert recipe.fine != recipe.coarse
    for options in (recipe.fine, recipe.coarse):
        assert LIBRARY.make_solver(recipe.solver, options).check(recipe.instead or problem) == []


def test_unknown_case_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(OptionError, match="perhaps burgers"):
        LIBRARY.case("burger")


def test_unknown_value_is_refused() -> None:
    with pytest.raises(OptionError, match="value 'mu' for case burgers"):
        CASES["burgers"].problem(mu=1.0)


def test_values_of_a_case_change_the_problem() -> None:
    assert CASES["burgers"].problem(nu=0.1) == pde_zoo.burgers(nu=0.1)
    assert CASES["records/helmholtz_4_4"].problem() == pde_zoo.helmholtz((4, 4))


def test_variants_under_one_name_differ() -> None:
    contents = [CASES[f"records/{name}"].problem().content for name in ("burgers", "burgers_nu_0.01")]
    assert contents[0] != contents[1]

"""Computed truths: two resolutions, their difference as error, kept on disk and recomputed when damaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml import Box, ComputedReference, Field, Parameter, Problem, coordinates, pi, sin, uniform_grid
from sciml.errors import DomainError, SolveError
from sciml.reference_cache import TabulatedReference, compute_reference, default_cache
from sciml.results import RESULTS
from sciml.solution import AbstractRepresentation, Solution
from sciml.solver import AbstractSolver, Run

RECIPE = ComputedReference("toy", {"h": 0.01}, {"h": 0.1})


@final
class Bump(AbstractRepresentation):
    """(1 + h²) x(1 - x): wrong by h²."""

    h: float

    def __call__(self, points: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
        return {"u": (1 + self.h**2) * points["x"] * (1 - points["x"])}


@final
@dataclass(frozen=True)
class Toy(AbstractSolver):
    h: float
    result: RESULTS = RESULTS.successful

    def check(self, problem: Problem) -> list[str]:
        return []

    def run(self, problem: Problem, run: Run) -> Solution:
        return Solution(problem, repr(self), Bump(self.h), self.result)


class Workshop:
    """Makes toy solvers and counts them."""

    def __init__(self, fine: RESULTS = RESULTS.successful, coarse: RESULTS = RESULTS.successful):
        self.made = 0
        self.results = (fine, coarse)

    def __call__(self, name: str, options: dict[str, Any]) -> AbstractSolver:
        assert name == "toy"
        self.made += 1
        return Toy(**options, result=self.results[(self.made - 1) % 2])


def problem(load: float = 2.0) -> Problem:
    (x,) = coordinates("x")
    u = Field("u", x)
    domain = Box({x: (0, 1)})
    force = Parameter("force", load)
    return Problem([-u.dxx == force], domain, [(u == 0).on(domain.boundary)], reference=RECIPE, name="toy")


GRID = uniform_grid(problem().box, 11)


def test_error_is_the_difference_of_the_two_resolutions(tmp_path: Path) -> None:
    truth = compute_reference(problem(), RECIPE, GRID, Workshop(), tmp_path)
    x = np.linspace(0, 1, 11)
    assert np.allclose(truth({"x": x})["u"], (1 + 1e-4) * x * (1 - x), rtol=1e-15)
    assert truth.error == pytest.approx((1e-2 - 1e-4) / (1 + 1e-4))
    assert truth.kind == "computed" and truth.source == "toy(h=0.01) against (h=0.1)"


def test_is_computed_once(tmp_path: Path) -> None:
    workshop = Workshop()
    first, second = (compute_reference(problem(), RECIPE, GRID, workshop, tmp_path) for _ in range(2))
    assert workshop.made == 2
    assert second.error == first.error
    assert np.array_equal(second.values["u"], first.values["u"])


@pytest.mark.parametrize(
    ("other", "recipe", "grid"),
    [
        (problem(3.0), RECIPE, GRID),
        (problem(), ComputedReference("toy", {"h": 0.02}, {"h": 0.1}), GRID),
        (problem(), ComputedReference("toy", {"h": 0.01}, {"h": 0.2}), GRID),
        (problem(), RECIPE, uniform_grid(problem().box, 12)),
    ],
)
def test_anything_that_changes_the_truth_computes_it_again(other, recipe, grid, tmp_path: Path) -> None:
    workshop = Workshop()
    compute_reference(problem(), RECIPE, GRID, workshop, tmp_path)
    compute_reference(other, recipe, grid, workshop, tmp_path)
    assert workshop.made == 4


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def swap_for_text(path: Path) -> None:
    path.write_text("[1, 2, 3]")


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("damage", [cut, scribble, empty, swap_for_text, Path.unlink])
def test_damaged_files_are_recomputed(damage, suffix: str, tmp_path: Path) -> None:
    workshop = Workshop()
    good = compute_reference(problem(), RECIPE, GRID, workshop, tmp_path)
    (path,) = tmp_path.glob(f"*{suffix}")
    damage(path)
    again = compute_reference(problem(), RECIPE, GRID, workshop, tmp_path)
    assert workshop.made == 4
    assert np.array_equal(again.values["u"], good.values["u"]) and again.error == good.error
    compute_reference(problem(), RECIPE, GRID, workshop, tmp_path)
    assert workshop.made == 4


def test_leaves_no_temporary_files(tmp_path: Path) -> None:
    compute_reference(problem(), RECIPE, GRID, Workshop(), tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".npz"]


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    truth = compute_reference(problem(), RECIPE, GRID, Workshop(), tmp_path / "taken")
    assert truth.error > 0


def test_the_coarser_computation_may_miss_its_tolerance(tmp_path: Path) -> None:
    workshop = Workshop(coarse=RESULTS.under_resolved)
    assert compute_reference(problem(), RECIPE, GRID, workshop, tmp_path).error > 0
    with pytest.raises(SolveError, match="nonfinite from Toy"):
        compute_reference(problem(3.0), RECIPE, GRID, Workshop(coarse=RESULTS.nonfinite), tmp_path)


@pytest.mark.parametrize("result", [RESULTS.under_resolved, RESULTS.max_steps_reached])
def test_a_solver_that_misses_its_tolerance_gives_no_truth(result: RESULTS, tmp_path: Path) -> None:
    with pytest.raises(SolveError, match=f"{result.name} from Toy"):
        compute_reference(problem(), RECIPE, GRID, Workshop(result), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_truth_of_an_equivalent_problem_is_mapped_back(tmp_path: Path) -> None:
    (x,) = coordinates("x")
    square = Field("square", x)
    domain = Box({x: (0, 1)})
    easier = Problem([-square.dxx == sin(pi * x)], domain, [(square == 0).on(domain.boundary)])
    recipe = ComputedReference("toy", {"h": 0.01}, {"h": 0.1}, easier, lambda values: {"u": jnp.sqrt(values["u"])})
    truth = compute_reference(problem(), recipe, GRID, Workshop(), tmp_path)
    inside = np.linspace(0, 1, 11)
    assert np.allclose(truth({"x": inside})["u"], np.sqrt((1 + 1e-4) * inside * (1 - inside)))


def test_other_points_are_refused() -> None:
    truth = TabulatedReference({"x": np.array([0.0, 1.0])}, {"u": np.array([3.0, 4.0])}, 0.1, "by hand")
    assert truth({"x": np.array([[0.0], [1.0]])})["u"].tolist() == [[3.0], [4.0]]
    for other in ([0.0, 0.5], [0.0], [1.0, 0.0]):
        with pytest.raises(DomainError, match="tabulated at 2 points"):
            truth({"x": np.array(other)})


def test_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCIML_CACHE", str(tmp_path / "own"))
    assert default_cache() == tmp_path / "own"
    compute_reference(problem(), RECIPE, GRID, Workshop())
    assert len(list((tmp_path / "own").iterdir())) == 2
    monkeypatch.delenv("SCIML_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "sciml"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path.home() / ".cache" / "sciml"

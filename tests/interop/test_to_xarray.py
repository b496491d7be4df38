"""A dataset has the numbers of the solution, with coordinates, components and provenance."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import xarray

from sciml import Estimate, Solution, solve
from sciml.commands.library import load
from sciml.errors import DomainError

USER = Path(__file__).parents[1] / "user_file.py"


def solved(problem: str) -> Solution:
    return solve(load(f"{USER}:{problem}")(), load(f"{USER}:Exact")())


def test_a_scalar_field_has_the_dimensions_of_the_frame() -> None:
    solution = solved("decay")
    data = solution.to_xarray({"t": 3, "x": 5})
    assert data.u.dims == ("t", "x")
    np.testing.assert_array_equal(data.x, np.linspace(0, 1, 5))
    assert float(data.u.sel(t=0.5, x=0.25)) == pytest.approx(float(solution(t=0.5, x=0.25)))


def test_a_vector_has_a_dimension_of_components_and_a_period_no_last_point() -> None:
    solution = solved("swirl")
    data = solution.to_xarray(4)
    assert data.v.dims == ("v_component", "t", "x", "y")
    np.testing.assert_array_equal(data.x, [0, 0.25, 0.5, 0.75])
    expected = solution(t=1.0, x=0.25, y=0.5)["v"]
    np.testing.assert_allclose(data.v.sel(t=1.0, x=0.25, y=0.5), expected)


def test_uncertainty_and_estimates_come_along() -> None:
    solution = solved("decay")
    estimates = {"kappa": Estimate(0.1, 0.02)}
    solution = dataclasses.replace(solution, deviation=solution.representation, parameters=estimates)
    data = solution.to_xarray(3)
    np.testing.assert_array_equal(data.u_std, data.u)
    assert data.attrs["parameter_kappa"] == 0.1
    assert data.attrs["parameter_kappa_standard_error"] == 0.02


def test_attributes_say_what_was_solved_and_survive_a_file(tmp_path: Path) -> None:
    solution = solved("decay")
    data = solution.to_xarray(3)
    assert data.attrs["content"] == solution.problem.content.hex()
    assert data.attrs["equations"] == "D(u, t) == kappa*D(u, x, x)"
    assert data.attrs["result"] == "successful"
    data.to_netcdf(tmp_path / "u.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "u.nc", engine="h5netcdf") as read:
        xarray.testing.assert_identical(read.load(), data)


def test_one_point_is_no_grid() -> None:
    with pytest.raises(DomainError, match="at least 2"):
        solved("decay").to_xarray(1)

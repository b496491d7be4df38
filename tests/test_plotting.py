"""Figures show what they say: the drawn numbers are those of the solution, on scales that can be compared."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm
from PIL import Image

from sciml import Solution, solve, uniform_grid
from sciml.commands.library import load
from sciml.domains.grids import scattered_grid
from sciml.errors import DomainError, OptionError
from sciml.plotting import animate_solution, plot_comparison, plot_solution
from sciml.plotting.maps import error_scale, value_scale
from sciml.plotting.sections import cut_of_grid, loudest_point, section
from sciml.plotting.style import Picture, symbol

USER = Path(__file__).with_name("user_file.py")


def solved(problem: str, error: float = 1e-3) -> Solution:
    return solve(load(f"{USER}:{problem}")(), load(f"{USER}:Exact")(error=error))


@pytest.fixture(scope="module")
def decay() -> Solution:
    """One dimension and time, with a known truth."""
    return solved("decay")


@pytest.fixture(scope="module")
def swirl() -> Solution:
    """Two dimensions and time, two components, periodic."""
    return solved("swirl")


@pytest.fixture(scope="module")
def four_axes() -> Solution:
    """A steady problem of four coordinates; the fields are a product that is zero in the middle of the box."""
    import jax.numpy as jnp

    problem = load(f"{USER}:four_axes")()
    user = sys.modules["sciml_user_user_file"]

    def wave(points: Any) -> Any:
        return {"w": jnp.prod(jnp.stack([jnp.sin(2 * jnp.pi * p) for p in points.values()]), axis=0)}

    return Solution(problem, "Wave(size=1)", user.Perturbed(wave, 0.0))


@pytest.fixture(autouse=True)
def _leaves_no_state() -> Any:
    """No figure gets a window, and no setting outlives a call."""
    before = dict(mpl.rcParams)
    yield
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before


def maps(figure: Picture) -> list[tuple[Axes, QuadMesh]]:
    """Axes with a map in them."""
    found = [(a, c) for a in figure.axes for c in a.collections if isinstance(c, QuadMesh)]
    return [(axes, mesh) for axes, mesh in found if axes.get_label() != "<colorbar>"]


def drawn(figure: Picture) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=40)
    return buffer.getvalue()


def test_space_time_is_a_map_with_profiles(decay: Solution) -> None:
    figure = plot_solution(decay, n=41)
    ((axes, mesh),) = maps(figure)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$t$", "$x$")
    t, x = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41))
    np.testing.assert_allclose(np.asarray(mesh.get_array()).reshape(41, 41), decay(t=t, x=x))
    profiles = figure.axes[1].lines
    assert [line.get_label() for line in profiles] == [f"$t$ = {v}" for v in ("0", "0.25", "0.5", "0.75", "1")]
    xs = np.asarray(profiles[2].get_xdata())
    np.testing.assert_allclose(profiles[2].get_ydata(), decay(t=0.5, x=xs))
    assert drawn(figure).startswith(b"\x89PNG")


def test_truth_and_error_stand_beside_the_solution(decay: Solution) -> None:
    figure = plot_solution(decay, reference=decay.problem.reference, n=41)
    (_, truth), (_, own), (axes, error) = maps(figure)
    assert truth.norm.vmin == own.norm.vmin
    assert truth.norm.vmax == own.norm.vmax
    assert axes.get_title(loc="left") == "|error of $u$|"
    assert isinstance(error.norm, LogNorm)
    assert error.norm.vmax == pytest.approx(np.max(np.abs(np.asarray(own.get_array()) - np.asarray(truth.get_array()))))
    assert sum(line.get_label() == "truth" for a in figure.axes for line in a.lines) == 3
    assert drawn(figure)


def test_one_coordinate_is_a_curve_with_its_error_below(decay: Solution) -> None:
    figure = plot_solution(decay, reference=decay.problem.reference, t=0.5)
    curve, error = figure.axes
    xs = np.asarray(curve.lines[1].get_xdata())
    np.testing.assert_allclose(curve.lines[1].get_ydata(), decay(t=0.5, x=xs))
    expected = np.abs(decay(t=0.5, x=xs) - np.asarray(decay.problem.reference({"t": 0.5 + 0 * xs, "x": xs})["u"]))
    np.testing.assert_allclose(error.lines[0].get_ydata(), np.maximum(expected, 1e-17), atol=1e-15)
    assert error.get_yscale() == "log"
    assert "$t$ = 0.5" in error.get_xlabel()
    assert [t.get_text() for t in curve.get_legend().get_texts()] == ["truth", "$u$"]


def test_uncertainty_is_a_band(decay: Solution) -> None:
    import dataclasses

    user = sys.modules["sciml_user_user_file"]
    constant = user.Perturbed(lambda points: {"u": 0.1 + 0 * points["x"]}, 0.0)
    figure = plot_solution(dataclasses.replace(decay, deviation=constant), t=0.5)
    (band,) = figure.axes[0].collections
    corners = band.get_paths()[0].vertices
    middle = np.abs(corners[:, 0] - 0.5) < 1e-9
    assert np.ptp(corners[middle, 1]) == pytest.approx(0.4)


def test_two_dimensions_and_time_are_maps_at_four_times_by_component(swirl: Solution) -> None:
    figure = plot_solution(swirl, n=21)
    assert len(maps(figure)) == 8
    titles = [a.get_title(loc="left") for a in figure.axes[:4]]
    assert titles == ["$t$ = 0", "$t$ = 0.333", "$t$ = 0.667", "$t$ = 1"]
    assert {a.get_ylabel() for a in figure.axes} >= {"$v_1$", "$v_2$"}
    figure = plot_solution(swirl, n=21, fields=["v[1]"], reference=swirl.problem.reference, t=0.5)
    assert len(maps(figure)) == 3
    assert all(a.get_aspect() == 1 for a, _ in maps(figure))
    figure = plot_solution(swirl, n=21, fields=["v[1]"], reference=swirl.problem.reference)
    assert len(maps(figure)) == 12


def test_many_coordinates_are_planes_through_a_large_value(four_axes: Solution) -> None:
    figure = plot_solution(four_axes, n=41)
    planes = maps(figure)
    assert len(planes) == 3
    assert all(np.max(np.abs(np.asarray(mesh.get_array()))) > 0.6 for _, mesh in planes)
    assert "$x_4$ = " in figure.get_suptitle()
    assert len(maps(plot_solution(four_axes, n=11, x1=0.2, x2=0.3))) == 1


def test_a_comparison_has_one_scale_for_values_and_one_for_errors(decay: Solution) -> None:
    grid = uniform_grid(decay.problem.box, {"t": 31, "x": 41})
    truth = decay.problem.reference
    figure = plot_comparison({"good": decay, "bad": solved("decay", 1e-1)}, truth, grid)
    values, errors = maps(figure)[:3], maps(figure)[3:]
    assert [a.get_title(loc="left") for a, _ in values] == ["truth", "good", "bad"]
    assert len({(m.norm.vmin, m.norm.vmax) for _, m in values}) == 1
    assert len({(m.norm.vmin, m.norm.vmax) for _, m in errors}) == 1
    own = decay.errors(truth, grid)["u"]["relative_l2"]
    assert errors[0][0].get_title(loc="left") == f"good:  relative $L_2$ error {own:.1e}"
    cost = next(a for a in figure.axes if a.get_title(loc="left") == "cost")
    assert [float(np.asarray(line.get_ydata())[0]) for line in cost.lines] == [
        pytest.approx(own),
        pytest.approx(100 * own),
    ]
    assert drawn(figure)


def test_a_comparison_on_a_line_and_without_truth(decay: Solution) -> None:
    line = uniform_grid(decay.problem.box, {"x": 41}, fixed={"t": 0.5})
    figure = plot_comparison({"one": decay}, decay.problem.reference, line)
    assert [a.get_yscale() for a in figure.axes] == ["linear", "log"]
    assert figure.get_suptitle().endswith("at $t$ = 0.5")
    figure = plot_comparison({"one": decay}, None, line)
    assert len(figure.axes) == 1
    figure = plot_comparison({"one": decay}, None, uniform_grid(decay.problem.box, 21))
    assert len(maps(figure)) == 1


def test_a_comparison_of_many_axes_shows_the_last_time_or_the_largest_value(
    swirl: Solution, four_axes: Solution
) -> None:
    figure = plot_comparison(
        {"one": swirl}, swirl.problem.reference, uniform_grid(swirl.problem.box, 12), unknown="v[1]"
    )
    assert figure.get_suptitle() == "swirl:  $v_2$ at $t$ = 1"
    grid = uniform_grid(four_axes.problem.box, 9)
    figure = plot_comparison({"one": four_axes}, None, grid)
    ((_, mesh),) = maps(figure)
    assert np.max(np.abs(np.asarray(mesh.get_array()))) == pytest.approx(1.0)


def test_scattered_points_are_compared_by_their_errors(decay: Solution) -> None:
    grid = scattered_grid(decay.problem.box, 256)
    figure = plot_comparison({"one": decay}, decay.problem.reference, grid)
    (axes,) = figure.axes
    errors = np.asarray(axes.lines[0].get_xdata())
    assert np.all(np.diff(errors) >= 0)
    assert errors[-1] == pytest.approx(decay.errors(decay.problem.reference, grid)["u"]["max"])
    assert len(plot_comparison({"one": decay}, None, grid).axes) == 1


def test_a_cut_takes_the_right_numbers_out_of_the_grid(swirl: Solution) -> None:
    grid = uniform_grid(swirl.problem.box, {"t": 3, "x": 5, "y": 4})
    points = {name: np.asarray(p) for name, p in grid.points().items()}
    cut = cut_of_grid(grid, "t", points["x"])
    assert cut.section.names == ("x", "y")
    assert cut.section.held == {"t": 1.0}
    for name, expected in cut.section.points().items():
        np.testing.assert_allclose(cut.take(points[name]), expected)


def test_the_loudest_point_is_where_the_field_is_large() -> None:
    point = loudest_point(
        lambda p: {"u": np.exp(-50 * ((p["x"] - 0.2) ** 2 + (p["y"] - 0.7) ** 2)) * p["t"]},
        {"x": (0, 1), "y": (0, 1)},
        {"t": 1.0},
    )
    assert (point["x"], point["y"]) == (pytest.approx(0.2, abs=0.05), pytest.approx(0.7, abs=0.05))


def test_scales_follow_the_sign_and_survive_what_is_not_finite() -> None:
    assert value_scale([np.array([-1.0, 2.0])])[0] == "RdBu_r"
    assert value_scale([np.array([-1.0, 2.0])])[1].vmin == -2.0
    assert value_scale([np.array([0.0, np.nan, 3.0])])[0] == "viridis"
    assert value_scale([np.zeros(3)])[1].vmax == 1.0
    assert error_scale([np.zeros(3)])[1].vmax == 1.0
    _, norm = error_scale([np.array([1e-14, 1e-14, 1.0]), np.array([np.inf, 1e-3])])
    assert (norm.vmin, norm.vmax) == (pytest.approx(1e-10), 1.0)


def test_names_become_mathematics() -> None:
    shown = {"x": "$x$", "x1": "$x_1$", "v[0]": "$v_1$", "T[0, 1]": "$T_{12}$", "nu": r"$\nu$", "rho_2": r"$\rho_2$"}
    assert {name: symbol(name) for name in shown} == shown


def test_a_film_has_its_frames(decay: Solution, swirl: Solution, tmp_path: Path) -> None:
    for name, solution, options in (
        ("curves", decay, {"reference": decay.problem.reference}),
        ("maps", swirl, {"fields": ["v[0]"], "reference": swirl.problem.reference, "n": 15}),
    ):
        path = tmp_path / f"{name}.gif"
        animate_solution(solution, frames=3, seconds=0.3, **options).save(path, writer="pillow", dpi=40)
        with Image.open(path) as film:
            assert film.n_frames == 3
            first = np.asarray(film.convert("RGB"), float)
            film.seek(2)
            assert np.abs(np.asarray(film.convert("RGB"), float) - first).max() > 50


def test_a_notebook_gets_a_png(decay: Solution) -> None:
    assert decay.plot(t=0.5)._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda s, w: plot_solution(s, fields=["w"]), OptionError, "some of u"),
        (lambda s, w: plot_solution(s, z=0.5), DomainError, "some of t, x"),
        (lambda s, w: plot_solution(s, t=1.5), DomainError, "points inside"),
        (lambda s, w: plot_solution(s, n=1), DomainError, "at least 2 points"),
        (lambda s, w: animate_solution(w), OptionError, "a problem with time"),
        (lambda s, w: animate_solution(s, frames=1), OptionError, "at least 2 frames"),
    ],
)
def test_what_cannot_be_drawn_is_refused(decay: Solution, four_axes: Solution, call, error, words: str) -> None:
    with pytest.raises(error, match=words):
        call(decay, four_axes)


def test_a_narrow_plane_fills_its_panel(decay: Solution) -> None:
    domain = decay.problem.domain.with_bounds(x=(0, 9))
    assert not section(domain, None, ("t", "x"), {}).keeps_proportions
    assert section(decay.problem.domain, None, ("t", "x"), {}).keeps_proportions
    assert not section(decay.problem.domain, "t", ("t", "x"), {}).keeps_proportions

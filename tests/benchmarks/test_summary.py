"""The picture of all results shows every configuration that has an error, and tells success from the rest."""

from __future__ import annotations

from benchmarks.suite import PEER
from benchmarks.summary import PANELS, drawn, points_of, stored_rows
from sciml.cli import SOLVERS


def row(solver, error, result="successful", seed=0, seconds=2.0):
    return {
        "case": "burgers",
        "solver": solver,
        "options": {},
        "values": {},
        "budget": None,
        "seed": seed,
        "result": result,
        "finished": error is not None,
        "errors": {"u": {"relative_l2": error}} if error is not None else {},
        "seconds": {"warm": seconds, "solve": seconds},
        "reference": None,
    }


def test_seeds_are_one_point_and_one_failure_makes_it_hollow():
    rows = [row("pinn", 1e-3, seed=0), row("pinn", 1e-2, seed=1), row("pinn", 1e-4, "max_steps_reached", seed=2)]
    (point,) = points_of(rows)
    assert (point.panel, point.error, point.seconds, point.succeeded) == ("networks", 1e-3, 2.0, False)


def test_what_has_no_error_and_trivial_solvers_are_left_out():
    assert points_of([row("gp", None, "nonfinite"), row("zero", 1.0)]) == []


def test_panels_name_solvers_that_exist_and_what_is_stored_can_be_drawn():
    names = {name for names in PANELS.values() for name in names}
    assert {name for name in names if not name.startswith(PEER)} <= set(SOLVERS)
    points = points_of(stored_rows())
    assert len(points) > 100
    picture = drawn(points)
    titles = [axes.get_title(loc="left") for axes in picture.axes]
    assert [t for t in titles if t] == [f"{name} ({sum(p.panel == name for p in points)})" for name in PANELS]

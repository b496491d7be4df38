"""Sliders and their static form: every figure is drawn once, and no front end is left without one."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from pde_zoo import heat
from sciml import solve
from sciml.errors import OptionError
from sciml.plotting.explore import Explorer, explore_parameters, explore_solution
from solvers.trivial import Lift, Zero

PNG = b"\x89PNG"


def counted() -> tuple[Explorer, list[dict[str, float]]]:
    drawn: list[dict[str, float]] = []

    def draw(**chosen: float) -> Figure:
        drawn.append(chosen)
        return Figure((0.5, 0.5))

    return Explorer(draw, {"a": [1, 2, 3], "b": [5, 6]}), drawn


def test_every_figure_is_drawn_once_and_the_middle_stands_for_what_is_left_out() -> None:
    explorer, drawn = counted()
    assert explorer.picture(a=1).startswith(PNG)
    assert explorer.picture(a=1) == explorer.picture(a=1, b=6)
    assert drawn == [{"a": 1.0, "b": 6.0}]
    with pytest.raises(OptionError, match="one of a, b"):
        explorer.picture(c=1)
    assert repr(explorer) == "Explorer(a ∈ [1, 3], b ∈ [5, 6])"


def test_moving_a_slider_shows_another_figure() -> None:
    explorer, drawn = counted()
    box = explorer.widget()
    first, _, image = box.children
    assert [s.description for s in box.children[:2]] == ["a", "b"]
    assert bytes(image.value).startswith(PNG)
    first.value = 3.0
    assert drawn == [{"a": 2.0, "b": 6.0}, {"a": 3.0, "b": 6.0}]


def test_a_notebook_gets_the_widget_and_a_page_the_strip(monkeypatch: pytest.MonkeyPatch) -> None:
    explorer, _ = counted()
    both = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in both
    assert both["text/html"].count("<img") == 3 and "a = 2" in both["text/html"]
    monkeypatch.setattr("sciml.plotting.explore.importlib.util.find_spec", lambda name: None)
    assert set(explorer._repr_mimebundle_()) == {"text/html", "text/plain"}
    with pytest.raises(OptionError, match="ipywidgets"):
        explorer.widget()


def test_a_solution_is_explored_along_time_and_any_other_coordinate() -> None:
    solution = solve(heat(), Lift())
    assert repr(explore_solution(solution)) == "Explorer(t ∈ [0, 1])"
    assert explore_solution(solution, "x", steps=3).picture(x=0.5).startswith(PNG)
    for wrong in (("z",), ("t", "x")):
        with pytest.raises(OptionError, match="some, not all, of t, x"):
            explore_solution(solution, *wrong)


def test_parameters_are_explored_by_solving_anew() -> None:
    solved: list[float] = []

    def make(kappa: float):
        solved.append(kappa)
        return solve(heat(kappa=kappa), Zero())

    explorer = explore_parameters(make, kappa=[0.1, 0.2, 0.3])
    assert solved == []
    assert explorer.picture(kappa=0.3).startswith(PNG)
    assert solved == [0.3]
    with pytest.raises(OptionError, match="at least one name"):
        explore_parameters(make)

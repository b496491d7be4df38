"""What notebooks and terminals show of problems and solutions."""

from __future__ import annotations

from html.parser import HTMLParser

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

from sciml import (
    RESULTS,
    AbstractReference,
    AbstractRepresentation,
    Box,
    Coefficient,
    Estimate,
    Field,
    Law,
    Nearest,
    Parameter,
    Problem,
    ProblemWarning,
    Solution,
    Stats,
    coordinates,
    div,
    grad,
    integral,
    pi,
    sin,
    where,
)

t, x = coordinates("t x")
u = Field("u", t, x)
box = Box({t: (0, 1), x: (-1, 1)})
nu = Parameter("nu", 0.01)
START = (u == -sin(pi * x)).on(box.at(t=0))
WALLS = (u == 0).on(box.boundary(x))


def burgers(**parts) -> Problem:
    return Problem(u.dt + u * u.dx == nu * u.dxx, box, [START, WALLS], **parts)


class Page(HTMLParser):
    """Checks that tags nest, and collects the text."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.words = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def formulas(words: str) -> list[str]:
    return words.replace("$$", "$").split("$")[1::2]


def test_text_says_what_the_problem_is() -> None:
    lines = repr(burgers(name="Burgers")).splitlines()
    assert lines[0] == "Problem Burgers"
    assert lines[1].strip() == "D(u, t) + u*D(u, x) == nu*D(u, x, x)"
    assert "semilinear in u (order 1 in t, 2 in x); parabolic" in lines[2]
    assert lines[4].strip() == "u == -sin(pi*x)  on t=0  (initial)"
    assert lines[5].strip() == "u == 0  on the boundary in x  (Dirichlet)"
    assert lines[6].strip() == "nu = 0.01"


def test_html_shows_equations_numbers_conditions_and_data() -> None:
    problem = burgers(name="<Burgers> & more").replace(nu=None).observe("u", np.full((3, 2), 0.5), np.ones(3), 0.1)
    page = Page(problem._repr_html_())
    assert "<Burgers> & more" in page.words  # it was escaped in the source
    assert "$$u_t + u\\,u_x = \\nu\\,u_{xx}$$" in page.words
    for words in ("Dirichlet", "initial", "unknown", "3 values", "t \\in [0, 1]", "x = -1 \\text{ and } x = 1"):
        assert words in page.words
    for formula in formulas(page.words):
        MathTextParser("path").parse(f"${formula}$")


def test_latex_aligns_statements() -> None:
    shown = burgers()._repr_latex_()
    assert shown.startswith("$$\\begin{aligned} u_t + u\\,u_x &= \\nu\\,u_{xx} \\\\ u &= -\\sin(\\pi\\,x) && t = 0")
    assert shown.endswith("\\end{aligned}$$")


def test_comparisons_are_escaped() -> None:
    problem = Problem(u.dt == u.dxx, box, [(u == where(x < 0, 1 + x, 1 - x)).on(box.at(t=0)), WALLS])
    html = problem._repr_html_()
    assert "x &lt; 0" in html
    assert "x < 0" in Page(html).words


def test_html_repeats_the_warnings_of_construction() -> None:
    (s,) = coordinates("s")
    f = Field("f", s)
    line = Box({s: (0, 1)})
    with pytest.warns(ProblemWarning) as caught:
        problem = Problem(f.dss == 1, line, [(f == 0).on(line.boundary(s)), (f.ds == 1).on(line.upper(s))])
    words = Page(problem._repr_html_()).words
    assert all(str(w.message) in words for w in caught)


def test_laws_and_coefficients_do_not_hinder_showing() -> None:
    (s,) = coordinates("s")
    f, line = Field("f", s), Box({s: (0, 1)})
    walls = (f == 0).on(line.boundary(s))
    rough = Coefficient("a", s, values=np.ones(3), points=(np.linspace(0, 1, 3),))
    for problem in (
        Problem(div(Law("K", f) * grad(f)) == 1, line, [walls]),
        Problem(div(rough * grad(f)) == 1, line, [walls]),
        Problem(f.dss + integral(f) == 1, line, [walls]),
    ):
        assert "Dirichlet" in repr(problem)
        Page(problem._repr_html_())
    assert "its laws decide" in repr(Problem(div(Law("K", f) * grad(f)) == 1, line, [walls]))


def test_showing_does_not_compute_the_truth() -> None:
    def slow(points):
        raise AssertionError("the truth was computed")

    class Slow(AbstractReference):
        kind = "computed slowly"
        error = property(slow)

        def __call__(self, points):
            return slow(points)

    problem = burgers(reference=Slow())
    assert "truth: computed slowly" in repr(problem)
    assert "computed slowly" in Page(problem._repr_html_()).words


def test_rough_data_do_not_change_the_kind() -> None:
    a, b = coordinates("x y")
    f, square = Field("f", a, b), Box({a: (0, 1), b: (0, 1)})
    grid = (np.linspace(0, 1, 3), np.linspace(0, 1, 3))
    values = np.array([[3.0, 12, 3], [12, 3, 12], [3, 3, 12]])
    permeability = Coefficient("k", a, b, values=values, points=grid, interpolation=Nearest())
    words = repr(Problem(-div(permeability * grad(f)) == 1, square, [(f == 0).on(square.boundary())]))
    assert "linear in f (order 2 in x, 2 in y); elliptic; in conservation form" in words


class Zero(AbstractRepresentation):
    """A solution that vanishes."""

    def __call__(self, points):
        return {"u": jnp.zeros_like(points["x"])}


def test_solution_html_tells_result_estimates_and_cost() -> None:
    solution = Solution(
        burgers(name="Burgers"),
        "Method(<1>)",
        Zero(),
        RESULTS.max_steps_reached,
        {"nu": Estimate(0.0123, 0.0004)},
        Stats(total=1.5, iterations=7, unknowns=42, extra={"own_error": 1e-3}),
    )
    words = Page(solution._repr_html_()).words
    for part in (
        "Method(<1>)",
        "max_steps_reached",
        "0.0123 ± 0.0004",
        "1.50 s",
        "42 unknowns, 7 iterations",
        "own_error 0.001",
    ):
        assert part in words

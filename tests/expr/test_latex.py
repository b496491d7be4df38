"""LaTeX reads as in a textbook, and every expression renders."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

from sciml import (
    Box,
    D,
    Field,
    Law,
    Parameter,
    at,
    curl,
    det,
    div,
    dot,
    exp,
    grad,
    inner,
    integral,
    laplacian,
    latex,
    matrix,
    minimum,
    normal_derivative,
    outer,
    pi,
    sin,
    sqrt,
    tanh,
    transpose,
    vector,
    where,
)
from sciml.expr.lowering import lower
from sciml.expr.symbols_latex import number, symbol
from tests.strategies import F, a, equations, expressions, nu, t, truths, u, v, w, x, y

rho, inflow = Parameter("rho"), Field("T_in", t, x, y)
stress = Law("stress", grad(v), (2, 2))

WRITTEN = [
    (u.dt + u * u.dx == 0.01 / pi * u.dxx, r"u_t + u\,u_x = \frac{0.01}{\pi}\,u_{xx}"),
    (
        v.dt + dot(grad(v), v) == -grad(w) / rho + nu * laplacian(v),
        r"\partial_t \mathbf{v} + (\mathbf{v}\cdot\nabla)\,\mathbf{v} "
        r"= -\frac{\nabla w}{\rho} + \nu\,\Delta \mathbf{v}",
    ),
    (-div(a * grad(u)) == sin(2 * pi * x), r"-\nabla\cdot (a\,\nabla u) = \sin(2\,\pi\,x)"),
    (u.dt == 1e-4 * u.dxx + 5 * u - 5 * u**3, r"u_t = 0.0001\,u_{xx} + 5\,u - 5\,u^3"),
    (v[0].dx + v[1].dy == 0, r"\partial_x v_1 + \partial_y v_2 = 0"),
    (normal_derivative(u) + 2 * u == 0, r"\partial_n u + 2\,u = 0"),
    (at(u, x=0) == at(u, x=1), r"\left. u \right|_{x=0} = \left. u \right|_{x=1}"),
    (integral(u, x, y) == 0, r"\int u\,\mathrm{d}x\,\mathrm{d}y = 0"),
    (rho * v.dtt == div(stress), r"\rho\,\partial_{tt} \mathbf{v} = \nabla\cdot \mathbf{stress}(\nabla \mathbf{v})"),
    (stress[0, 1], r"\mathrm{stress}_{12}(\nabla \mathbf{v})"),
    (D(u * w, x) * u, r"(\partial_x (u\,w))\,u"),
    (inflow.dxx, r"\partial_{xx} T_{\mathrm{in}}"),
    (exp(-(x**2)), r"e^{-x^2}"),
    (exp(-(x**2) / 2), r"\exp\left(-\frac{x^2}{2}\right)"),
    (sin(u) ** 2 + (u**2) ** 3, r"\sin^2(u) + (u^2)^3"),
    (u - (-w), r"u - (-w)"),
    (u - (w - x), r"u - (w - x)"),
    (u + (-2) * w, r"u - 2\,w"),
    (u * -2, r"u\,(-2)"),
    (x * 2, r"x \cdot 2"),
    ((u + w) ** 2 / (1 - u), r"\frac{(u + w)^2}{1 - u}"),
    ((u / w) * (u + w), r"\frac{u}{w}\,(u + w)"),
    (2 ** (x + 1), r"2^{x + 1}"),
    (vector(u, 1), r"(u, 1)"),
    (matrix((1, u), (w, 2)), r"\begin{pmatrix} 1 & u \\ w & 2 \end{pmatrix}"),
    (F.T, r"\mathbf{F}^{\top}"),
    (inner(grad(v), transpose(grad(v))), r"\nabla \mathbf{v} : (\nabla \mathbf{v})^{\top}"),
    (curl(v) + det(F), r"\nabla\times \mathbf{v} + \det(\mathbf{F})"),
    (outer(v, v), r"\mathbf{v}\otimes \mathbf{v}"),
    (abs(sqrt(u)) * tanh(minimum(u, w)), r"\left|\sqrt{u}\right|\,\tanh(\min(u, w))"),
    (
        where(x < 0.5, 1, where(x <= 0.7, 2, u)),
        r"\begin{cases} 1 & \text{if } x < 0.5 \\ 2 & \text{if } x \leq 0.7 \\ u & \text{otherwise} \end{cases}",
    ),
    ((u < 1) & (x > 0), r"u < 1 \text{ and } x > 0"),
    (lower(D(Law("D", u) * u.dx, x))[0], r"D'(u)\,u_x\,u_x + D(u)\,u_{xx}"),
]


@pytest.mark.parametrize(("e", "written"), WRITTEN, ids=[w_ for _, w_ in WRITTEN])
def test_latex_is_that_of_textbooks(e, written: str) -> None:
    assert latex(e) == written


@given(st.one_of(expressions(), equations(), truths(2)))
@settings(max_examples=50)
def test_everything_renders_in_mathtext(e) -> None:
    assert MathTextParser("path").parse(f"${latex(e, environments=False)}$").width >= 0


@given(expressions())
@settings(max_examples=200)
def test_braces_and_delimiters_balance(e) -> None:
    body = latex(e)
    assert body.count("{") == body.count("}")
    assert body.count("\\left") == body.count("\\right")
    assert body.count("\\begin") == body.count("\\end")


def test_lowered_laws_render() -> None:
    for e in (*lower(div(stress)), *lower(D(Law("flux", vector(u, w), (2,)), x))):
        assert MathTextParser("path").parse(f"${latex(e)}$").width > 0


def test_names_and_numbers() -> None:
    assert symbol("nu") == r"\nu"
    assert symbol("Omega_in") == r"\Omega_{\mathrm{in}}"
    assert symbol("x1") == "x_1"
    assert symbol("k_B_2") == r"k_{\mathrm{B},2}"
    assert symbol("viscosity") == r"\mathrm{viscosity}"
    assert symbol("phi", bold=True) == r"\boldsymbol{\phi}"
    assert symbol("v", indices=(0, 2)) == "v_{13}"
    assert number(1e-5) == "10^{-5}"
    assert number(-2.5e-9) == r"-2.5\cdot 10^{-9}"
    assert number(1 / 3) == "0.333333"
    assert number(100000) == "100000"


def test_conditions_and_notebook_forms() -> None:
    box = Box({t: (0, 1), x: (0, 1), y: (0, 1)})
    condition = (u == 0).on(box.boundary(x))
    assert latex(condition) == r"u = 0 \quad \text{on the boundary in x}"
    assert latex((u == 1).on(box.at(t=0))) == r"u = 1 \quad \text{at t=0}"
    MathTextParser("path").parse(f"${latex(condition)}$")
    assert u.dx._repr_latex_() == r"$\displaystyle u_x$"
    assert (u.dx == 0)._repr_latex_() == r"$\displaystyle u_x = 0$"

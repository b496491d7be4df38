"""The linearised operator in the spaces against its values on the nodes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sciml import Box, Field, Problem, coordinates, sin
from sciml.galerkin.discretisation import Discretisation
from sciml.galerkin.linearised import linearised_operator
from sciml.galerkin.newton import slopes_at
from sciml.galerkin.statement import Statement
from solvers.gaussians.spaces import AxisLattice, axis_space

T, X, Y = coordinates("t x y")
U, BOX = Field("u", T, X, Y), Box({T: (0, 1), X: (0, 1), Y: (0, 1)})

EQUATIONS = {
    "constant coefficients": U.dt == U.dxx + U.dyy,
    "coefficients that are products": U.dt == (1 + X) * sin(T) * U.dxx + U.dyy,
    "coefficients that are steady": U.dt == U.dxx + U.dyy + sin(X * Y) * U.dx - (X + Y**2) * U.dy,
    "a nonlinear equation": U.dt == U * (U.dxx + U.dyy) + U.dx**2 + sin(X * Y) * U,
}


@pytest.mark.parametrize("equation", EQUATIONS.values(), ids=EQUATIONS)
def test_it_is_the_tested_derivative_on_the_nodes(equation):
    problem = Problem(equation, BOX, [(U == X).on(BOX.at(t=0)), (U == X).on(BOX.boundary(X) | BOX.boundary(Y))])
    statement, rng = Statement(problem), np.random.default_rng(0)
    discrete = Discretisation(
        statement, tuple(axis_space(statement, k, AxisLattice(n)) for k, n in enumerate((3, 4, 5)))
    )
    shape = [s.free for s in discrete.spaces]
    slopes = slopes_at(discrete, discrete.lift + discrete.extend(rng.standard_normal(shape)))
    z = rng.standard_normal(shape)
    jets = discrete.jets(discrete.extend(z), tuple(slopes))
    expected = discrete.test(discrete.on_grid(np.asarray(sum(s * jets[a] for a, s in slopes.items()))))
    found = linearised_operator(discrete, slopes)(z)
    assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())

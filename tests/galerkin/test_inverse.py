"""Kronecker algebra against dense matrices."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sciml.galerkin.inverse import combination, separable_inverse
from sciml.galerkin.kronecker import kronecker
from sciml.galerkin.separable import IDENTITY, Factor, KroneckerOperator, averaged, factor_product

FIRST, SECOND = Factor(1), Factor(2)


def axis_matrices(size, seed, factors):
    rng = np.random.default_rng(seed)
    mass = np.eye(size) + 0.1 * rng.standard_normal((size, size))
    symmetric = rng.standard_normal((size, size))
    made = {IDENTITY: mass, SECOND: symmetric @ symmetric.T + np.eye(size), FIRST: rng.standard_normal((size, size))}
    return {f: made[f] for f in {IDENTITY, *factors}}


def dense(terms, matrices):
    return sum(c * reduce(np.kron, [m[f] for m, f in zip(matrices, key, strict=True)]) for key, c in terms.items())


OPERATORS = {
    "2-D sum": (
        {(SECOND, IDENTITY): 2.0, (IDENTITY, SECOND): 1.0, (IDENTITY, FIRST): 0.3, (IDENTITY, IDENTITY): 0.5},
        (5, 4),
    ),
    "3-D sum": (
        {(SECOND, IDENTITY, IDENTITY): 1.0, (IDENTITY, SECOND, IDENTITY): 1.0, (IDENTITY, IDENTITY, SECOND): 3.0},
        (3, 4, 5),
    ),
    "one axis with two factors": (
        {(SECOND, IDENTITY): 1.0, (IDENTITY, SECOND): 1.0, (SECOND, FIRST): 0.2, (IDENTITY, IDENTITY): 1.0},
        (4, 6),
    ),
}


@pytest.mark.parametrize(("terms", "sizes"), OPERATORS.values(), ids=OPERATORS.keys())
def test_inverse_agrees_with_the_dense_matrix(terms, sizes):
    matrices = [axis_matrices(n, k, [key[k] for key in terms]) for k, n in enumerate(sizes)]
    values = np.random.default_rng(9).standard_normal(sizes)
    inverse = separable_inverse(terms, matrices)
    assert inverse is not None
    assert_allclose(inverse(values).ravel(), np.linalg.solve(dense(terms, matrices), values.ravel()), rtol=1e-8)


def test_two_axes_with_two_factors_each_have_no_fast_inverse():
    terms = {(SECOND, FIRST): 1.0, (FIRST, SECOND): 1.0, (IDENTITY, SECOND): 1.0, (SECOND, IDENTITY): 1.0}
    matrices = [axis_matrices(4, k, [key[k] for key in terms]) for k in range(2)]
    assert combination(terms, 0) is None
    assert separable_inverse(terms, matrices) is None


def test_a_singular_operator_says_so():
    singular = {IDENTITY: np.eye(3), SECOND: np.diag([0.0, 1.0, 2.0])}
    inverse = separable_inverse({(SECOND, IDENTITY): 1.0, (IDENTITY, SECOND): 1.0}, [singular, singular])
    assert inverse is not None and inverse.smallest == 0


def test_products_are_factored_and_other_coefficients_averaged():
    x, y = np.linspace(1, 2, 7)[:, None], np.linspace(0, 1, 5)[None, :]
    scale, weights, exact = factor_product(np.exp(x) * (1 + y))
    assert exact
    assert_allclose(scale * weights[0][:, None] * weights[1][None, :], np.exp(x) * (1 + y), rtol=1e-13)
    scale, weights, exact = factor_product(x + y)
    assert not exact and weights == [None, None]
    assert_allclose(scale, np.mean(x + y))
    operator = KroneckerOperator({(Factor(2, np.array([1.0, 3.0]).tobytes()), IDENTITY): 2.0}, True)
    assert averaged(operator).terms == {(SECOND, IDENTITY): 4.0}


def test_kronecker_product_of_matrices_on_a_tensor():
    rng = np.random.default_rng(0)
    a, c = rng.standard_normal((2, 3)), rng.standard_normal((4, 5))
    values = rng.standard_normal((3, 6, 5))
    assert_allclose(kronecker([a, None, c], values), np.einsum("ai,ijk,ck->ajc", a, values, c))

"""Rows, Jacobians and Gram matrices of residual blocks."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sciml.errors import OptionError
from sciml.optimise import LeastSquares, ResidualBlock, gram, jacobian_rows, losses, residual_vector
from sciml.optimise.blocks import chunks, loss_per_block

COUNT = 23


def network(weights, x):
    hidden = jnp.tanh(weights["first"] @ jnp.stack([x, 1.0]))
    return weights["last"] @ hidden + weights["rate"]


def vector_residual(weights, point, args):
    u, u_x = jax.jvp(lambda x: network(weights, x), (point["x"],), (1.0,))
    return jnp.stack([u_x + args["k"] * u, u - point["value"]])


def scalar_residual(weights, point, args):
    return network(weights, point) - args["k"]


@pytest.fixture(scope="module")
def problem():
    keys = jax.random.split(jax.random.key(0), 4)
    weights = {
        "first": jax.random.normal(keys[0], (5, 2)),
        "last": jax.random.normal(keys[1], (5,)),
        "rate": jnp.asarray(0.3),
    }
    points = {"x": jax.random.uniform(keys[2], (COUNT,)), "value": jax.random.normal(keys[3], (COUNT,))}
    blocks = [
        ResidualBlock("equation", vector_residual, points, scale=jnp.array([2.0, 0.5]), weight=3.0),
        ResidualBlock("start", scalar_residual, jnp.linspace(0.0, 1.0, 7)),
    ]
    return LeastSquares(weights, blocks, {"k": jnp.asarray(1.7)})


@pytest.fixture(scope="module")
def flat(problem):
    return problem.flatten(problem.template)


def test_rows_carry_weight_scale_and_count(problem, flat):
    rows = np.asarray(residual_vector(problem, jnp.asarray(flat)))
    point = jax.tree.map(lambda leaf: leaf[4], problem.blocks[0].points)
    expected = 3.0 * vector_residual(problem.template, point, problem.args) / np.array([2.0, 0.5]) / np.sqrt(COUNT)
    np.testing.assert_allclose(rows[8:10], expected, rtol=1e-14)
    assert rows.shape == (2 * COUNT + 7,)


def test_jacobian_is_that_of_the_stacked_rows(problem, flat):
    rows, jacobian = jacobian_rows(problem, flat)
    stacked = jax.jacrev(lambda w: residual_vector(problem, w))(jnp.asarray(flat))
    np.testing.assert_allclose(rows, residual_vector(problem, jnp.asarray(flat)), rtol=1e-14)
    np.testing.assert_allclose(jacobian, stacked, rtol=1e-12, atol=1e-14)


def test_jacobian_agrees_with_finite_differences(problem, flat):
    _, jacobian = jacobian_rows(problem, flat)
    step = 1e-6
    shifts = step * np.eye(len(flat))
    difference = np.stack(
        [(residual_vector(problem, flat + s) - residual_vector(problem, flat - s)) / (2 * step) for s in shifts], axis=1
    )
    np.testing.assert_allclose(jacobian, difference, atol=2e-9)


@pytest.mark.parametrize("chunk_bytes", [500, 5000])
def test_chunks_change_nothing(problem, flat, chunk_bytes):
    whole, pieces = gram(problem, flat), gram(problem, flat, chunk_bytes)
    np.testing.assert_allclose(pieces.matrix, whole.matrix, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(pieces.gradient, whole.gradient, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(pieces.losses, whole.losses, rtol=1e-13)
    for found, needed in zip(jacobian_rows(problem, flat, chunk_bytes), jacobian_rows(problem, flat), strict=True):
        np.testing.assert_allclose(found, needed, rtol=1e-13)
    one, many = (
        jax.value_and_grad(lambda w, size=size: loss_per_block(problem, w, size).sum())(jnp.asarray(flat))
        for size in (10**9, chunk_bytes)
    )
    np.testing.assert_allclose(many[0], one[0], rtol=1e-13)
    np.testing.assert_allclose(many[1], one[1], rtol=1e-11, atol=1e-14)


def test_chunks_bound_the_memory_and_share_one_shape(problem):
    block, per_point = problem.blocks[0], problem.bytes_per_point[0]
    sizes = [piece.num_points for piece, _ in chunks(block, per_point, 5 * per_point)]
    factors = np.concatenate([factor for _, factor in chunks(block, per_point, 5 * per_point)])
    assert set(sizes) == {5}
    assert np.count_nonzero(factors) == COUNT
    np.testing.assert_allclose(np.sum(factors**2), 1.0)


def test_gram_is_the_product_of_the_rows(problem, flat):
    rows, jacobian = jacobian_rows(problem, flat)
    equations = gram(problem, flat)
    np.testing.assert_allclose(equations.matrix, jacobian.T @ jacobian, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(equations.gradient, jacobian.T @ rows, rtol=1e-12, atol=1e-14)
    assert equations.loss == pytest.approx(0.5 * rows @ rows, rel=1e-13)
    np.testing.assert_allclose(losses(problem, flat[None])[0], equations.losses, rtol=1e-13)


def test_flatten_and_unflatten_are_inverse(problem, flat):
    again = problem.flatten(problem.unflatten(flat))
    np.testing.assert_array_equal(again, flat)


def test_single_precision_weights_are_optimised_in_double():
    block = ResidualBlock("fit", lambda w, x, args: w * x - 1.0, jnp.ones(3))
    problem = LeastSquares(jnp.asarray(0.5, dtype=jnp.float32), [block])
    assert jacobian_rows(problem, problem.flatten(0.5))[1].dtype == np.float64


def test_new_arguments_and_points_do_not_retrace(problem, flat):
    traces = []

    def counted(weights, point, args):
        traces.append(1)
        return scalar_residual(weights, point, args)

    def build(k, scale):
        block = ResidualBlock("start", counted, jnp.linspace(0.0, scale, 7), scale=scale, weight=2 * scale)
        return LeastSquares(problem.template, [block], {"k": jnp.asarray(k)})

    first = gram(build(1.0, 1.0), flat).loss
    before = len(traces)
    second_problem = build(2.0, 3.0)
    after_construction = len(traces)
    assert gram(second_problem, flat).loss != first
    assert len(traces) == after_construction
    assert after_construction - before == 1, "one abstract evaluation finds the number of components"


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: ResidualBlock("b", scalar_residual, jnp.zeros((0,))), "at least one point"),
        (lambda: ResidualBlock("b", scalar_residual, {"x": jnp.ones(3), "y": jnp.ones(4)}), r"\[3, 4\]"),
        (lambda: LeastSquares(jnp.ones(2), []), "at least one"),
        (lambda: LeastSquares(jnp.array([jnp.nan]), [ResidualBlock("b", scalar_residual, jnp.ones(3))]), "NaN"),
        (lambda: LeastSquares({"w": 3}, [ResidualBlock("b", scalar_residual, jnp.ones(3))]), "floating-point"),
        (lambda: LeastSquares({}, [ResidualBlock("b", scalar_residual, jnp.ones(3))]), "floating-point"),
    ],
)
def test_bad_input_ends_in_a_sentence(build, words):
    with pytest.raises(OptionError, match=words):
        build()


def test_resampled_blocks_must_keep_their_shapes(problem):
    other = [problem.blocks[0], ResidualBlock("start", scalar_residual, jnp.linspace(0.0, 1.0, 8))]
    with pytest.raises(OptionError, match="redraw as many points"):
        problem.with_blocks(other)

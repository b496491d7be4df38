"""Samplers: in bounds, reproducible, spread better than by chance."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import qmc

from sciml import Box, Halton, LatinHypercube, Sobol, Uniform, coordinates
from sciml.domains.sampling import AbstractSampler

t, x, y = coordinates("t x y")
box = Box({t: (0, 2), x: (-3, -1), y: (10, 11)})
SAMPLERS = [Uniform(), Sobol(), Halton(), LatinHypercube()]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
@pytest.mark.parametrize("n", [1, 7, 64])
def test_points_lie_inside(sampler: AbstractSampler, n: int):
    points = box.sample(n, jax.random.key(0), sampler)
    assert list(points) == ["t", "x", "y"] and all(p.shape == (n,) for p in points.values())
    assert bool(box.contains(points).all())


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_the_key_decides(sampler: AbstractSampler):
    one, same, other = (box.sample(16, jax.random.key(seed), sampler) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one["x"], same["x"])
    assert not np.array_equal(one["x"], other["x"])


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_the_mean_is_the_middle(sampler: AbstractSampler):
    """The mean of 512 points is within four standard deviations of independent points."""
    points = box.sample(512, jax.random.key(3), sampler)
    for name, (lower, upper) in box.bounds.items():
        deviation = (upper - lower) / np.sqrt(12 * 512)
        assert abs(float(points[name].mean()) - (lower + upper) / 2) < 4 * deviation


@pytest.mark.parametrize("sampler", [Sobol(), Halton(), LatinHypercube()], ids=repr)
def test_discrepancy_is_lower_than_by_chance(sampler: AbstractSampler):
    def discrepancy(s: AbstractSampler) -> float:
        sets = [np.asarray(s.unit(jax.random.key(seed), 256, 2)) for seed in range(5)]
        return float(np.mean([qmc.discrepancy(p) for p in sets]))

    assert discrepancy(sampler) < discrepancy(Uniform()) / 2


def test_sobol_fills_every_dyadic_box():
    """A scrambled Sobol sequence of 64 points in the plane is a (0, 6, 2)-net: one point in each 8×8 cell."""
    unit = np.asarray(Sobol().unit(jax.random.key(0), 64, 2))
    cells = np.floor(unit * 8).astype(int)
    assert len({tuple(c) for c in cells}) == 64


def test_latin_hypercube_fills_every_slice():
    unit = np.asarray(LatinHypercube().unit(jax.random.key(0), 50, 3))
    for axis in unit.T:
        assert sorted(np.floor(axis * 50).astype(int)) == list(range(50))


def test_points_of_a_face_keep_its_coordinate():
    (face,) = box.upper(x)
    points = box.sample(9, jax.random.key(0), place=face)
    np.testing.assert_array_equal(points["x"], np.full(9, -1.0))
    assert len(np.unique(points["t"])) == 9
    (corner,) = box.at(t=0, x=-3, y=11)
    points = box.sample(3, jax.random.key(0), place=corner)
    assert {name: set(np.asarray(p)) for name, p in points.items()} == {"t": {0.0}, "x": {-3.0}, "y": {11.0}}


def test_old_keys_are_understood():
    assert box.sample(4, jax.random.PRNGKey(0), Sobol())["t"].shape == (4,)


def test_points_are_double():
    assert box.sample(4, jax.random.key(0))["t"].dtype == jnp.float64

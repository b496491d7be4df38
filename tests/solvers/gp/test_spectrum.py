"""Lines are found where they are; combs explain what has no lines."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.gp.features import LadderFeatures, Line
from solvers.gp.refinement import evidence, likeliest
from solvers.gp.spectrum import Signals, find_comb, find_lines, mixture_basis, smooth_line

NODES = np.linspace(0, 2 * np.pi, 513)


def signals(f, count=512):
    nodes = np.linspace(0, 2 * np.pi, count + 1)
    values = f(nodes)[:, None]
    return Signals(nodes, values / np.sqrt(np.mean(values**2)))


def test_a_single_line_is_found_to_many_digits():
    lines, left = find_lines(signals(lambda x: np.sin(100 * x)), tolerance=1e-9, most=8)
    assert [round(line.frequency, 4) for line in lines] == [0, 100]
    assert left < 1e-9


def test_lines_of_very_different_size_and_a_smooth_part():
    lines, left = find_lines(
        signals(lambda x: x**2 + np.sin(40 * x) + 1e-3 * x * np.sin(90 * x)), tolerance=1e-9, most=8
    )
    assert left < 1e-9
    distances = np.abs(np.subtract.outer([0, 40, 90], [line.frequency for line in lines]))
    assert distances.min(axis=1).max() < 3.0, "every true line is found"
    assert distances.min(axis=0).max() < 3.0, "no line is found where there is none, though one may be split in two"


def test_the_number_of_lines_is_bounded():
    lines, left = find_lines(
        signals(lambda x: sum(np.sin(m * x) for m in (20, 47, 71, 99, 130))), tolerance=1e-9, most=2
    )
    assert len(lines) <= 3 and left > 0.1


@pytest.mark.parametrize("f", [lambda x: np.sin(4 * x**2), lambda x: np.exp(-50 * (x - 2) ** 2)])
def test_a_comb_explains_signals_without_lines(f):
    comb, left = find_comb(lambda count: signals(f, count), tolerance=1e-6, most_nodes=900)
    assert left < 1e-6
    fine = signals(f, 1500)
    basis = mixture_basis(comb, fine.nodes)
    assert np.abs(fine.values - basis.vectors @ (basis.vectors.T @ fine.values)).max() < 1e-5


def mixture(*frequencies):
    extent = NODES[-1] - NODES[0]
    return (smooth_line(extent), *(Line(float(m), extent) for m in frequencies))


def test_the_slope_of_the_evidence_is_that_of_differences():
    sampled = signals(lambda x: np.sin(100 * x) + x * np.cos(38 * x))
    _, slope = evidence(mixture(99.3, 40.0), sampled, 1e-3)
    for k, direction in ((1, (1e-5, 0)), (2, (0, 1e-5))):
        above, below = (
            evidence(mixture(*np.add((99.3, 40.0), s * np.array(direction))), sampled, 1e-3)[0] for s in (1, -1)
        )
        assert slope[k] == pytest.approx((above - below) / 2e-5, rel=1e-4)
    assert slope[0] == 0


def test_the_evidence_is_the_density_of_the_signals():
    sampled = signals(lambda x: np.sin(9 * x) + x, 40)
    lines = mixture(8.0, 21.0)
    (table,) = LadderFeatures(lines, NODES[0], NODES[-1]).derivatives(sampled.nodes, 0)
    covariance = table @ table.T + 1e-4 * np.sum(table**2) / sampled.nodes.size * np.eye(sampled.nodes.size)
    quad = sampled.values.T @ np.linalg.solve(covariance, sampled.values)
    dense = -0.5 * np.log(quad.item()) - 0.5 * np.linalg.slogdet(covariance)[1] / sampled.nodes.size
    assert evidence(lines, sampled, 1e-2)[0] == pytest.approx(dense, rel=1e-9)


@pytest.mark.parametrize("off", [0.3, 1.0, 2.0])
def test_a_line_some_bins_off_comes_home(off):
    moved = mixture(100 + off)
    for noise in (1e-3, 1e-5):
        moved = likeliest(moved, signals(lambda x: np.sin(100 * x)), noise)
    assert moved[1].frequency == pytest.approx(100, abs=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_six_lines_of_any_place_are_told_apart(seed):
    random = np.random.default_rng(seed)
    frequencies, phases = random.uniform(6, 180, 6), random.uniform(0, 2 * np.pi, 6)
    sampled = signals(lambda x: np.sin(np.outer(x, frequencies) + phases) @ frequencies**2, 1024)
    lines, left = find_lines(sampled, tolerance=1e-9, most=8)
    assert left < 1e-9 and len(lines) <= 9

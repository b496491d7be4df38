"""Lines are found where they are; combs explain what has no lines."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.gp.spectrum import Signals, find_comb, find_lines, mixture_basis

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

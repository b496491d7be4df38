"""Tallies of inferred parameters: bias in standard errors, and runs without one count as misses."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import parameter_coverage
from benchmarks.parameter_coverage import Tally, tallies
from pde_zoo.suites.inverse import speed
from sciml import RESULTS
from sciml.solution import Estimate
from solvers.gp import KroneckerGP


def test_a_tally_counts_what_lies_within_the_interval():
    tally = Tally()
    for error, deviation in ((0.1, 0.1), (-0.19, 0.1), (0.3, 0.1), (0.0, None), (0.0, np.inf)):
        tally.add(error, deviation)
    assert tally.covered == pytest.approx(2 / 5)
    assert tally.bias == pytest.approx(0.07 / 0.1)
    assert Tally(repeats=3).covered == 0.0


def test_every_repeat_is_another_draw_and_failures_count_as_misses(monkeypatch):
    seen = []

    def solve(problem, solver, key):
        seen.append(problem.observations[0].values[0])
        result = RESULTS.successful if key < 3 else RESULTS.stagnated
        return SimpleNamespace(result=result, parameters={"c": Estimate(1.01, 0.02)})

    monkeypatch.setattr(parameter_coverage, "solve", solve)
    found, seconds = tallies(speed, KroneckerGP(), 0.05, 4)
    assert seconds > 0
    assert len(set(seen)) == 4
    assert found["c"].repeats == 4
    assert found["c"].covered == 0.75
    assert found["c"].bias == pytest.approx(0.5)

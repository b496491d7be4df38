"""A run that dies and is started again ends as if nothing had happened, to the last bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from sciml.checkpoints import STATE, Checkpoint
from sciml.errors import FileError, OptionError
from sciml.optimise import LBFGS, Adam, LevenbergMarquardt, Sequential
from sciml.results import RESULTS
from sciml.training import Resampling

LM = LevenbergMarquardt(max_steps=12, tolerance=1e-14)
OPTIMISERS = {
    "levenberg_marquardt": LM,
    "adam": Adam(max_steps=120, updates_per_step=10),
    "lbfgs": LBFGS(max_steps=60, updates_per_step=5),
    "sequential": Sequential((Adam(max_steps=40, updates_per_step=10), LM)),
}


class DeathError(Exception):
    """What a kill looks like from inside."""


def dying(after: int):
    seen = []

    def callback(state):
        seen.append(state.step)
        if len(seen) == after:
            raise DeathError

    return callback


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("after", [1, 5, 8])
def test_resumed_equals_uninterrupted(poisson, name: str, after: int, tmp_path: Path) -> None:
    def minimise(**options):
        def draw(key, weights):
            return poisson.blocks(jax.random.uniform(key, (40,)))

        return OPTIMISERS[name].minimise(
            poisson.start,
            draw(jax.random.key(5), None),
            key=jax.random.key(3),
            resampling=Resampling(draw, every=4),
            **options,
        )

    whole = minimise()
    checkpoint = Checkpoint(tmp_path, every=0)
    with pytest.raises(DeathError):
        minimise(checkpoint=checkpoint, callback=dying(after))
    resumed = minimise(checkpoint=checkpoint)
    for ours, theirs in zip(jax.tree.leaves(resumed.weights), jax.tree.leaves(whole.weights), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (resumed.result, resumed.steps) == (whole.result, whole.steps)
    assert set(resumed.history) == set(whole.history)
    for column in set(whole.history) - {"seconds"}:
        np.testing.assert_array_equal(resumed.history[column], whole.history[column])
    assert np.all(np.diff(resumed.history["seconds"]) > 0)


def test_a_finished_run_returns_its_end_and_a_stopped_one_goes_on(regression, tmp_path: Path) -> None:
    def minimise(**options):
        return LM.minimise(regression.start, regression.blocks(), 4.0, checkpoint=Checkpoint(tmp_path), **options)

    stopped = minimise(callback=lambda state: state.step == 3)
    assert (stopped.result, stopped.steps) == (RESULTS.interrupted, 3)
    finished = minimise()
    assert (finished.result, finished.steps) == (RESULTS.max_steps_reached, 12)
    again = minimise(callback=dying(1))
    assert again.result is finished.result
    np.testing.assert_array_equal(again.weights["last"], finished.weights["last"])


def test_foreign_and_damaged_states_are_refused(regression, tmp_path: Path) -> None:
    def minimise(checkpoint: Checkpoint):
        return LM.minimise(regression.start, regression.blocks(), 4.0, checkpoint=checkpoint)

    mine = Checkpoint(tmp_path).owned_by("mine")
    minimise(mine)
    with pytest.raises(FileError, match="another problem, solver or seed"):
        minimise(Checkpoint(tmp_path).owned_by("yours"))
    data = bytearray((tmp_path / STATE).read_bytes())
    data[len(data) // 2] ^= 255
    (tmp_path / STATE).write_bytes(bytes(data))
    with pytest.raises(FileError, match=r"no state|checksum"):
        minimise(mine)
    (tmp_path / STATE).write_bytes(b"nothing of the kind")
    with pytest.raises(FileError, match="no state"):
        minimise(mine)
    with pytest.raises(OptionError, match="seconds"):
        Checkpoint(tmp_path, every=-1.0)


SCRIPT = """
import sys, pde_zoo, numpy as np
from sciml import solve
from sciml.checkpoints import Checkpoint
from sciml.optimise import LevenbergMarquardt
from solvers.pinn import MLP, PINN

solver = PINN(network=MLP(width=6, depth=1), optimiser=LevenbergMarquardt(max_steps=300), num_points=50)
checkpoint = None if sys.argv[1] == "none" else Checkpoint(sys.argv[1], every=0)
solution = solve(pde_zoo.heat(), solver, key=2, checkpoint=checkpoint, callback=lambda s: print(s.step, flush=True))
np.save(sys.argv[2], solution(t=np.linspace(0, 1, 7), x=np.linspace(0, 1, 7)))
"""


def test_a_killed_process_resumes_to_the_same_numbers(tmp_path: Path) -> None:
    hash_seeds = iter("123")  # the order of a set must not reach the compiler

    def start(folder: str, out: str) -> subprocess.Popen:
        environment = {**os.environ, "PYTHONHASHSEED": next(hash_seeds)}
        command = [sys.executable, "-c", SCRIPT, folder, out]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    whole = start("none", str(tmp_path / "whole.npy"))
    killed = start(str(tmp_path / "state"), str(tmp_path / "killed.npy"))
    assert killed.stdout is not None
    while int(killed.stdout.readline()) < 20:
        pass
    time.sleep(np.random.default_rng().uniform(0, 0.2))
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "killed.npy").exists()
    resumed = start(str(tmp_path / "state"), str(tmp_path / "resumed.npy"))
    output, _ = resumed.communicate()
    assert int(output.split()[0]) > 19
    whole.communicate()
    np.testing.assert_array_equal(np.load(tmp_path / "resumed.npy"), np.load(tmp_path / "whole.npy"))

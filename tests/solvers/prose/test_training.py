"""Training: the same steps however often it dies, in how many pieces, on how many devices and in how many processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pde_zoo.families import FAMILIES
from sciml.checkpoints import Checkpoint
from sciml.errors import FileError, OptionError, UnsupportedProblemError
from sciml.results import RESULTS
from solvers.prose.batches import Window
from solvers.prose.corruption import Corruption
from solvers.prose.examples import examples
from solvers.prose.learning import Learning, start, update
from solvers.prose.parallel import divided, mesh_of
from solvers.prose.pretraining import Recipe, lesson, pretrain
from solvers.prose.training import RECORDED, train
from solvers.prose.vocabulary import BEGIN
from tests.solvers.prose.conftest import WINDOW

LEARNING = Learning(steps=3 * RECORDED, batch=8)


class DeathError(Exception):
    """What a kill looks like from inside."""


def run(tiny, learning=LEARNING, **options):
    return train(tiny.model, tiny.data, tiny.vocabulary.numbers[BEGIN], learning=learning, window=WINDOW,
                 corruption=Corruption(), key=jax.random.key(3), **options)  # fmt: skip


def same(a, b) -> None:
    for ours, theirs in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_resumed_run_is_the_uninterrupted_one_and_the_loss_falls(tiny, tmp_path: Path):
    def die(progress):
        if progress.step == 2 * RECORDED:
            raise DeathError

    whole = run(tiny)
    checkpoint = Checkpoint(tmp_path, every=0)
    with pytest.raises(DeathError):
        run(tiny, checkpoint=checkpoint, callback=die)
    resumed = run(tiny, checkpoint=checkpoint)
    same(resumed.model, whole.model)
    assert (resumed.steps, resumed.result) == (whole.steps, whole.result) == (LEARNING.steps, RESULTS.successful)
    for name in set(whole.history) - {"seconds"}:
        np.testing.assert_array_equal(resumed.history[name], whole.history[name])
    assert whole.history["words"][-1] < whole.history["words"][0]
    again = run(tiny, checkpoint=checkpoint)
    same(again.model, whole.model)


def one_update(tiny, batch, learning):
    form = eqx.filter(tiny.model, eqx.is_array, inverse=True)
    done = jnp.asarray(0.3, jnp.float32)
    return update(start(tiny.model, learning), batch, done, form, learning, tiny.vocabulary.numbers[BEGIN])


def test_pieces_make_the_same_update(tiny):
    batch = tiny.batch(0)
    (whole, losses), (cut, parts) = (one_update(tiny, batch, replace(LEARNING, pieces=n)) for n in (1, 4))
    np.testing.assert_allclose(losses, parts, rtol=1e-5)
    for a, b in zip(jax.tree.leaves(whole.moments), jax.tree.leaves(cut.moments), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)


def test_numbers_that_are_not_finite_change_nothing(tiny):
    batch = tiny.batch(0)
    broken = batch._replace(targets=batch.targets.at[0, 0, 0].set(jnp.nan))
    first = start(tiny.model, LEARNING)
    kept = jax.tree.map(np.array, first)
    state, _ = one_update(tiny, broken, LEARNING)
    same(state.weights, kept.weights)
    same(state.moments, kept.moments)
    assert (int(state.step), int(state.skipped)) == (1, 1)
    poisoned = tiny.data._replace(states=jnp.full_like(tiny.data.states, jnp.nan))
    ended = train(tiny.model, poisoned, 1, learning=LEARNING, window=WINDOW, corruption=Corruption(),
                  key=jax.random.key(0))  # fmt: skip
    assert ended.result is RESULTS.nonfinite
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(eqx.filter(ended.model, eqx.is_array)))


def test_half_precision_is_close_and_keeps_single_weights(tiny):
    batch = tiny.batch(0)
    (_, exact), (state, half) = (one_update(tiny, batch, replace(LEARNING, half=h)) for h in (False, True))
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(state.weights))
    assert float(abs(half.words - exact.words)) < 0.02 * float(exact.words)
    assert float(abs(half.data - exact.data)) < 0.05 * float(exact.data)


def test_batches_are_what_they_say(tiny):
    batch = tiny.batch(11, 64)
    seen = np.asarray(batch.observed.present).any(axis=2).sum(axis=1)
    assert seen.min() >= 1 and seen.max() <= WINDOW.tokens
    times = np.where(np.asarray(batch.observed.present).any(axis=2), np.asarray(batch.observed.times), 0.0)
    assert times.max() <= WINDOW.share + 1e-6
    rms = np.sqrt((np.asarray(batch.observed.values) ** 2).sum((1, 2)) / np.asarray(batch.observed.present).sum((1, 2)))
    np.testing.assert_allclose(rms, 1, rtol=1e-4)
    assert (np.asarray(batch.queries)[:, 1:] > WINDOW.share).all()
    right = np.asarray(tiny.data.guesses)[:, 0]
    share = np.mean([any((g == r).all() for r in right) for g in np.asarray(batch.guess)])
    assert 0.5 < share < 0.9


SCRIPT = """
import os, sys
import jax
process, port, out = int(sys.argv[1]), sys.argv[2], sys.argv[3]
if process >= 0:
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"localhost:{port}", num_processes=2, process_id=process)
import sciml
import equinox as eqx, jax.numpy as jnp, numpy as np
from solvers.prose.architecture import Architecture
from solvers.prose.batches import Batch
from solvers.prose.encoders import Observed
from solvers.prose.learning import Learning, start, update
from solvers.prose.model import model
from solvers.prose.parallel import divided, everywhere, mesh_of

r = np.random.default_rng(0)
f, n = lambda *s: jnp.asarray(r.normal(size=s), jnp.float32), 8
words = jnp.asarray(np.where(np.arange(7) < r.integers(3, 7, (n, 1)), r.integers(1, 30, (n, 7)), 0), jnp.int32)
batch = Batch(Observed(f(n, 4), f(n, 4, 2), jnp.ones((n, 4, 2), bool), f(n)), words, f(n, 3), f(n, 3, 2),
              jnp.ones((n, 2), bool), words, jnp.where(words > 20, f(n, 7), jnp.nan))
net = model(jax.random.key(0), Architecture(30, 2, 16, 32, 2, 1, 1, 1, 1, 1))
learning, form = Learning(batch=n), eqx.filter(net, eqx.is_array, inverse=True)
for name, devices in (("one", jax.local_devices()[:1]), ("all", jax.devices())):
    mesh = mesh_of(devices)
    state = everywhere(start(net, learning), mesh)
    state, parts = update(state, divided(batch, mesh), jnp.asarray(0.5, jnp.float32), form, learning, 1)
    first = [np.asarray(a.addressable_data(0)) for a in jax.tree.leaves((state.moments, parts))]
    np.savez(f"{out}-{name}", *first)
"""


def start_process(process: int, port: int, out: Path, devices: int) -> subprocess.Popen:
    flags = f"--xla_force_host_platform_device_count={devices} --xla_cpu_multi_thread_eigen=false"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", SCRIPT, str(process), str(port), str(out)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def compare(one: Path, other: Path) -> None:
    with np.load(one) as a, np.load(other) as b:
        assert len(a.files) == len(b.files) > 100
        for name in a.files:
            np.testing.assert_allclose(a[name], b[name], rtol=2e-4, atol=1e-6)


def test_four_devices_take_the_step_of_one(tmp_path: Path):
    ended = start_process(-1, 0, tmp_path / "a", 4)
    assert ended.communicate()[1] is not None and ended.returncode == 0
    compare(tmp_path / "a-one.npz", tmp_path / "a-all.npz")


def test_two_processes_take_the_step_of_one(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    both = [start_process(i, port, tmp_path / str(i), 1) for i in range(2)]
    errors = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    compare(tmp_path / "0-all.npz", tmp_path / "1-all.npz")
    compare(tmp_path / "0-one.npz", tmp_path / "0-all.npz")


def test_wrong_settings_are_refused(tiny, tmp_path: Path):
    with pytest.raises(OptionError, match="pieces that divide"):
        Learning(batch=8, pieces=3)
    with pytest.raises(OptionError, match="fewest ≤ tokens"):
        Window(tokens=4, fewest=5)
    with pytest.raises(OptionError, match="at most 1"):
        Corruption(0.6, 0.6)
    with pytest.raises(OptionError, match="small"):
        Recipe("enormous")
    with pytest.raises(OptionError, match="at least one"):
        pretrain([], tmp_path)
    if len(jax.devices()) == 1:
        assert divided(tiny.batch(0, 3), mesh_of())
    five = lesson(FAMILIES["lorenz96_5"], jax.random.key(0), 2)
    with pytest.raises(OptionError, match="at most 3 unknowns"):
        examples([five], np.arange(192.0), tiny.vocabulary, horizon=6.0, dimension=3, guess_length=40,
                 equation_length=44)  # fmt: skip
    aizawa = lesson(FAMILIES["aizawa"], jax.random.key(0), 2)
    with pytest.raises(UnsupportedProblemError, match="length that the model was trained for"):
        examples([aizawa], np.arange(192.0), tiny.vocabulary, horizon=6.0, dimension=3, guess_length=40,
                 equation_length=44)  # fmt: skip


def test_another_run_in_the_folder_is_not_overwritten(tiny, tmp_path: Path):
    checkpoint = Checkpoint(tmp_path / "state", every=0).owned_by("somebody")
    checkpoint.save({"x": np.zeros(1)})
    with pytest.raises(OptionError, match="--resume"):
        pretrain(tiny.families, tmp_path, Recipe(trajectories=2))
    with pytest.raises(FileError, match="another problem"):
        run(tiny, checkpoint=Checkpoint(tmp_path / "state").owned_by("me"))

"""Points over devices and processes: the same Gram matrix, the same training, up to round-off."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = """
import sys
import jax, numpy as np
if len(sys.argv) > 3:
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(sys.argv[3], num_processes=2, process_id=int(sys.argv[4]))
import jax.numpy as jnp
from sciml.optimise import LeastSquares, LevenbergMarquardt, ResidualBlock
from sciml.optimise.sharding import all_devices, sharded_gram, sharded_losses
from sciml.training import Resampling

def equation(w, x, args):
    return w["last"] @ jnp.tanh(w["slope"] * x[0] + x[1]) - jnp.sin(args * x[0])

def both_ends(w, x, args):
    return jnp.stack([w["last"] @ jnp.tanh(w["slope"] * x), w["last"].sum() - x])

def blocks(key):
    points = (jax.random.uniform(key, (61,)), jnp.linspace(0, 1, 61))
    return [ResidualBlock("equation", equation, points), ResidualBlock("ends", both_ends, jnp.array([0.0, 1.0, 2.0]))]

start = {"slope": jnp.linspace(-2.0, 2.0, 7), "last": jnp.linspace(0.1, 0.5, 7)}
problem = LeastSquares(start, blocks(jax.random.key(0)), jnp.asarray(2.0))
flat = problem.flatten(start)
found = sharded_gram(problem, flat, all_devices(), 2000)
losses = sharded_losses(problem, np.stack([flat, 2 * flat]), all_devices(), 2000)
resampling = Resampling(lambda key, weights: blocks(key), every=4)
run = LevenbergMarquardt(max_steps=9, sharded=True, chunk_bytes=2000).minimise(
    start, blocks(jax.random.key(0)), jnp.asarray(2.0), key=jax.random.key(1), resampling=resampling)
if jax.process_index() == 0:
    trained = run.problem.flatten(run.weights)
    np.savez(sys.argv[1], matrix=found.matrix, gradient=found.gradient, losses=found.losses, at=losses,
             trained=trained, history=run.history["loss"], devices=len(jax.devices()), processes=jax.process_count())
"""


def start(path, devices, *arguments):
    flags = f"--xla_force_host_platform_device_count={devices} --xla_cpu_multi_thread_eigen=false"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1"}
    command = [sys.executable, "-c", SCRIPT, str(path), str(devices), *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def finished(*processes):
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors


@pytest.fixture(scope="module")
def one_device(tmp_path_factory):
    path = tmp_path_factory.mktemp("one") / "one.npz"
    finished(start(path, 1))
    return dict(np.load(path))


def same_numbers(found, expected):
    for name in ("matrix", "gradient", "losses", "at"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-13, err_msg=name)
    np.testing.assert_allclose(found["history"], expected["history"], rtol=1e-6)
    np.testing.assert_allclose(found["trained"], expected["trained"], rtol=1e-4, atol=1e-6)


def test_one_device_agrees_with_the_plain_gram_matrix(one_device):
    import jax

    from sciml.optimise import LevenbergMarquardt, gram, losses
    from sciml.training import Resampling

    names = {}
    exec(SCRIPT.split("found =")[0].replace("import sys", "import sys; sys.argv = ['']"), names)
    problem, flat = names["problem"], names["flat"]
    expected = gram(problem, flat)
    np.testing.assert_allclose(one_device["matrix"], expected.matrix, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(one_device["gradient"], expected.gradient, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(one_device["losses"], expected.losses, rtol=1e-12)
    np.testing.assert_allclose(one_device["at"], losses(problem, np.stack([flat, 2 * flat])), rtol=1e-12)
    run = LevenbergMarquardt(max_steps=9).minimise(
        names["start"],
        names["blocks"](jax.random.key(0)),
        problem.args,
        key=jax.random.key(1),
        resampling=Resampling(lambda key, weights: names["blocks"](key), every=4),
    )
    np.testing.assert_allclose(one_device["history"], run.history["loss"], rtol=1e-6)


def test_eight_devices_give_the_numbers_of_one(one_device, tmp_path):
    finished(start(tmp_path / "eight.npz", 8))
    found = dict(np.load(tmp_path / "eight.npz"))
    assert found["devices"] == 8
    same_numbers(found, one_device)


def test_two_processes_give_the_numbers_of_one(one_device, tmp_path):
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        address = f"localhost:{probe.getsockname()[1]}"
    finished(*[start(tmp_path / "two.npz", 2, address, number) for number in (0, 1)])
    found = dict(np.load(tmp_path / "two.npz"))
    assert (found["devices"], found["processes"]) == (4, 2)
    same_numbers(found, one_device)

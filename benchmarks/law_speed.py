"""`python -m benchmarks.law_speed --out FILE.json`: how fast is the particle method, and how exact are its slopes?

* forward: particle-steps per second of the corotated law with 10,648 and 29,791 particles on a grid of 1/32 m, in turns
  with a kernel of Taichi for the same scene and as many threads (`--threads`; Taichi is left out where its environment
  is not built, `python -m benchmarks.peers.environments taichi`);
* compile: seconds of compiling a march, and of compiling the gradient of one;
* epoch: gradient of networks for stress and flow over 1000 steps of 1000 particles, in windows of 25 steps as in the
  paper's first epoch and in one window, each in a process of its own with its peak memory;
* polar: gradient of the rotation of F against the exact formula at F = I, at two equal singular values and elsewhere.

Targets are what this library promises. Both codes run on as many cores as the command is given (`taskset -c 1`):
figures from a busy machine say little.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers.environments import Environment
from benchmarks.process import run_process
from benchmarks.provenance import provenance
from pde_zoo.bodies import thrown_cube
from pde_zoo.suites.nclaw import materials
from sciml.tensors import rotation
from solvers.mpm import MPM, InvariantNetworks, NeuralConstitutiveLaw
from solvers.mpm.learning import weighing_of, window_loss
from solvers.mpm.motion import motion_of, sizes_of, windows
from solvers.mpm.neural import NeuralPlastic
from solvers.mpm.scene import in_precision, start
from solvers.mpm.step import march, roll_out

Row = dict[str, Any]
SCRIPT = Path(__file__).parent / "peers" / "scripts" / "with_taichi.py"
SIDES = (22, 31)
"""Particles along an edge of the cube: 10,648 and 29,791 in all."""
STEPS, ROUNDS = 100, 5
SINGLE = MPM(spacing=1 / 32, dt=5e-4, single=True)
EPOCH_PARTICLES = 10
LIMIT = 1800.0

TARGETS = {
    "particle_steps_per_second": ("≥ 1.5e6", lambda value: value >= 1.5e6),
    "over_taichi": ("≥ 1", lambda value: value >= 1),
    "compile_seconds": ("≤ 10", lambda value: value <= 10),
    "compile_gradient_seconds": ("≤ 25", lambda value: value <= 25),
    "epoch_seconds": ("≤ 6", lambda value: value <= 6),
    "epoch_peak_mb": ("≤ 1000", lambda value: value <= 1000),
    "polar_error": ("≤ 1e-5", lambda value: value <= 1e-5),
}


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    jax.block_until_ready(work())
    return time.perf_counter() - began


def scene(side: int) -> tuple[Any, Any, Any]:
    """State, material and model of a thrown cube of jelly in single precision."""
    jelly = in_precision(materials()["jelly"], jnp.float32)
    plan = SINGLE.plan(thrown_cube(jelly, particles=side, t_end=STEPS * 5e-4), jelly)
    return start(plan.scene, jnp.float32), jelly, plan.model


def forward(side: int, steps: int = STEPS, rounds: int = ROUNDS) -> tuple[Row, np.ndarray]:
    """Particle-steps per second, median over rounds, seconds of compiling, and positions after the first steps."""
    state, jelly, model = scene(side)
    stepping = eqx.filter_jit(lambda s, m, model: march(s, m, model, steps))
    began = time.perf_counter()
    compiled = stepping.lower(state, jelly, model).compile()
    seconds_to_compile = time.perf_counter() - began
    after = compiled(state, jelly, model)
    seconds = [_timed(lambda: compiled(after, jelly, model)) for _ in range(rounds)]
    speed = side**3 * steps / statistics.median(seconds)
    row = {"particles": side**3, "particle_steps_per_second": speed, "compile_seconds": seconds_to_compile}
    return row, np.asarray(after.x).T


def taichi(side: int, threads: int, steps: int = STEPS, rounds: int = ROUNDS) -> tuple[Row, np.ndarray] | str:
    """The same by Taichi's kernel, or why not."""
    environment = Environment("taichi")
    if not environment.stamp:
        return environment.missing
    state, jelly, model = scene(side)
    low, high = np.asarray(model.grid.planes).T
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder) / "request.npz", Path(folder) / "answer.npz"
        np.savez(
            request, x=np.asarray(state.x).T, v=np.asarray(state.v).T, mass=model.mass[0], volume=model.volume[0],
            mu=jelly.elastic.shear, lame=jelly.elastic.lame, gravity=np.asarray(model.load)[:, 0], dt=model.dt,
            origin=model.grid.origin, spacing=model.grid.spacing, shape=np.asarray(model.grid.shape), low=low,
            high=high, steps=steps, rounds=rounds, threads=threads,
        )  # fmt: skip
        ended = run_process([str(environment.python), "-s", "-E", str(SCRIPT), str(request), str(answer)], LIMIT)
        if ended.code or not answer.exists():
            return ended.fate
        with np.load(answer, allow_pickle=False) as found:
            speed = side**3 * steps / statistics.median(found["seconds"].tolist())
            row = {"particles": side**3, "particle_steps_per_second": speed, "compile_seconds": float(found["compile"]),
                   "version": str(found["version"]), "peak_mb": ended.peak_memory_mb}  # fmt: skip
            return row, found["x"]


def side_by_side(side: int, threads: int, turns: int = 3, steps: int = STEPS) -> Row:
    """Ours and Taichi's in turns: medians, their ratio, and how far positions are apart after the first steps."""
    ours: list[Row] = []
    theirs: list[Row] = []
    apart, missing = float("nan"), ""
    for _ in range(turns):
        row, x = forward(side, steps)
        ours.append(row)
        if not missing:
            found = taichi(side, threads, steps)
            if isinstance(found, str):
                missing = found
            else:
                theirs.append(found[0])
                apart = float(np.abs(found[1] - x).max())

    def median(rows: list[Row], name: str) -> float:
        return statistics.median(row[name] for row in rows)

    speed = median(ours, "particle_steps_per_second")
    row = {"part": "forward", "particles": side**3, "particle_steps_per_second": speed,
           "compile_seconds": median(ours, "compile_seconds")}  # fmt: skip
    if not theirs:
        return row | {"taichi": missing}
    other = median(theirs, "particle_steps_per_second")
    return row | {"taichi_particle_steps_per_second": other, "over_taichi": speed / other, "apart": apart,
                  "taichi_compile_seconds": median(theirs, "compile_seconds"),
                  "taichi": theirs[0]["version"]}  # fmt: skip


def gradient_compile(side: int = EPOCH_PARTICLES, steps: int = STEPS) -> Row:
    """Seconds of compiling the gradient of a march by stiffness and initial velocity, and its speed."""
    state, jelly, model = scene(side)

    def loss(changed: tuple[Any, Any], model: Any) -> Any:
        material, v = changed
        return jnp.sum(roll_out(state._replace(v=v), material, model, 1, steps, remember=10).x ** 2)

    slopes = eqx.filter_jit(eqx.filter_grad(loss))
    began = time.perf_counter()
    compiled = slopes.lower((jelly, state.v), model).compile()
    row = {"part": "gradient of a march", "compile_gradient_seconds": time.perf_counter() - began}
    seconds = [_timed(lambda: compiled((jelly, state.v), model)) for _ in range(3)]
    return row | {"particle_steps_per_second_with_gradient": side**3 * steps / statistics.median(seconds)}


def epoch(length: int, total: int = 1000, side: int = EPOCH_PARTICLES) -> Row:
    """Seconds of the gradient of both networks over so many steps, in windows of some length."""
    simulator = NeuralConstitutiveLaw().simulator
    motion = motion_of(thrown_cube(materials()["jelly"], particles=side, t_end=total * 5e-4), simulator)
    sizes = sizes_of(motion)
    law = InvariantNetworks().draw(motion, sizes, jax.random.key(0))
    flow = NeuralPlastic.draw(3, sizes.strain, 1e-2 * sizes.stretch, jax.random.key(1), motion.model.dt.dtype)
    law = eqx.tree_at(lambda m: m.plastic, law, flow, is_leaf=lambda node: node is law.plastic)
    first, after = windows(motion, jnp.arange(0, total, length), length)
    slopes = eqx.filter_jit(eqx.filter_value_and_grad(window_loss))
    began = time.perf_counter()
    compiled = slopes.lower(law, motion.model, weighing_of(motion, sizes), first, after).compile()
    row: Row = {"part": "epoch", "window": length, "epoch_compile_seconds": time.perf_counter() - began}
    work = lambda: compiled(law, motion.model, weighing_of(motion, sizes), first, after)  # noqa: E731
    return row | {"epoch_seconds": statistics.median(_timed(work) for _ in range(3))}


def polar(dtype: Any = jnp.float32) -> Row:
    r"""Relative errors of $\partial_F\langle W,R(F)\rangle$ at some F, against its formula in double precision.

    With $F=U\Sigma V^\top$ and $\tilde W=U^\top WV$ it is $U K V^\top$,
    $K_{ij}=(\tilde W-\tilde W^\top)_{ij}/(\sigma_i+\sigma_j)$: smooth also where singular values coincide.
    """
    rng = np.random.default_rng(0)
    W, turn = rng.normal(size=(3, 3)), np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn = turn * np.sign(np.linalg.det(turn))
    places = {"identity": np.eye(3), "equal pair": turn @ np.diag([1.3, 1.3, 0.9]) @ turn.T,
              "near identity": np.eye(3) + 1e-4 * rng.normal(size=(3, 3)),
              "generic": np.eye(3) + 0.2 * rng.normal(size=(3, 3))}  # fmt: skip
    row: Row = {"part": "polar", "dtype": np.dtype(dtype).name}
    slope = jax.jit(jax.grad(lambda F: jnp.vdot(jnp.asarray(W, dtype), rotation(F))))
    for name, F in places.items():
        U, s, Vt = np.linalg.svd(F)
        turned = U.T @ W @ Vt.T
        exact = U @ ((turned - turned.T) / (s[:, None] + s[None])) @ Vt
        found = np.asarray(slope(jnp.asarray(F, dtype)), float)
        row[name] = float(np.linalg.norm(found - exact) / np.linalg.norm(exact))
    return row | {"polar_error": max(row["identity"], row["equal pair"])}


def _alone(part: str, *numbers: int) -> Row:
    """A part in a process of its own, with its peak memory."""
    command = [sys.executable, "-m", "benchmarks.law_speed", "--part", part, *map(str, numbers)]
    ended = run_process(command, LIMIT)
    if ended.code:
        return {"part": part, "numbers": numbers, "result": ended.fate}
    row = json.loads(ended.output.strip().splitlines()[-1])
    return row | ({"epoch_peak_mb": ended.peak_memory_mb} if part == "epoch" else {})


PARTS: dict[str, Callable[..., Row]] = {
    "forward": side_by_side, "gradient": gradient_compile, "epoch": epoch, "polar": polar,
}  # fmt: skip


def table(rows: list[Row]) -> str:
    """Markdown: every figure, with its target where it has one."""
    lines = ["| what | figure | target | kept |", "|---|---|---|---|"]
    for row in rows:
        named = ("particles", "window", "dtype")
        what = ", ".join([row["part"], *(f"{name} {row[name]}" for name in named if name in row)])
        for name, value in row.items():
            if name in ("part", *named):
                continue
            target, holds = TARGETS.get(name, ("", None))
            kept = "" if holds is None else "yes" if holds(value) else "**no**"
            shown = f"{value:.3g}" if isinstance(value, float) else str(value)
            lines.append(f"| {what}: {name.replace('_', ' ')} | {shown} | {target} | {kept} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Measure all parts, print the table, and write it; or one part in this process, as JSON."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of Taichi (default: cores)")
    reader.add_argument("--out", type=Path, default=Path("benchmarks/results/law_speed.json"))
    reader.add_argument("--part", choices=tuple(PARTS), help="only this part, in this process")
    reader.add_argument("numbers", nargs="*", type=int, help="of the part")
    asked = reader.parse_args(arguments)
    if asked.part is not None:
        sys.stdout.write(json.dumps(PARTS[asked.part](*asked.numbers)) + "\n")
        return
    rows = [_alone("forward", side, asked.threads) for side in SIDES]
    rows += [_alone("gradient"), *(_alone("epoch", length) for length in (25, 1000)), polar(), polar(jnp.float64)]
    made = provenance()
    command = f"python -m benchmarks.law_speed --threads {asked.threads} --out {asked.out}"
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps({"command": command, "provenance": made, "rows": rows}, indent=1) + "\n", "utf-8")
    where = f"`{command}` at {str(made['commit'])[:13]} on {made['processor']}, {made['cores']} cores"
    asked.out.with_suffix(".md").write_text(f"{where}\n\n{table(rows)}", "utf-8")
    sys.stdout.write(table(rows))


if __name__ == "__main__":
    main()

"""`python -m benchmarks.refit`: how well numbers and futures of chaotic systems are found from noisy samples.

Twelve systems of three dimensions on t in [0, 6], 192 samples; the first 64, with 2 % noise, are given. Numbers are
drawn from a box around their centres and rounded to three digits. Errors are relative L2 over samples 64 to 191 of all
components, in percent, against the clean and the noisy truth, capped at 1000; the expression error is that of the right
sides at 50 points of [-5, 5]^d. A failure is a fit whose sum of squares is by more than 10 above that of a search which
starts at the truth. Covered: the error is below twice the predicted spread. The protocol is that of PROSE
(arXiv:2309.16816); trajectories are our own.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.provenance import provenance
from pde_zoo.families.ode import THREE_DIMENSIONAL
from sciml.expr.evaluation import evaluate
from sciml.expr.leaves import Parameter
from sciml.family import ProblemFamily
from sciml.trajectories import Trajectories
from solvers.identification.data import Data, smooth
from solvers.identification.fitting import fit
from solvers.identification.forms import Edit, Form, edited, edits
from solvers.identification.refit import Refit, model_of, refit
from solvers.identification.selection import Settings, repair, select
from solvers.identification.shooting import Guess

GIVEN, NOISE, CAP = 64, 0.02, 10.0
PRIOR = 0.1
"""Width of the boxes that priors stand for, whatever the data come from."""
Row = dict[str, Any]


def draws(family: ProblemFamily, width: float, count: int, seed: int) -> tuple[Trajectories, np.ndarray]:
    """Trajectories of a box, and the same with noise."""
    made = family.widened(width).trajectories(jax.random.key(seed), count)
    return made, made.noisy(jax.random.key(1000 + seed), NOISE)


def errors(states: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Relative L2 errors of the future `(n,)`, capped."""
    difference = np.linalg.norm((states - truth)[:, GIVEN:], axis=(1, 2))
    error = difference / np.linalg.norm(truth[:, GIVEN:], axis=(1, 2))
    return np.where(np.isfinite(error), np.minimum(error, CAP), CAP)


def expression_errors(family: ProblemFamily, found: Mapping[str, Any], true: Mapping[str, Any]) -> np.ndarray:
    """Relative error of the right sides `(n,)` at 50 points."""
    points = np.random.default_rng(7).uniform(-5, 5, (len(family.unknowns), 50, 1))

    def sides(numbers: Mapping[str, Any]) -> np.ndarray:
        parameters = family.template.parameters
        values: dict[Any, Any] = dict(zip(family.unknowns, points, strict=True))
        values |= {parameters[name]: np.asarray(value) for name, value in numbers.items()}
        shape = (50, len(np.atleast_1d(next(iter(true.values())))))
        return np.stack([np.broadcast_to(v, shape) for v in evaluate(family.right_hand_sides, values)])

    right = sides(true)
    return np.sqrt(np.sum((sides(found) - right) ** 2, axis=(0, 1)) / np.sum(right**2, axis=(0, 1)))


def oracle_gap(family: ProblemFamily, made: Trajectories, noisy: np.ndarray, found: Refit) -> np.ndarray:
    """How far each sum of squares is above that of a search from the truth."""
    model = model_of(family, width=PRIOR)
    values = np.moveaxis(noisy[:, :GIVEN], 0, -1)
    start = Guess(model.raw(made.parameters), jnp.asarray(made.states[:, 0].T)[:, None])
    best = fit(
        model, Data.of(made.times[:GIVEN], values, model.freedom), noise=np.asarray(found.fit.noise), start=start
    )
    return np.asarray(found.fit.value - best.value)


def centre_states(family: ProblemFamily, made: Trajectories, noisy: np.ndarray) -> np.ndarray:
    """Trajectories with the centres of the boxes from the smoothed first sample."""
    data = Data.of(made.times[:GIVEN], np.moveaxis(noisy[:, :GIVEN], 0, -1), 3)
    first = smooth(data, made.times[:1, None])[0].T
    numbers = {name: jnp.full(len(made), value) for name, value in family.centre.items()}
    return np.asarray(family.integrate(numbers, first))


def single_start(family: ProblemFamily, made: Trajectories, noisy: np.ndarray) -> np.ndarray:
    """Trajectories of one Levenberg–Marquardt search from the centres, with the same prior."""
    model = model_of(family, width=PRIOR)
    data = Data.of(made.times[:GIVEN], np.moveaxis(noisy[:, :GIVEN], 0, -1), model.freedom)
    first = jnp.asarray(smooth(data, made.times[:1, None])[0])[:, None]
    start = Guess(jnp.broadcast_to(model.centre[:, None], (len(model.names), len(made))), first)
    found = fit(model, data, shared=True, start=start)
    return np.asarray(family.integrate(model.numbers(found.guess.raw), found.guess.states[:, 0].T))


def refit_rows(width: float, count: int, seeds: Sequence[int], *, baselines: bool) -> Iterator[Row]:
    """One row for each system, seed and method."""
    for family in THREE_DIMENSIONAL:
        for seed in seeds:
            made, noisy = draws(family, width, count, seed)
            begun, used = time.perf_counter(), time.process_time()
            found = refit(family, made.times[:GIVEN], noisy[:, :GIVEN], ahead=made.times, width=PRIOR)
            seconds, cpu = time.perf_counter() - begun, time.process_time() - used
            error = errors(found.states, made.states)
            deviation = np.moveaxis(np.asarray(found.prediction.deviation), -1, 0)
            spread = np.linalg.norm(deviation[:, GIVEN:], axis=(1, 2)) / np.linalg.norm(
                found.states[:, GIVEN:], axis=(1, 2)
            )
            row = _row("refit", family, width, seed, error, errors(found.states, noisy))
            row |= {"expression": expression_errors(family, found.parameters, made.parameters).tolist()}
            row |= {"failures": int(np.sum(oracle_gap(family, made, noisy, found) > 10))}
            row |= {"covered": (error < 2 * spread).tolist(), "guarded": int(found.prediction.guarded.sum())}
            yield row | {"seconds": seconds, "cpu": cpu}
            for name, method in BASELINES.items() if baselines else ():
                states = method(family, made, noisy)
                yield _row(name, family, width, seed, errors(states, made.states), errors(states, noisy))


def persistence(family: ProblemFamily, made: Trajectories, noisy: np.ndarray) -> np.ndarray:
    """The last given value for ever."""
    return np.broadcast_to(noisy[:, GIVEN - 1 : GIVEN], made.states.shape)


BASELINES: dict[str, Callable[[ProblemFamily, Trajectories, np.ndarray], np.ndarray]] = {
    "last value": persistence, "centre coefficients": centre_states, "single start": single_start,
}  # fmt: skip


def _row(method: str, family: ProblemFamily, width: float, seed: int, clean: np.ndarray, noisy: np.ndarray) -> Row:
    return {"method": method, "system": family.name, "box": width, "seed": seed, "clean": clean.tolist(),
            "noisy": noisy.tolist()}  # fmt: skip


def with_priors(family: ProblemFamily) -> Form:
    """The form of a family, its parameters with the prior of its boxes."""
    form = Form.of(family.template)
    boxes = family.widened(PRIOR).parameters
    made = {p.name: (boxes[p.name].mean, boxes[p.name].deviation) for p in form.parameters}
    return replace(form, parameters=tuple(Parameter(n, init=prior[0], prior=prior) for n, prior in made.items()))


def selection_rows(width: float, count: int, seeds: Sequence[int], *, corrupted: bool) -> Iterator[Row]:
    """Names of the forms that are chosen among the twelve, or among these and a corrupted version of each."""
    forms = [with_priors(family) for family in THREE_DIMENSIONAL]
    random = np.random.default_rng(1)
    twins = [edited(f, _corruption(f, random, k % 2 == 0)) for k, f in enumerate(forms)] if corrupted else []
    for seed in seeds:
        for k, family in enumerate(THREE_DIMENSIONAL):
            made, noisy = draws(family, width, count, seed)
            data = Data.of(made.times[:GIVEN], np.moveaxis(noisy[:, :GIVEN], 0, -1), len(family.unknowns))
            listed = [*forms, *twins]
            chosen = select(listed, data, 3, Settings(shared=True)).best
            yield {"choice": 12 + len(twins), "system": family.name, "box": width, "seed": seed,
                   "right": (chosen == k).tolist()}  # fmt: skip


def repair_rows(count: int, seeds: Sequence[int]) -> Iterator[Row]:
    """Rank of the truth among all edits of a corrupted guess: one deletion and one addition for a system and seed."""
    for seed in seeds:
        random = np.random.default_rng(100 + seed)
        for family in THREE_DIMENSIONAL:
            form = with_priors(family)
            made, noisy = draws(family, PRIOR, count, seed)
            data = Data.of(made.times[:GIVEN], np.moveaxis(noisy[:, :GIVEN], 0, -1), len(family.unknowns))
            for is_deletion in (True, False):
                guess = edited(form, _corruption(form, random, is_deletion))
                found = repair(guess, data, Settings(shared=True))
                truth = _truth_among(form, guess, found.edits)
                rank = [] if truth is None else (found.scores < found.scores[truth]).sum(axis=0).tolist()
                yield {"repair": "deletion" if is_deletion else "addition", "system": family.name, "seed": seed,
                       "guess": guess.name, "rank": rank, "out of reach": len(made) - len(rank)}  # fmt: skip


def _corruption(form: Form, random: np.random.Generator, is_deletion: bool) -> Edit:
    """A random deletion or addition."""
    possible = [e for e in edits(form) if (e.removed if is_deletion else e.added) is not None]
    return possible[int(random.integers(len(possible)))]


def _truth_among(form: Form, guess: Form, tried: Sequence[Edit]) -> int | None:
    """Which edit of the guess gives the true form back: its sides can take the true values everywhere; None if none."""
    points = np.random.default_rng(3).uniform(0.5, 2, (len(form.unknowns), 40))
    numbers = {p.name: p.init for p in form.parameters}

    def sides(candidate: Form, extra: float) -> np.ndarray:
        values: dict[Any, Any] = dict(zip(candidate.unknowns, points, strict=True))
        values |= {p: numbers.get(p.name, extra) for p in candidate.parameters}
        return np.stack([np.broadcast_to(np.asarray(v, float), 40) for v in evaluate(candidate.sides, values)])

    right = sides(form, 0.0)
    gaps = []
    for edit in tried:
        candidate = edited(guess, edit)
        zero, one = sides(candidate, 0.0), sides(candidate, 1.0)
        direction, missing = (one - zero).ravel(), (right - zero).ravel()
        size = float(direction @ direction)
        factor = float(direction @ missing) / size if size else 0.0
        surplus = 1e-9 * len(candidate.parameters)  # of two that can, the one with fewer numbers
        gaps.append(float(np.max(np.abs(missing - factor * direction))) + surplus)
    return int(np.argmin(gaps)) if min(gaps) < 1e-6 * float(np.max(np.abs(right))) else None


def table(rows: Sequence[Row]) -> str:
    """All rows as tables in Markdown, in percent."""
    columns = ("method", "box", "n", "mean", "mean of medians", "90 %", "99 %", "noisy mean", "expression", "failures",
               "covered")  # fmt: skip
    fits = [r for r in rows if "method" in r]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"] if fits else []
    for method, box in dict.fromkeys((r["method"], r["box"]) for r in fits):
        lines.append(_summary(method, box, [r for r in fits if (r["method"], r["box"]) == (method, box)]))
    lines += ["", "| system | mean | median | expression | failures |", "|---" * 5 + "|"] if fits else []
    for system in dict.fromkeys(r["system"] for r in fits):
        own = [r for r in fits if (r["method"], r["box"], r["system"]) == ("refit", PRIOR, system)]
        if own:
            clean, e = np.concatenate([r["clean"] for r in own]), np.concatenate([r["expression"] for r in own])
            lines.append(f"| {system} | {100 * clean.mean():.2f} | {100 * np.median(clean):.2f} | {100 * e.mean():.2f} "
                         f"| {sum(r['failures'] for r in own)} |")  # fmt: skip
    for choice, box in dict.fromkeys((r["choice"], r["box"]) for r in rows if "choice" in r):
        own = [r for r in rows if (r.get("choice"), r["box"]) == (choice, box)] if choice else []
        right = np.concatenate([r["right"] for r in own])
        lines.append(f"\n{choice} forms, box {box}: {100 * right.mean():.1f} % of {right.size} named exactly")
    for kind in dict.fromkeys(r["repair"] for r in rows if "repair" in r):
        own = [r for r in rows if r.get("repair") == kind]
        rank, lost = np.concatenate([r["rank"] for r in own]), sum(r["out of reach"] for r in own)
        first, five = (100 * np.mean(rank < n) for n in (1, 5))
        lines.append(f"\nrepair after one {kind}: truth first in {first:.1f} %, among five in {five:.1f} % of "
                     f"{rank.size}; for {lost} more the truth is no one-term edit of the guess")  # fmt: skip
    return "\n".join(lines) + "\n"


def _summary(method: str, box: float, own: Sequence[Row]) -> str:
    clean, noisy = (np.concatenate([r[name] for r in own]) for name in ("clean", "noisy"))
    systems = dict.fromkeys(r["system"] for r in own)
    medians = [np.median(np.concatenate([r["clean"] for r in own if r["system"] == s])) for s in systems]
    cells = [f"{100 * v:.2f}" for v in (clean.mean(), np.mean(medians), *np.quantile(clean, [0.9, 0.99]), noisy.mean())]
    if "expression" in own[0]:
        expression = np.concatenate([r["expression"] for r in own])
        covered = np.concatenate([r["covered"] for r in own])
        cells += [f"{100 * expression.mean():.2f}", str(sum(r["failures"] for r in own)), f"{100 * covered.mean():.1f}"]
    else:
        cells += ["—"] * 3
    return f"| {method} | {box} | {clean.size} | {' | '.join(cells)} |"


def _short(value: Any) -> Any:
    """Plain data with numbers of five digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, list):
        return [_short(item) for item in value]
    return {name: _short(item) for name, item in value.items()} if isinstance(value, dict) else value


def main() -> None:
    """Measure, print the tables, and write them with every number and where it comes from."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--trajectories", type=int, default=32, help="of each system and seed")
    reader.add_argument("--seeds", type=int, default=1)
    reader.add_argument("--parts", default="fit,boxes,choice,repair", help="some of fit, boxes, choice, repair")
    reader.add_argument("--out", type=Path, default=Path("benchmarks/results/refit.json"))
    asked = reader.parse_args()
    seeds, parts, n = range(asked.seeds), asked.parts.split(","), asked.trajectories
    command = f"python -m benchmarks.refit --trajectories {n} --seeds {asked.seeds} --parts {asked.parts}"
    jobs: list[Iterator[Row]] = []
    if "fit" in parts:
        jobs.append(refit_rows(PRIOR, n, seeds, baselines=True))
    if "boxes" in parts:
        jobs += [refit_rows(box, n, seeds, baselines=False) for box in (0.15, 0.2)]
    if "choice" in parts:
        jobs += [selection_rows(PRIOR, n, seeds, corrupted=corrupted) for corrupted in (False, True)]
    if "repair" in parts:
        jobs.append(repair_rows(min(n, 8), seeds))
    rows: list[Row] = []
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    begun, used = time.perf_counter(), time.process_time()
    for job in jobs:
        rows += job
        cost = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - used}
        record = {"command": command, "provenance": provenance(), "cost": cost, "table": table(rows), "rows": rows}
        asked.out.write_text(json.dumps(_short(record)), "utf-8")
        asked.out.with_suffix(".md").write_text(f"`{command}`\n\n{record['table']}", "utf-8")
    sys.stdout.write(table(rows) + f"\n{time.perf_counter() - begun:.0f} s, "
                     f"{time.process_time() - used:.0f} s of processor time\n")  # fmt: skip


if __name__ == "__main__":
    main()

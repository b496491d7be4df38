"""`python -m benchmarks.sindy`: sparse regression by PySINDy on the trajectories of `benchmarks.refit`.

Per trajectory 64 noisy samples, as there. Errors of the future are capped at 1000 %, which is what a model that escapes
gets; the expression error is that of the right sides at 50 points of [-5, 5]^d. The form is right if exactly the terms
of the truth are kept; where the truth is no sum of PySINDy's features it cannot be. The environment is that of
`python -m benchmarks.peers.environments pysindy`; settings stand in `benchmarks/peers/scripts/with_pysindy.py`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.catalogue import SCRIPTS
from benchmarks.peers.environments import Environment
from benchmarks.provenance import provenance
from benchmarks.refit import CAP, GIVEN, PRIOR, draws, errors
from pde_zoo.families.ode import THREE_DIMENSIONAL
from sciml.expr.evaluation import evaluate
from sciml.family import ProblemFamily

POINTS = np.random.default_rng(7).uniform(-5, 5, (50, 3))
ROUNDING = 1e-8


def asked(environment: Environment, times: np.ndarray, states: np.ndarray) -> dict[str, np.ndarray]:
    """What PySINDy answers for noisy states `(n, G, d)`."""
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder) / "request.npz", Path(folder) / "answer.npz"
        np.savez(request, times=times, states=states, points=POINTS)
        command = [str(environment.python), "-s", "-E", str(SCRIPTS / "with_pysindy.py"), str(request), str(answer)]
        subprocess.run(command, check=True)
        with np.load(answer) as found:
            return dict(found)


def true_sides(family: ProblemFamily, numbers: Mapping[str, Any]) -> np.ndarray:
    """Right sides `(P, d)` of one draw at the points; at time 0 where they depend on it."""
    values: dict[Any, Any] = dict(zip(family.unknowns, POINTS.T, strict=True))
    values |= {family.template.parameters[name]: value for name, value in numbers.items()}
    values[family.time] = 0.0
    return np.stack([np.broadcast_to(v, len(POINTS)) for v in evaluate(family.right_hand_sides, values)], axis=-1)


def true_terms(sides: np.ndarray, features: np.ndarray) -> np.ndarray | None:
    """Which features make the truth `(d, F)`, or None if they cannot."""
    found, *_ = np.linalg.lstsq(features, sides, rcond=None)
    if np.linalg.norm(features @ found - sides) > ROUNDING * np.linalg.norm(sides):
        return None
    return (np.abs(found) > ROUNDING * np.abs(found).max()).T


def row_of(family: ProblemFamily, count: int, seed: int, environment: Environment) -> dict[str, Any]:
    """One system and seed."""
    made, noisy = draws(family, PRIOR, count, seed)
    begun = time.perf_counter()
    answer = asked(environment, made.times, noisy[:, :GIVEN])
    seconds = time.perf_counter() - begun
    features, coefficients = answer["features"], answer["coefficients"]
    expression, right = [], []
    for k, own in enumerate(coefficients):
        sides = true_sides(family, {name: float(v[k]) for name, v in made.parameters.items()})
        terms = true_terms(sides, features)
        expression.append(float(np.linalg.norm(features @ own.T - sides) / np.linalg.norm(sides)))
        right.append(terms is not None and bool(np.array_equal(own != 0, terms)))
    return {"system": family.name, "seed": seed, "clean": errors(answer["paths"], made.states).tolist(),
            "expression": expression, "right": right, "seconds": seconds}  # fmt: skip


def table(rows: Sequence[dict[str, Any]]) -> str:
    """In percent, a line for each system and one for all."""
    lines = ["| system | n | mean | median | escaped | expression, median | right form |", "|---" * 7 + "|"]
    for name in [*dict.fromkeys(r["system"] for r in rows), "all"]:
        own = [r for r in rows if name in (r["system"], "all")]
        clean, e, right = (np.concatenate([r[key] for r in own]) for key in ("clean", "expression", "right"))
        cells = [f"{100 * v:.1f}" for v in (clean.mean(), np.median(clean), np.mean(clean >= CAP), np.median(e),
                                            right.mean())]  # fmt: skip
        lines.append(f"| {name} | {clean.size} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print the table, and write it with every number and where it comes from."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--trajectories", type=int, default=8, help="of each system and seed")
    reader.add_argument("--seeds", type=int, default=1)
    reader.add_argument("--out", type=Path, default=Path("benchmarks/results/sindy.json"))
    options = reader.parse_args()
    environment = Environment("pysindy")
    if not environment.stamp:
        sys.exit(environment.missing)
    command = f"python -m benchmarks.sindy --trajectories {options.trajectories} --seeds {options.seeds}"
    rows = [row_of(family, options.trajectories, seed, environment)
            for family in THREE_DIMENSIONAL for seed in range(options.seeds)]  # fmt: skip
    record = {"command": command, "provenance": provenance(), "table": table(rows), "rows": rows}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record), "utf-8")
    options.out.with_suffix(".md").write_text(f"`{command}`\n\n{record['table']}", "utf-8")
    sys.stdout.write(record["table"])


if __name__ == "__main__":
    main()

"""`python -m benchmarks.laws [SEEDS]`: are unknown functions learned from one trajectory, and do they foretell another?

Each law of the suite `laws` is learned from 300 observations with 2 % noise, with fresh points and noise for every
seed, and then foretells an unseen initial condition. Errors are relative L2: of the law over the range that the data
visited (of a law of which only differences act, less its value at the anchor), and of the prediction on the case's
grid. Covered is the share of places where the truth lies within two standard deviations; width is that of the law's
band, over the range of its values, where the data visited and a quarter of that range beyond.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.provenance import provenance
from pde_zoo.suites.laws import CASES, LAWS
from sciml import RESULTS, solve
from sciml.domains.grids import AbstractGrid
from sciml.learned_law import AbstractLearnedLaw
from solvers.classical import LawIdentification, Spectral

OUT = Path("benchmarks/results/laws.json")
TARGET = 0.03
_PLACES = 201
_BEYOND = 0.25

Row = dict[str, Any]


def rows_of(name: str, seeds: int) -> list[Row]:
    """One row a seed, of one law."""
    case = {c.name: c for c in CASES}
    law, unseen = LAWS[name], case[f"laws/{name}_unseen"].problem()
    truth, grid = solve(unseen, Spectral(rtol=1e-9)), case[f"laws/{name}_unseen"].grid(unseen)
    rows = []
    for seed in range(seeds):
        began = time.perf_counter()
        found = solve(case[f"laws/{name}"].problem(seed=seed), LawIdentification(), throw=False)
        row: Row = {"law": name, "seed": seed, "result": found.result.name, "seconds": time.perf_counter() - began}
        if found.result is RESULTS.successful:
            learned = found.problem.bindings[law.law]
            row |= law_scores(learned, law.truth)
            began = time.perf_counter()
            row |= prediction_scores(solve(unseen.bind(law.law, learned), LawIdentification()), truth, grid)
            row |= {"prediction_seconds": time.perf_counter() - began, "misfit": found.stats.extra["misfit"]}
        rows.append(row)
    return rows


def law_scores(learned: AbstractLearnedLaw, truth: Any) -> Row:
    """Error and coverage over the visited range, and the width of the band there and beyond."""
    low, high = learned.visited
    at, reach = np.linspace(low, high, _PLACES), _BEYOND * (high - low)
    anchor = float(getattr(learned, "anchor", np.nan))
    true = np.asarray(truth(at)) - (float(truth(anchor)) if np.isfinite(anchor) else 0.0)
    below, above = learned.band(at)
    beyond = [float(np.ptp(learned.band(place))) for place in (low - reach, high + reach)]
    size = float(np.ptp(true))
    return {
        "law_error": float(np.linalg.norm(learned.at(at) - true) / np.linalg.norm(true)),
        "law_covered": float(np.mean((true >= below) & (true <= above))),
        "width": float(np.mean(above - below)) / size,
        "width_beyond": max(beyond) / size,
        "visited": [low, high],
    }


def prediction_scores(predicted: Any, truth: Any, grid: AbstractGrid) -> Row:
    """Error of the fields, and coverage after the start, where they are given."""
    points = grid.points()
    time_name = predicted.problem.time.name
    later = np.asarray(points[time_name]) > predicted.problem.domain.bounds[time_name][0]
    mean, exact = predicted.on_grid(grid)["u"], truth.on_grid(grid)["u"]
    spread = predicted.on_grid(grid, predicted.deviation)["u"]
    (extrapolated,) = (v for k, v in predicted.stats.extra.items() if k.endswith("extrapolated"))
    return {
        "prediction_error": float(np.linalg.norm(mean - exact) / np.linalg.norm(exact)),
        "prediction_covered": float(np.mean((np.abs(mean - exact) <= 2 * spread)[later])),
        "extrapolated": extrapolated,
    }


def table(rows: list[Row]) -> str:
    """The rows in Markdown, with the worst prediction of each law against the target."""
    columns = ("law", "seed", "result", "law_error", "law_covered", "width", "width_beyond", "prediction_error",
               "prediction_covered", "seconds", "prediction_seconds")  # fmt: skip
    lines = [f"| {' | '.join(c.replace('_', ' ') for c in columns)} |", "|---" * len(columns) + "|"]
    lines += [f"| {' | '.join(_short(row.get(c)) for c in columns)} |" for row in rows]
    lines.append("")
    for name in dict.fromkeys(row["law"] for row in rows):
        own = [row for row in rows if row["law"] == name]
        worst = max(row.get("prediction_error", np.inf) for row in own)
        covered = np.mean([row.get("law_covered", 0.0) for row in own])
        kept = "kept" if worst <= TARGET else "missed"
        lines.append(f"{name}: largest prediction error {worst:.2%}, target {TARGET:.0%} {kept}; "
                     f"law covered {covered:.0%} on average\n")  # fmt: skip
    return "\n".join(lines)


def _short(value: Any) -> str:
    if value is None:
        return "—"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def main(seeds: int = 5) -> None:
    """Measure, print the table, and write it with every number and where it comes from."""
    rows: list[Row] = []
    for name in LAWS:
        rows += rows_of(name, seeds)
        sys.stdout.write(table([row for row in rows if row["law"] == name]) + "\n")
        sys.stdout.flush()
    command = f"python -m benchmarks.laws {seeds}"
    OUT.parent.mkdir(parents=True, exist_ok=True)
    made = provenance()
    OUT.write_text(json.dumps({"command": command, "provenance": made, "rows": rows}, indent=1) + "\n", "utf-8")
    where = f"`{command}` at {str(made['commit'])[:13]} on {made['processor']}"
    OUT.with_suffix(".md").write_text(f"{where}\n\n{table(rows)}", "utf-8")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""`python -m benchmarks.law_generalisation MATERIAL… --out DIR`: how far do learned laws carry?

Each method learns the law of each material from one motion of a cube (`nclaw/…`), and the law is then bound to scenes
that it has not seen: twice the time span (of water five times), three other throws, a torus, an ellipsoid, a dumbbell,
a tilted box, a collision of two bodies; and where jelly and water are both asked for, jelly in water. The figure is
that of the paper: the mean over every fifth step of the mean square distance between positions, in m², from the same
simulator with the true law.

`DIR/rows.jsonl` has one line for each material, method and scene, failures too, with where it comes from, and
`DIR/table.md` is made of it. The same command goes on after a kill: learned laws are read back from `DIR/laws`.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

import numpy as np

from benchmarks.provenance import provenance
from benchmarks.result_file import ResultFile, result_file
from pde_zoo.suites.nclaw import SCENES, jelly_in_water, materials
from sciml import AbstractSolver, Problem, load, solve
from sciml.errors import SciMLError
from sciml.material import Material
from sciml.trajectory import Trajectory
from solvers.mpm import (
    MPM,
    EnergyNetwork,
    LabelledLaw,
    MaterialIdentification,
    NeuralConstitutiveLaw,
    PlainNetworks,
    Splines,
)

Row = dict[str, Any]
EVERY = 5
"""Steps between the positions that are compared."""
REFUSED = "refused"
LEARNED, POOL = "reconstruction", "jelly in water"
KEPT, BELOW = 3.0, 30.0
"""Promises: times the reconstruction's figure for longer spans and other throws; times below the plain baselines."""

METHODS: dict[str, AbstractSolver] = {
    "neural_law": NeuralConstitutiveLaw(),
    "plain": NeuralConstitutiveLaw(form=PlainNetworks()),
    "spline": NeuralConstitutiveLaw(form=Splines()),
    "labelled": LabelledLaw(),
    "material_identification": MaterialIdentification(),
    "energy": NeuralConstitutiveLaw(form=EnergyNetwork()),
    "polyconvex": NeuralConstitutiveLaw(form=EnergyNetwork(polyconvex=True)),
    "plain_no_flow": NeuralConstitutiveLaw(form=PlainNetworks(flows=False)),
    "spline_no_flow": NeuralConstitutiveLaw(form=Splines(flows=False)),
}
"""What learns; the last two are the baselines as the paper has them, which never flow."""
USUAL = ("neural_law", "plain", "spline", "labelled", "material_identification")


@final
@dataclass(frozen=True)
class Setting:
    """What is measured with what.

    Attributes:
        out: folder.
        simulator: the particle method, for truths and learned laws alike.
        methods: what learns, by name.
        scenes: by name; the first is the one that is learned from.
        seconds: budget of each training; None for none.
        seed: of weights and windows.
    """

    out: Path
    simulator: MPM = field(default_factory=lambda: MPM(spacing=0.05, dt=5e-4, single=True, mass_floor=8e-7))
    methods: Mapping[str, AbstractSolver] = field(default_factory=lambda: {name: METHODS[name] for name in USUAL})
    scenes: Mapping[str, Callable[[str, Material], Problem]] = field(default_factory=lambda: SCENES)
    seconds: float | None = None
    seed: int = 0


def measure(asked: Mapping[str, Material], setting: Setting) -> list[Row]:
    """Rows of all cells, those of an earlier run among them.

    Args:
        asked: true materials by name.
        setting: methods, scenes, folder.
    """
    with result_file(setting.out / "rows.jsonl") as file:
        laws: dict[tuple[str, str], Material | str] = {}
        for name, true in asked.items():
            paths: dict[str, Trajectory] = {}
            for method in setting.methods:
                laws[name, method] = law = _learned(name, true, method, setting, file)
                for scene, build in setting.scenes.items():
                    _cell(file, setting, (name, method, scene), lambda m, b=build, n=name: b(n, m), true, law, paths)
        if {"jelly", "water"} <= set(asked):
            paths = {}
            for method in setting.methods:
                pair = laws["jelly", method], laws["water", method]
                told = next((law for law in pair if isinstance(law, str)), pair)
                true = asked["jelly"], asked["water"]
                _cell(file, setting, (POOL, method, POOL), lambda two: jelly_in_water(*two), true, told, paths)
        return list(file.rows)


def _learned(name: str, true: Material, method: str, setting: Setting, file: ResultFile) -> Material | str:
    """The law that a method learns, from an earlier run or now; a sentence if there is none."""
    key, folder = _key(setting, name, method, "training"), setting.out / "laws" / f"{name} {method} {setting.seed}"
    earlier = next((row for row in file.rows if row["key"] == key), None)
    if earlier is not None and earlier["result"].startswith(REFUSED):
        return earlier["result"]
    if earlier is not None:
        return load(folder).problem.bindings["stress"]
    problem = next(iter(setting.scenes.values()))(name, true)
    began = time.perf_counter()
    row: Row = {
        "key": key,
        "material": name,
        "method": method,
        "scene": "training",
        "solver": repr(METHODS.get(method)),
    }
    try:
        found = solve(problem, setting.methods[method], key=setting.seed, budget=setting.seconds, throw=False)
    except SciMLError as error:
        sentence = f"{REFUSED}: {error}"
        file.append(row | {"result": sentence, "provenance": provenance()})
        return sentence
    found.save(folder)
    training = {"result": found.result.name, "seconds": time.perf_counter() - began,
                "training_seconds": found.stats.extra["training_seconds"], "updates": found.stats.iterations,
                "weights": found.stats.unknowns, "provenance": provenance()}  # fmt: skip
    file.append(row | training)
    return found.problem.bindings["stress"]


def _cell(
    file: ResultFile,
    setting: Setting,
    place: tuple[str, str, str],
    scene: Callable[[Any], Problem],
    true: Any,
    law: Any,
    paths: dict[str, Trajectory],
) -> None:
    """One row: a law in a scene, beside the true one, which is followed once for each scene."""
    name, method, title = place
    key = _key(setting, *place)
    if any(row["key"] == key for row in file.rows):
        return
    row: Row = {"key": key, "material": name, "method": method, "scene": title, "error": None}
    if isinstance(law, str):
        file.append(row | {"result": law, "provenance": provenance()})
        return
    if title not in paths:
        truth = _followed(scene(true), setting.simulator)
        assert isinstance(truth.representation, Trajectory) and truth.result.has_solution  # a truth of the zoo
        paths[title] = truth.representation
    began = time.perf_counter()
    moved = _followed(scene(law), setting.simulator)
    if moved.result.has_solution:
        row["error"] = distance(moved.representation, paths[title])  # type: ignore[arg-type]
    file.append(row | {"result": moved.result.name, "seconds": time.perf_counter() - began,
                       "particles": int(paths[title].X.shape[0]), "provenance": provenance()})  # fmt: skip


def _followed(scene: Problem, simulator: MPM) -> Any:
    start, end = scene.domain.bounds["t"]
    steps = round((end - start) / simulator.dt) if simulator.dt else EVERY * simulator.frames
    return solve(scene, replace(simulator, frames=max(steps // EVERY, 1)), throw=False)


def distance(one: Trajectory, other: Trajectory) -> float:
    """Mean square distance of a coordinate in m², over particles and kept times, of which both have the same."""
    return float(np.mean((np.asarray(one.x) - np.asarray(other.x)) ** 2))


def _key(setting: Setting, name: str, method: str, scene: str) -> str:
    return f"{name}/{method}/{scene}/{setting.seed}/{setting.seconds}"


def table(rows: Sequence[Row]) -> str:
    """Markdown: a table for each material with a column for each method, and which promises hold."""
    lines: list[str] = []
    for name in dict.fromkeys(row["material"] for row in rows):
        own = [row for row in rows if row["material"] == name]
        methods = list(dict.fromkeys(row["method"] for row in own))
        lines += [f"## {name}", "", f"| scene | {' | '.join(methods)} |", "|---" * (len(methods) + 1) + "|"]
        for scene in dict.fromkeys(row["scene"] for row in own):
            found = {row["method"]: row for row in own if row["scene"] == scene}
            lines.append(f"| {scene} | {' | '.join(_shown(found.get(method)) for method in methods)} |")
        lines += ["", *(f"* {sentence}" for sentence in promises(own)), ""]
    return "\n".join(lines)


def _shown(row: Row | None) -> str:
    if row is None:
        return "—"
    if row["scene"] == "training":
        seconds = f" in {row['training_seconds']:.0f} s" if "training_seconds" in row else ""
        return row["result"].replace("_", " ") + seconds
    ended = "" if row["result"] == "successful" else f" ({row['result'].replace('_', ' ')})"
    return f"{_error(row):.1e}{ended}" if math.isfinite(_error(row)) else f"failed{ended}"


def _error(row: Row) -> float:
    return math.inf if row["error"] is None else row["error"]


def promises(rows: Sequence[Row]) -> list[str]:
    """Of the learned law of one material: whether it keeps its figure in time and other throws, and beats the plain."""
    error = {(row["method"], row["scene"]): _error(row) for row in rows if row["scene"] != "training"}
    scenes = dict.fromkeys(scene for method, scene in error if method == "neural_law")
    first, said = error.get(("neural_law", LEARNED)), []
    kept = [scene for scene in scenes if scene == "time" or scene.startswith("velocity")]
    if first is not None and kept:
        worst = max(kept, key=lambda scene: error["neural_law", scene])
        ratio = error["neural_law", worst] / first
        said.append(f"longer spans and other throws: at most {ratio:.3g} times the figure of the reconstruction "
                    f"({worst}); promised ≤ {KEPT:g}: {'kept' if ratio <= KEPT else 'missed'}")  # fmt: skip
    for method in ("plain", "spline"):
        shared = [scene for scene in scenes if (method, scene) in error and math.isfinite(error["neural_law", scene])]
        if shared:
            ratios = {scene: error[method, scene] / error["neural_law", scene] for scene in shared}
            least = min(ratios, key=lambda scene: ratios[scene])
            held = sum(ratio >= BELOW for ratio in ratios.values())
            said.append(f"{method}: {ratios[least]:.3g} times the error of neural_law or more (least in {least}); "
                        f"promised ≥ {BELOW:g}: kept in {held} of {len(scenes)} scenes")  # fmt: skip
    return said


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table and write it."""
    known = materials()
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("materials", nargs="+", choices=tuple(known), metavar="MATERIAL", help=", ".join(known))
    reader.add_argument("--methods", default=",".join(USUAL), help=f"separated by commas, of {', '.join(METHODS)}")
    reader.add_argument("--seconds", type=float, help="budget of each training (default: none)")
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--out", type=Path, required=True, help="folder")
    asked = reader.parse_args(arguments)
    names = asked.methods.split(",")
    if not set(names) <= set(METHODS):
        reader.error(f"--methods {asked.methods}; it needs some of {', '.join(METHODS)}")
    setting = Setting(asked.out, methods={m: METHODS[m] for m in names}, seconds=asked.seconds, seed=asked.seed)
    rows = measure({name: known[name] for name in dict.fromkeys(asked.materials)}, setting)
    command = f"python -m benchmarks.law_generalisation {' '.join(sys.argv[1:] if arguments is None else arguments)}"
    made = rows[-1]["provenance"]
    where = f"`{command}` at {str(made['commit'])[:13]} on {made['processor']}, {made['cores']} cores"
    (asked.out / "table.md").write_text(f"{where}\n\n{table(rows)}", "utf-8")
    sys.stdout.write(table(rows) + "\n")


if __name__ == "__main__":
    main()

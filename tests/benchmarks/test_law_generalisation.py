"""Tables of learned laws in other scenes: rows, what is read back, promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.law_generalisation import Setting, measure, promises, table
from pde_zoo.bodies import jelly_drop
from pde_zoo.materials import Corotated
from pde_zoo.suites.nclaw import SCENES, jelly_in_water, materials
from sciml import Problem
from sciml.domains.bodies import Bodies
from sciml.material import Material
from solvers.mpm import MPM, LabelledLaw, Stage

SMALL = MPM(spacing=0.05, dt=2e-3, single=True)
SOFT = Material(Corotated(5e4, 0.3))


def dropped(t_end: float) -> Callable[[str, Material], Problem]:
    return lambda _name, law: jelly_drop(t_end=t_end, particles=6).bind("stress", law)


def test_laws_are_learned_and_carried_over_and_a_second_run_reads_them_back(tmp_path: Path) -> None:
    learner = LabelledLaw(SMALL, Stage(1, 4, 3, 1e-3))
    setting = Setting(
        tmp_path,
        SMALL,
        {"labelled": learner, "refused": replace(learner, simulator=replace(SMALL, dt=None))},
        {"reconstruction": dropped(0.1), "time": dropped(0.12)},
    )
    rows = measure({"soft": SOFT}, setting)
    assert [(row["method"], row["scene"]) for row in rows] == [
        (method, scene) for method in setting.methods for scene in ("training", "reconstruction", "time")
    ]
    assert rows[0]["updates"] == 3 and rows[0]["weights"] > 1000
    assert all(0 < row["error"] < 1e-2 for row in rows[1:3])
    assert all("simulator without its step" in row["result"] for row in rows[3:])
    assert [row["error"] for row in rows[4:]] == [None, None]
    assert all(row["provenance"]["versions"]["jax"] for row in rows)
    assert measure({"soft": SOFT}, setting) == rows
    text = (tmp_path / "rows.jsonl").read_text().splitlines(keepends=True)
    assert [json.loads(line) for line in text] == rows
    (tmp_path / "rows.jsonl").write_text("".join(text[:2]))  # killed before the second scene
    again = measure({"soft": SOFT}, setting)
    assert [row.get("error") for row in again] == [row.get("error") for row in rows]
    assert "| time |" in table(rows)


def row(method: str, scene: str, error: float | None) -> dict[str, object]:
    return {"material": "m", "method": method, "scene": scene, "error": error, "result": "successful"}


def test_promises_compare_with_the_reconstruction_and_with_the_plain_baselines() -> None:
    rows = [
        row("neural_law", "reconstruction", 1e-6),
        row("neural_law", "time", 2e-6),
        row("neural_law", "torus", 1e-5),
    ]
    rows += [row("plain", "reconstruction", 1e-4), row("plain", "time", None), row("plain", "torus", 1e-4)]
    said = promises(rows)
    assert "2 times" in said[0] and "kept" in said[0] and "(time)" in said[0]
    assert "10 times" in said[1] and "least in torus" in said[1] and "2 of 3" in said[1]
    assert "| torus | 1.0e-05 | 1.0e-04 |" in table(rows) and "failed" in table(rows)


def test_scenes_lie_in_their_container_and_share_their_number_of_particles() -> None:
    known = materials()
    for scene, build in SCENES.items():
        problem = build("water", known["water"])
        domain = problem.domain
        assert MPM(spacing=0.05, dt=5e-4).check(problem) == []
        assert isinstance(domain, Bodies)
        assert domain.points.shape[1] == (1024 if scene == "contact" else 1000)
        assert domain.points.min() >= 0.1 and domain.points.max() <= 0.9
        assert domain.bounds["t"][1] == {"time": 2.5}.get(scene, 0.5)
    pool = jelly_in_water(known["jelly"], known["water"])
    assert list(pool.bindings["stress"].order) == ["first", "second"]
    assert MPM(spacing=0.05, dt=5e-4).check(pool) == []

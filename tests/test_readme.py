"""The README's examples run, and give the right answers; what it lists is what exists."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pde_zoo
from sciml import uniform_grid
from sciml.cli import LIBRARY, main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
FORWARD, INVERSE, OWN, WAVES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def run(example: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Names of an example after it ran in an empty folder."""
    monkeypatch.chdir(folder)
    path = folder / "example.py"
    path.write_text(example, "utf-8")
    return runpy.run_path(str(path))


def test_two_solvers_agree_with_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run(FORWARD, tmp_path, monkeypatch)
    truth = pde_zoo.burgers(nu=0.1 / np.pi).reference
    grid = uniform_grid(names["domain"], {"t": 21, "x": 81})
    assert names["spectral"].errors(truth, grid)["u"]["relative_l2"] < 1e-8
    assert names["network"].errors(truth, grid)["u"]["relative_l2"] < 2e-2
    assert np.max(np.abs(names["difference"])) < 2e-2
    with Image.open(tmp_path / "burgers.png") as picture:
        assert picture.width > 500


def test_the_viscosity_is_found_with_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    viscosity = run(INVERSE, tmp_path, monkeypatch)["viscosity"]
    assert viscosity.value == pytest.approx(0.05, rel=0.05)
    assert 0 < viscosity.standard_error < 0.05


def test_heat_flows_through_the_joint_of_two_metals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run(OWN, tmp_path, monkeypatch)
    u = names["table"].u.sel(t=1.0)
    assert u.sizes == {"x": 101}
    assert 0 < float(u.max()) < 1
    assert float(u.sel(x=0.25, method="nearest")) < float(u.sel(x=0.75, method="nearest"))
    joint = 0.4875  # where the nearest of the 41 data changes
    left, right = (
        np.diff(names["temperature"](t=1.0, x=[joint + a, joint + b]))[0]
        for a, b in ((-0.0075, -0.0025), (0.0025, 0.0075))
    )
    assert right / left == pytest.approx(0.2 / 0.05, rel=0.1)  # the flux is continuous, the slope is not


def test_the_high_frequencies_are_found_with_a_band_that_covers_the_error(tmp_path: Path, monkeypatch) -> None:
    names = run(WAVES, tmp_path, monkeypatch)
    x = np.linspace(0, 2 * np.pi, 1001)[1:-1]
    error = np.abs(names["waves"](x=x) - names["waves"].problem.reference({"x": x})["u"])
    assert np.max(error) < 1e-9
    assert np.mean(error <= 2 * names["waves"].std(x=x)) > 0.9
    with Image.open(tmp_path / "high_frequency.png") as picture:
        assert picture.width > 500


def test_every_command_that_it_shows_exists() -> None:
    shown = re.findall(r"^sciml (\w+)", README, re.MULTILINE)
    assert set(shown) == set(main.commands)


def test_it_says_which_solvers_exist() -> None:
    present = re.findall(r"`(\w+)`", re.findall(r"^\| solvers \| (.*) \|$", README, re.MULTILINE)[0])
    assert sorted(present) == sorted(LIBRARY.solvers)
    for name in present:
        assert LIBRARY.solver_class(name)


def test_its_links_and_its_picture_exist() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
    with Image.open(ROOT / "docs" / "images" / "burgers.png") as picture:
        picture.load()
        assert picture.width >= 800
    assert (ROOT / "docs" / "images" / "burgers.png").stat().st_size < 300_000

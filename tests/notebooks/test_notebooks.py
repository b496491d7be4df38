"""Every notebook runs in a fresh process, holds no outputs, and asserts what it claims."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import jupytext
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))
TOUR = FOLDER / "01_ten_minute_tour.py"


def test_there_are_notebooks_and_each_opens_with_a_title_and_asserts_something() -> None:
    assert len(NOTEBOOKS) >= 8
    for path in NOTEBOOKS:
        book = jupytext.read(path)
        assert book.cells[0].cell_type == "markdown" and book.cells[0].source.startswith("# "), path.name
        assert any("assert " in cell.source for cell in book.cells if cell.cell_type == "code"), path.name
        assert not any(cell.get("outputs") for cell in book.cells), path.name


@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if path != TOUR], ids=lambda path: path.stem)
def test_a_notebook_runs_in_a_fresh_process(path: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    ended = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert list(tmp_path.iterdir()) == []


def test_the_tour_shows_its_pictures_and_sliders_in_jupyter(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the kernel's own packages
        from nbclient import NotebookClient

        book = jupytext.read(TOUR)
        NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    shown: set[str] = set()
    for cell in book.cells:
        for output in cell.get("outputs", []):
            shown |= set(output.get("data", {}))
    assert {"text/latex", "image/png", "text/html", "application/vnd.jupyter.widget-view+json"} <= shown
    texts = [
        o["data"]["text/html"] for c in book.cells for o in c.get("outputs", []) if "text/html" in o.get("data", {})
    ]
    assert any("<img" in text for text in texts)

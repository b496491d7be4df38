"""The page in a real browser: it sorts, filters, fits a phone, and says nothing on the console."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.cuts import write_cut
from benchmarks.report import write_report
from tests.benchmarks.test_report import FACTS, ROWS, plane, sweep

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium: apt-get install chromium to run these tests")

PROBE = """
<script>
addEventListener("load", () => {
  const heads = Array.from(document.querySelectorAll("#all th[scope=col]"));
  const column = heads.findIndex((head) => head.textContent.trim() === "relative L2");
  const texts = () => Array.from(document.querySelectorAll("#all tbody tr")).filter((r) => !r.hidden)
    .map((row) => row.cells[column].textContent);
  const said = { before: texts() };
  const button = heads[column].querySelector("button");
  button.click();
  said.up = texts();
  said.sort = heads.map((head) => head.getAttribute("aria-sort"));
  button.click();
  said.down = texts();
  const filter = document.getElementById("filter");
  filter.value = "plate gp";
  filter.dispatchEvent(new Event("input"));
  said.filtered = texts();
  said.status = document.getElementById("filtered").textContent;
  said.width = document.documentElement.scrollWidth - innerWidth;
  said.broken = Array.from(document.images).filter((image) => !image.naturalWidth).length;
  button.focus();
  said.focus = document.activeElement === button;
  document.body.dataset.said = JSON.stringify(said);
});
</script>
"""


def look(page: Path, size: str) -> tuple[dict, str]:
    """What the probe says of the page in a window, and what came out on the console."""
    assert BROWSER is not None
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={size}"]
    quiet = ["--enable-logging=stderr", "--virtual-time-budget=3000", "--dump-dom"]
    profile = f"--user-data-dir={page.parent / ('profile' + size)}"
    ended = subprocess.run(
        [BROWSER, *options, *quiet, profile, page.as_uri()], capture_output=True, text=True, timeout=90, check=True
    )
    said = re.search(r'data-said="([^"]*)"', ended.stdout)
    assert said, ended.stdout[-2000:] + ended.stderr[-2000:]
    console = "\n".join(line for line in ended.stderr.splitlines() if "CONSOLE" in line)
    return json.loads(said[1].replace("&quot;", '"')), console


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = sweep(tmp_path_factory.mktemp("sweep"), ROWS, FACTS)
    write_cut(folder / "cuts", ROWS[0]["key"], plane().packed())
    write_report(folder)
    probed = folder / "probed.html"
    text = (folder / "report.html").read_text("utf-8")
    probed.write_text(text.replace("</body>", f"{PROBE}</body>"), "utf-8")
    return probed


@pytest.mark.parametrize("size", ["1280,900", "500,900"])
def test_the_table_sorts_and_filters_and_the_page_fits(page: Path, size: str) -> None:
    said, console = look(page, size)
    assert console == ""
    assert said["before"] == ["2.0e-09", "2.0e-03", "1.0e-06", "1.0e+00", "1.0e-05", "none", "none"]
    assert said["up"] == ["2.0e-09", "1.0e-06", "1.0e-05", "2.0e-03", "1.0e+00", "none", "none"]
    assert said["down"] == said["up"][-2:] + said["up"][4::-1]
    assert said["sort"].count("ascending") == 1 and said["sort"].count("none") == 17
    assert (said["filtered"], said["status"]) == (["none"], "1 rows")
    assert said["width"] <= 0
    assert said["broken"] == 0 and said["focus"]

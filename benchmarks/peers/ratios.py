"""`python -m benchmarks.peers.ratios DIR`: errors of peers over ours on the same case with the same seconds.

One line for each promise and each of our learned configurations. Errors are medians over the seeds, a failed run
counting as infinite; how our runs ended is in the line, because an error below a promise is no success by itself.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import click

from benchmarks.report.entries import UNASKED, Entry
from benchmarks.report.numbers import figure
from benchmarks.report.verdicts import Findings, read_findings
from benchmarks.suite import PEER
from sciml.errors import SciMLError

OURS = ("pinn", "pig")
"""Our learned solvers, which the promises are about."""


@final
@dataclass(frozen=True)
class Promise:
    """On a case, our error is at least so many times below a peer's."""

    case: str
    peer: str
    factor: float


_CASES = ("records/helmholtz_1_4", "records/burgers")
PROMISES = (
    *(Promise(case, f"{PEER}deepxde", 100) for case in _CASES),
    *(Promise(case, f"{PEER}jinns", 3) for case in _CASES),
)


@final
@dataclass(frozen=True)
class Ratio:
    """What was found of a promise by one of our configurations.

    Attributes:
        promise: what was promised.
        peer: its runs.
        ours: our runs, with the same budget.
    """

    promise: Promise
    peer: Entry
    ours: Entry

    @property
    def value(self) -> float:
        """The peer's error over ours, 0 where ours failed; NaN where the peer was not asked or failed itself."""
        if not math.isfinite(self.peer.error) or math.isnan(self.ours.error):
            return math.nan
        return self.peer.error / self.ours.error if self.ours.error > 0 else math.inf

    @property
    def holds(self) -> bool | None:
        """None where nothing can be said."""
        return None if math.isnan(self.value) else self.value >= self.promise.factor


def ratios(findings: Findings, promises: Sequence[Promise] = PROMISES) -> Iterator[Ratio]:
    """Every pair of runs that a promise is about: the same case, the same budget."""
    for promise in promises:
        own = [entry for entry in findings.entries if entry.case == promise.case]
        for peer in (entry for entry in own if entry.solver == promise.peer):
            for ours in own:
                if ours.solver in OURS and ours.results[0]["budget"] == peer.results[0]["budget"]:
                    yield Ratio(promise, peer, ours)


def table(found: Sequence[Ratio]) -> list[str]:
    """Markdown."""
    head = ("case", "peer", "its error", "ours", "our error", "our runs ended", "ratio", "promised", "holds")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for one in found:
        ended = ", ".join(dict.fromkeys(r["result"].replace("_", " ") for r in one.ours.results))
        ratio = "—" if math.isnan(one.value) else f"{one.value:.3g}"
        holds = {None: "—", True: "yes", False: "**no**"}[one.holds]
        errors = (_error(one.peer), _error(one.ours))
        cells = (one.promise.case, one.peer.label, errors[0], one.ours.label, errors[1], ended, ratio)
        lines.append(f"| {' | '.join(cells)} | ≥ {one.promise.factor:g} | {holds} |")
    return lines


def _error(entry: Entry) -> str:
    """The median, or why there is none."""
    return entry.status if entry.status in UNASKED else figure(entry.error)


def main(arguments: Sequence[str]) -> int:
    """Print the table; exit code 2 with a sentence where there are no results."""
    if len(arguments) != 1:
        click.echo("sciml: found no folder; needed python -m benchmarks.peers.ratios DIR.", err=True)
        return 2
    try:
        found = list(ratios(read_findings(Path(arguments[0]))))
    except SciMLError as error:
        click.echo(f"sciml: {error}", err=True)
        return 2
    click.echo("\n".join(table(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Suites as data: which solver, how configured, on which case, with which promise."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, final

from sciml.case import Case, Published
from sciml.measurement import plain

FORMAT = 2
"""Raised when a row of results changes its meaning: rows of an older format are measured again."""

BASELINES = ("spectral", "lift", "zero")
"""On every case of a suite: an efficient classical method, the data of the conditions alone, and nothing."""

PEER = "peer:"
"""Beginning of the names of solvers that are other libraries: see `benchmarks.peers`."""

NOT_BUILT = "not_built"
"""Result of a row whose peer has no environment yet."""


@final
@dataclass(frozen=True)
class Target:
    """What a row promises, on two cores in double precision.

    Attributes:
        error: relative L2 error against the truth, at most; None for no promise.
        seconds: of a warm run, compilation apart, at most; None for no promise.
    """

    error: float | None = None
    seconds: float | None = None


@final
@dataclass(frozen=True)
class Row:
    """A solver with its hyperparameters on a case.

    Attributes:
        case: name of the case.
        solver: name of the solver.
        options: hyperparameters, plain data that JSON can hold.
        values: of the case, where they differ from its own.
        target: what is promised.
        published: figures to compare with, besides those of the case.
        warm: run again in the same process, so that compilation can be told apart; a long training is better run once.
        seeds: how many seeds the suite runs.
        budget: wall seconds handed to the solver, or None.
    """

    case: str
    solver: str
    options: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    target: Target = Target()
    published: tuple[Published, ...] = ()
    warm: bool = True
    seeds: int = 1
    budget: float | None = None


@final
@dataclass(frozen=True)
class Suite:
    """A table of promises.

    Attributes:
        name: for `sciml bench`.
        title: first line of its report.
        rows: in the order of the report.
        limit: seconds after which one run is killed, start, truth and all runs included.
        baselines: solvers that get a row on every case where the suite gives them none.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    limit: float = 900.0
    baselines: tuple[str, ...] = BASELINES

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """The suite's own rows, and those of the baselines below."""
        stated = {(row.case, repr(dict(row.values)), row.solver) for row in self.rows}
        cases = {(row.case, repr(dict(row.values))): row for row in self.rows}
        added = [
            Row(row.case, solver, values=row.values)
            for (case, values), row in cases.items()
            for solver in self.baselines
            if (case, values, solver) not in stated
        ]
        return (*self.rows, *added)


@final
@dataclass(frozen=True)
class Cell:
    """One run: a row with one seed, and the digest of what is solved and where errors are taken."""

    case: str
    solver: str
    options: Mapping[str, Any]
    values: Mapping[str, Any]
    warm: bool
    seed: int
    budget: float | None
    content: str

    def spelled(self) -> str:
        """As JSON, the same for equal cells."""
        return json.dumps(plain(asdict(self)), sort_keys=True)

    @property
    def key(self) -> str:
        """Identity: equal cells have equal keys in every process."""
        return hashlib.blake2b(f"{FORMAT} {self.spelled()}".encode(), digest_size=12).hexdigest()

    @property
    def worker(self) -> str:
        """The module that runs it."""
        return "benchmarks.peers.worker" if self.solver.startswith(PEER) else "benchmarks.worker"

    @property
    def command(self) -> str:
        """Shell line that repeats the run."""
        return f"python -m {self.worker} {shlex.quote(self.spelled())}"


def side_by_side(case: str, budget: float, seeds: int = 3) -> tuple[Row, ...]:
    """Every solver of fields on a case, each with its defaults and the same seconds.

    What a solver cannot do becomes a cell that says so. Seeds are for those that draw: the others would repeat
    themselves.

    Args:
        case: its name.
        budget: wall seconds handed to each solver.
        seeds: of the network.
    """
    return (
        *(Row(case, solver, budget=budget) for solver in ("spectral", "finite_difference")),
        *(Row(case, solver, warm=False, budget=budget) for solver in ("gp", "pig")),
        Row(case, "pinn", warm=False, budget=budget, seeds=seeds),
    )


def read_cell(text: str) -> Cell:
    """The cell that `Cell.spelled` wrote."""
    return Cell(**json.loads(text))


def content_of(case: Case, values: Mapping[str, Any]) -> str:
    """Digest of a case's problem and of its test grid."""
    problem = case.problem(**values)
    grid = f"{case.points} {dict(case.fixed)} {getattr(case.rule, '__qualname__', case.rule)}"
    return hashlib.blake2b(problem.content + grid.encode(), digest_size=16).hexdigest()


def rows_of(
    suite: Suite, solvers: Iterable[str] | None = None, seeds: int | None = None, budgets: Sequence[float] = ()
) -> list[Row]:
    """The rows of a suite, for some of its solvers, with other seeds or other budgets.

    One budget replaces every row's own; several make a curve of each row that has one, and leave the others alone.
    """
    chosen = None if solvers is None else set(solvers)
    rows = [replace(r, seeds=seeds or r.seeds) for r in suite.all_rows if chosen is None or r.solver in chosen]
    if len(budgets) == 1:
        return [replace(row, budget=budgets[0]) for row in rows]
    return [replace(row, budget=b) for row in rows for b in ((budgets or (row.budget,)) if row.budget else (None,))]


def cells_of(row: Row, content: str) -> list[Cell]:
    """One cell for each seed."""
    return [
        Cell(row.case, row.solver, dict(row.options), dict(row.values), row.warm, seed, row.budget, content)
        for seed in range(row.seeds)
    ]

"""What the script of a peer reads and writes. It runs in the peer's environment: NumPy, and nothing of this library.

`python with_PEER.py REQUEST.json ANSWER.npz`: the request names the problem, its numbers and the axes of the test grid;
the answer has the values of every field on that grid, and as JSON text what was done and what it cost.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np


class Cannot(Exception):  # noqa: N818  what it says, not that something broke
    """What the peer needs and this request does not give it."""


@dataclass
class Watch:
    """Seconds of each part of the work, and those that are left.

    The clock starts when the peer has been imported, as it does for our own solvers.
    """

    budget: float | None
    started: float = field(default_factory=time.perf_counter)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.started

    @property
    def remaining(self) -> float:
        """Infinite without a budget."""
        return float("inf") if self.budget is None else self.budget - self.elapsed

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Adds the seconds of a block to those of a part: `setup`, `compile`, `train` or `evaluate`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - began)

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


@dataclass(frozen=True)
class Request:
    """What to solve.

    Attributes:
        statement: name of the problem.
        numbers: of the problem: coefficients, final time.
        options: settings of the row, in place of the script's own.
        seed: of everything random.
        axes: nodes of the test grid along each coordinate, in order.
    """

    statement: str
    numbers: Mapping[str, Any]
    options: Mapping[str, Any]
    seed: int
    axes: Mapping[str, np.ndarray]

    def points(self, *names: str) -> np.ndarray:
        """All points of the grid `(n, coordinates)`, columns in the order of the names."""
        mesh = dict(zip(self.axes, np.meshgrid(*self.axes.values(), indexing="ij"), strict=True))
        return np.stack([mesh[name].reshape(-1) for name in names], axis=1)

    def settings(self, **own: Any) -> dict[str, Any]:
        """The script's settings with the row's in their place."""
        for name in self.options:
            if name not in own:
                raise ValueError(f"found option {name!r}; needed one of {', '.join(own)}")
        return {**own, **self.options}


@dataclass(frozen=True)
class Answer:
    """What was found.

    Attributes:
        fields: values at the points of the grid, in C order.
        finished: whether the peer came to an end of its own, before the seconds were over.
        iterations: of its optimiser or its time stepping.
        unknowns: numbers that it solved for.
        dtype: precision in which it computed.
        configuration: what a reader needs to judge the figure.
    """

    fields: Mapping[str, np.ndarray]
    finished: bool
    iterations: int
    unknowns: int
    dtype: str
    configuration: Mapping[str, Any]


def answer_with(solve: Callable[[Request, Watch], Answer], *packages: str) -> None:
    """Read the request, solve, write the answer.

    Args:
        solve: states the problem in the peer's terms and solves it.
        packages: whose versions are recorded.
    """
    _end_with_parent()
    source, target = (Path(text).resolve() for text in sys.argv[1:3])
    asked = json.loads(source.read_text("utf-8"))
    imported = time.perf_counter() - asked["sent"]  # one clock for all processes
    os.chdir(target.parent)  # peers leave files where they run
    axes = {name: np.asarray(nodes, float) for name, nodes in asked["axes"].items()}
    request = Request(asked["statement"], asked["numbers"], asked["options"], asked["seed"], axes)
    versions = {"python": platform.python_version(), **{name: version(name) for name in packages}}
    watch = Watch(asked["budget"])
    told: dict[str, Any] = {"versions": versions}
    fields: dict[str, np.ndarray] = {}
    try:
        found = solve(request, watch)
    except Cannot as refusal:
        told["cannot"] = str(refusal)
    except Exception as defect:  # said once more in one line, which is what the row shows
        traceback.print_exc()
        sys.stderr.write(f"{type(defect).__name__}: {' '.join(str(defect).split())[:300]}\n")
        sys.exit(1)
    else:
        fields = {f"field:{name}": np.asarray(value) for name, value in found.fields.items()}
        told |= {name: getattr(found, name) for name in ("finished", "iterations", "unknowns", "dtype")}
        told |= {"configuration": dict(found.configuration), "seconds": {"import": imported, **watch.seconds}}
    told["peak_memory_mb"] = _peak_memory()
    np.savez(target, told=np.array(json.dumps(told)), **fields)  # type: ignore[arg-type]


def _peak_memory() -> float:
    """Largest resident memory of this program in MiB: the system's count for a process starts with its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def _end_with_parent() -> None:
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

"""Stands in for the script of a peer: the present interpreter runs it, with NumPy and nothing of this library."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "peers" / "scripts"))

import exchange
from exchange import Answer, Cannot, Request, Watch


def solve(request: Request, watch: Watch) -> Answer:
    """The exact solution of `heat`, or what the options ask for."""
    own = request.settings(how="well", error=0.0, finished=True)
    with watch.part("setup"):
        t, x = request.points("t", "x").T
    with watch.part("train"):
        decay = np.exp(-request.numbers["kappa"] * np.pi**2 * t)
        u = decay * np.sin(np.pi * x) + decay**9 * np.sin(3 * np.pi * x) / 2 + own["error"]
    match own["how"]:
        case "short":
            u = u[:-1]
        case "infinite":
            u = np.where(t > 0, np.inf, u)
        case "whole numbers":
            u = u.astype(int)
        case "broken":
            raise ZeroDivisionError("an accident")
        case "gone":
            sys.exit(7)
        case "silent":
            import os

            os._exit(0)
        case "cannot":
            raise Cannot("a longer day")
    told = {"seed": request.seed, "seconds given": watch.budget, "modules": "sciml" in sys.modules}
    return Answer({"u": u}, own["finished"], 3, 5, "float16", told)


if __name__ == "__main__":
    exchange.answer_with(solve, "numpy")

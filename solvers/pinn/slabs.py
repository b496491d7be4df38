"""Time slab by slab: a network for each, trained one after the other, the end of one the start of the next.

The error of a slab is handed on: it is worth its share of the seconds even where the next one looks harder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.slabs import Slabs, largest, worst
from sciml.solution import Solution, Stats
from sciml.solver import Run
from sciml.strong_form.ansatz import NetworkFields
from sciml.strong_form.slabs import slab_problem

Train = Callable[[Problem, Run, PyTree | None], Solution]
"""Fields of one problem, from given weights or from random ones."""


def march(problem: Problem, run: Run, slabs: int, train: Train) -> Solution:
    """The solution slab by slab; each starts from the weights of the one before.

    Args:
        problem: on the whole of time.
        run: the seconds that are left are shared equally by the slabs that are left.
        slabs: how many, of equal length.
        train: solves one of them.
    """
    time = problem.time
    assert time is not None  # `check` has seen to it
    edges = np.linspace(*problem.box.bounds[time.name], slabs + 1)
    solved: list[Solution] = []
    for k, interval in enumerate(pairwise(map(float, edges))):
        before = solved[-1].representation if solved else None
        own = Run(
            key=jax.random.fold_in(run.key, k),
            callback=run.callback,
            budget=None if run.remaining is None else max(run.remaining / (slabs - k), 1e-3),
            checkpoint=None if run.checkpoint is None else run.checkpoint.part(f"slab_{k}"),
        )
        start = before.weights if isinstance(before, NetworkFields) else None
        solved.append(train(slab_problem(problem, interval, before), own, start))
        if solved[-1].result in (RESULTS.interrupted, RESULTS.nonfinite):
            break
    reached, names = edges[: len(solved) + 1], problem.box.frame.names
    return Solution(
        problem,
        solver=solved[-1].solver,
        representation=Slabs(
            tuple(s.representation for s in solved), jnp.asarray(reached), names, names.index(time.name)
        ),
        result=worst(s.result for s in solved),
        parameters=solved[-1].parameters,
        stats=Stats(
            compile=sum(s.stats.compile for s in solved),
            solve=sum(s.stats.solve for s in solved),
            iterations=sum(s.stats.iterations for s in solved),
            unknowns=sum(s.stats.unknowns for s in solved),
            extra=largest([s.stats.extra for s in solved]) | {"slabs": float(len(solved)), "reached": reached[-1]},
        ),
        history=_joined([s.history for s in solved]),
    )


def _joined(histories: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """What all slabs recorded, one after the other, with the number of the slab; a slab without steps has nothing."""
    recorded = [{**h, "slab": np.full(len(h["step"]), k)} for k, h in enumerate(histories) if h]
    common = [name for name in (recorded[0] if recorded else ()) if all(name in h for h in recorded)]
    return {name: np.concatenate([h[name] for h in recorded]) for name in common}

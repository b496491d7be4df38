"""py-pde: second-order finite differences on cells, adaptive explicit Runge–Kutta steps, compiled by Numba."""

# pyright: reportMissingImports=false
from __future__ import annotations

import math
from typing import Any

import exchange
import numpy as np
import pde
from exchange import Answer, Cannot, Request, Watch


def stated(request: Request, points: int) -> tuple[Any, Any, Any]:
    """Equation, initial field, boundary conditions."""
    numbers = dict(request.numbers)
    numbers.pop("t_end", None)
    match request.statement:
        case "burgers":
            right, initial, ends, periodic = "-u * d_dx(u) + nu * laplace(u)", "-sin(pi * x)", (-1, 1), False
        case "heat" if numbers.pop("dimensions") == 1:
            right, initial, ends, periodic = "kappa * laplace(u)", "sin(pi * x) + sin(3 * pi * x) / 2", (0, 1), False
        case "korteweg_de_vries":
            right, initial, ends, periodic = (
                "-eta * u * d_dx(u) - mu**2 * d_dx(laplace(u))",
                "cos(pi * x)",
                (-1, 1),
                True,
            )
        case "kuramoto_sivashinsky":
            right = "-alpha * u * d_dx(u) - beta * laplace(u) - gamma * laplace(laplace(u))"
            initial, ends, periodic = "cos(x) * (1 + sin(x))", (0, 2 * math.pi), True
        case _:
            raise Cannot(f"a statement of {request.statement} with these numbers")
    walls = "periodic" if periodic else {"value": 0}
    grid = pde.CartesianGrid([ends], points, periodic=periodic)
    return pde.PDE({"u": right}, bc=walls, consts=numbers), pde.ScalarField.from_expression(grid, initial), walls


def solve(request: Request, watch: Watch) -> Answer:
    """March, keep the states at the times of the test grid, interpolate linearly between cells as the peer does."""
    own = request.settings(points=512, tolerance=1e-6, scheme="runge-kutta", backend="numba")
    times, nodes = request.axes["t"], request.axes["x"]
    with watch.part("setup"):
        equation, state, walls = stated(request, own["points"])
        storage = pde.MemoryStorage()
    began = watch.elapsed
    final, told = equation.solve(
        state,
        t_range=(float(times[0]), float(times[-1])),
        dt=1e-6,
        tracker=[storage.tracker(list(times))],
        solver=own["scheme"],
        adaptive=True,
        backend=own["backend"],
        tolerance=own["tolerance"],
        ret_info=True,
    )
    spent = watch.elapsed - began
    if final is None:
        raise RuntimeError("found no final state; needed a run that reaches the last time")
    compiling = float(told["controller"]["profiler"].get("compilation", 0.0))
    watch.add("compile", compiling)
    watch.add("train", spent - compiling)
    with watch.part("evaluate"):
        kept = np.asarray(storage.times)
        if kept.size != times.size or not np.allclose(kept, times, atol=1e-9):
            raise RuntimeError(f"found states at {kept.size} times; needed them at the {times.size} of the test grid")
        interpolate = state.make_interpolator(with_ghost_cells=True)  # compiled once, for all states
        found = np.empty((times.size, nodes.size))
        for row, kept_state in zip(found, storage, strict=True):
            kept_state.set_ghost_cells(walls, set_corners=True)
            row[:] = interpolate(nodes[:, None], kept_state._data_full)
    steps = int(told["solver"].get("steps", 0))
    return Answer({"u": found.reshape(-1)}, True, steps, own["points"], "float64", own)


if __name__ == "__main__":
    exchange.answer_with(solve, "py-pde", "numba", "numpy")

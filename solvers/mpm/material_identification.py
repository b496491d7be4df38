"""MaterialIdentification: the numbers of a law whose form is known, from an observed motion."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree

from sciml.errors import OptionError
from sciml.material import Material
from sciml.problem import Problem
from sciml.results import RESULTS
from sciml.solution import Estimate, Solution
from sciml.solver import AbstractSolver, Run
from solvers.mpm.motion import Motion, Sizes, motion_of, sizes_of, windows
from solvers.mpm.neural_law import not_learnable, replay
from solvers.mpm.scene import in_precision
from solvers.mpm.solver import MPM, bound_material
from solvers.mpm.step import State, advance


@final
@dataclass(frozen=True)
class MaterialIdentification(AbstractSolver):
    r"""Gauss-Newton for the few numbers of a material, over windows of some steps from observed states.

    Numbers $\theta$ are sought as $\theta_0 e^{w}$. Residuals are velocities and deformations at the end of each
    window, less the observed ones, in units of what a step changes; their Jacobian has a column for each number, by
    forward mode. A damped step is taken only if it lowers the sum of squares. Standard errors are those of the
    linearised least squares at the end; on a motion without noise they measure rounding and what the form cannot
    explain.

    Solves problems of motion (see `MPM`) with one observed motion, or a twin experiment of the bound law. A number
    that the motion does not determine gets an infinite standard error.

    Args:
        simulator: the particle method; its `dt` and `spacing` are those of the observed motion.
        form: material whose numbers are the start; None takes those of the bound law times `start`.
        start: factor between true numbers and the start of a twin experiment.
        windows: how many, evenly spaced.
        length: steps of a window.
        max_steps: of Gauss-Newton.
        tolerance: mean square distance in m² between free and observed motion that counts as success.

    Reference: P. Ma et al. (2023), arXiv:2304.14369, whose baseline of this name descends by Adam.
    """

    simulator: MPM = field(default_factory=lambda: MPM(spacing=0.05, dt=5e-4, single=True, mass_floor=8e-7, frames=200))
    form: Material | None = None
    start: float = 0.8
    windows: int = 40
    length: int = 10
    max_steps: int = 25
    tolerance: float = 1e-5

    def __post_init__(self) -> None:
        if min(self.windows, self.length, self.max_steps) < 1 or not min(self.start, self.tolerance) > 0:
            raise OptionError(f"{self!r}", "positive numbers", "correct it")

    def check(self, problem: Problem) -> list[str]:
        """Reasons why no numbers can be found here."""
        reasons = not_learnable(problem, self.simulator)
        if reasons:
            return reasons
        form = self.form if self.form is not None else bound_material(problem)
        if not isinstance(form, Material) or not jax.tree.leaves(eqx.filter(form, eqx.is_inexact_array)):
            return ["no form with numbers; it needs form=Material(…), or a bound Material"]
        return []

    def run(self, problem: Problem, run: Run) -> Solution:
        """Find the numbers, then follow the law freely."""
        motion = motion_of(problem, self.simulator)
        sizes = sizes_of(motion)
        form = self.form if self.form is not None else bound_material(problem)
        form = in_precision(form, motion.model.dt.dtype)
        numbers, still = eqx.partition(form, eqx.is_inexact_array)
        if self.form is None:
            numbers = jax.tree.map(lambda a: a * self.start, numbers)
        first, after = windows(motion, _starts(motion, self.windows, self.length), self.length)
        fit = _Fit(motion, sizes, numbers, still, first, jax.tree.map(lambda a: a[:, -1], after), self.length)
        w, rows, covariance = _descend(fit, self.max_steps, run)
        law = eqx.combine(fit.material(w), still)
        history = {"step": np.arange(len(rows)), "loss": np.asarray(rows)}
        found = replay(problem, repr(self), motion, law, RESULTS.successful, self.tolerance, run, history)
        return replace(found, parameters={**found.parameters, **_estimates(fit, w, covariance)})


def _starts(motion: Motion, count: int, length: int) -> Array:
    last = int(motion.states.x.shape[0]) - 1 - length
    return jnp.asarray(np.unique(np.linspace(0, max(last, 0), count).round().astype(int)))


@final
@dataclass(frozen=True, eq=False)
class _Fit:
    """Residuals of the windows as a function of the logarithms of the numbers over their start."""

    motion: Motion
    sizes: Sizes
    numbers: Any
    still: Any
    first: State
    last: State
    length: int

    def material(self, w: Array) -> Any:
        """Numbers from logarithms."""
        flat, back = ravel_pytree(self.numbers)
        return back(flat * jnp.exp(w.astype(flat.dtype)))

    @property
    def start(self) -> Array:
        """Zeros."""
        return jnp.zeros(ravel_pytree(self.numbers)[0].shape, self.motion.model.dt.dtype)

    def linearised(self, w: Array) -> tuple[np.ndarray, np.ndarray]:
        """Sum of squares with gradient, and normal matrix: `JᵀJ`, and `(rᵀr, Jᵀr)` in one array."""
        matrix, right = _normal_equations(
            self.numbers, self.still, w, self.motion.model, self.first, self.last, self.length,
            jnp.asarray([self.sizes.push, self.sizes.stretch], w.dtype),
        )  # fmt: skip
        return np.asarray(matrix, float), np.asarray(right, float)

    @property
    def rows(self) -> int:
        """Number of residuals."""
        return int(self.last.v.size + self.last.F.size)


@eqx.filter_jit
def _normal_equations(
    numbers: Any, still: Any, w: Array, model: Any, first: State, last: State, length: int, units: Array
) -> tuple[Array, Array]:
    flat, back = ravel_pytree(numbers)

    def one(pair: tuple[State, State]) -> tuple[Array, Array]:
        state, observed = pair

        def residual(w: Array) -> Array:
            law = eqx.combine(back(flat * jnp.exp(w)), still)
            end = jax.lax.scan(lambda s, _: (advance(s, law, model), None), state, None, length=length)[0]
            parts = ((end.v - observed.v) / units[0], (end.F - observed.F) / units[1])
            return jnp.concatenate([p.reshape(-1) for p in parts])

        value, along = jax.linearize(residual, w)
        J = jax.vmap(along)(jnp.eye(w.size, dtype=w.dtype))
        return J @ J.T, jnp.concatenate([jnp.vdot(value, value)[None], J @ value])

    matrices, rights = jax.lax.map(one, (first, last))
    return matrices.sum(0), rights.sum(0)


def _descend(fit: _Fit, max_steps: int, run: Run) -> tuple[Array, list[float], np.ndarray]:
    """Damped Gauss-Newton; the logarithms, the sums of squares, and the covariance at the end."""
    w, damping, rows = fit.start, 1e-3, []
    matrix, right = fit.linearised(w)
    for _ in range(max_steps):
        rows.append(float(right[0]))
        step = np.linalg.lstsq(matrix + damping * np.diag(np.diag(matrix)), right[1:], rcond=1e-12)[0]
        proposed = w - jnp.asarray(np.clip(step, -1, 1), w.dtype)
        new_matrix, new_right = fit.linearised(proposed)
        if np.isfinite(new_right).all() and new_right[0] < right[0]:
            gain = 1 - new_right[0] / right[0]
            w, matrix, right, damping = proposed, new_matrix, new_right, damping / 10
            if gain < 1e-6:
                break
        else:
            damping *= 10
        if damping > 1e6 or run.is_over:
            break
    variance = right[0] / max(fit.rows - w.size, 1)
    determined = np.diag(matrix) > 1e-12 * max(np.diag(matrix).max(), 1e-300)
    covariance = np.full(matrix.shape, np.inf)
    block = np.ix_(determined, determined)
    covariance[block] = variance * np.linalg.pinv(matrix[block])
    return w, rows, covariance


def _estimates(fit: _Fit, w: Array, covariance: np.ndarray) -> dict[str, Estimate]:
    """Numbers by their place in the material, such as `elastic.E`."""
    values = ravel_pytree(fit.material(w))[0]
    paths = [jax.tree_util.keystr(path).lstrip(".") for path, _ in jax.tree_util.tree_leaves_with_path(fit.numbers)]
    deviations = np.sqrt(np.diag(covariance))
    return {
        path: Estimate(float(value), float(abs(value) * deviation))
        for path, value, deviation in zip(paths, values, deviations, strict=True)
    }

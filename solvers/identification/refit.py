"""Many trajectories of one family at once: numbers, first states, the future and its spread."""

from __future__ import annotations

from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from sciml.errors import OptionError
from sciml.expr.leaves import Parameter
from sciml.family import ProblemFamily
from solvers.identification.data import Data
from solvers.identification.fitting import Fit, Schedule, fit
from solvers.identification.model import Model
from solvers.identification.prediction import Prediction, foresee


@final
class Refit(eqx.Module):
    """Estimates of n trajectories.

    Attributes:
        parameters: `(n,)` by name.
        standard_errors: `(n,)` by name.
        initial: first states `(n, d)`, or `(n, d, m)`.
        prediction: states at the asked times, `(T, d, n)` or `(T, d, m, n)`, with deviation.
        fit: everything else.
    """

    parameters: dict[str, np.ndarray]
    standard_errors: dict[str, np.ndarray]
    initial: np.ndarray
    prediction: Prediction
    fit: Fit

    @property
    def states(self) -> np.ndarray:
        """Predicted states `(n, T, d)`, or `(n, T, d, m)`."""
        return np.moveaxis(np.asarray(self.prediction.states), -1, 0)


def model_of(family: ProblemFamily, *, width: float | None = None, modes: int = 16) -> Model:
    """The model of a family, whose prior has mean and deviation of the family's distributions.

    Args:
        family: the form and its distributions.
        width: relative half-width of the boxes that the prior stands for, if not the family's own.
        modes: highest Fourier mode of initial states on an axis.
    """
    family = family if width is None else family.widened(width)
    unknown = [
        Parameter(name, init=d.mean, prior=(d.mean, d.deviation)) for name, d in sorted(family.parameters.items())
    ]
    places = family.nodes
    return Model.of(family.rates, unknown, family.unknowns, places=places, modes=modes)


def refit(
    family: ProblemFamily,
    times: Any,
    values: Any,
    *,
    ahead: Any = None,
    noise: Any = None,
    width: float | None = None,
    prior: tuple[dict[str, Any], dict[str, Any]] | None = None,
    schedule: Schedule | None = None,
    key: jax.Array | None = None,
) -> Refit:
    """Fit every trajectory of a batch with the form of a family.

    Args:
        family: the form, the prior of its numbers, and the bound within which trajectories stay.
        times: `(T,)`, increasing, or `(n, T)`.
        values: `(n, T, d)`, or `(n, T, d, m)` at the family's points; not finite where missing.
        ahead: times `(S,)` of the prediction, the first of them the first of `times`; default: `times`.
        noise: standard deviation, a number or `(n,)`; None to find it, the same for all components.
        width: relative half-width of the boxes that the prior stands for.
        prior: means and deviations `(n,)` by name in place of the family's, such as a network's.
        schedule: how to search.
        key: PRNG key of the samples of the prediction.

    Raises:
        OptionError: shapes that do not fit.
    """
    model = model_of(family, width=width)
    y = np.asarray(values, float)
    clock = np.asarray(times, float)
    expected = (len(family.unknowns),) if family.nodes is None else (len(family.unknowns), family.points)
    if y.ndim != 2 + len(expected) or y.shape[2:] != expected or clock.shape not in ((y.shape[1],), y.shape[:2]):
        raise OptionError(
            f"values {y.shape} at times {clock.shape} for family {family.name}",
            f"(n, T, {', '.join(map(str, expected))}) at (T,) or (n, T)", "check the order of the axes",
        )  # fmt: skip
    flat = np.moveaxis(y.reshape(*y.shape[:2], -1), 0, -1)
    data = Data.of(clock if clock.ndim == 1 else clock.T, flat, model.freedom)
    if prior is not None:
        centre, deviation = (jnp.stack([jnp.asarray(p[name], float) for name in model.names]) for p in prior)
        model = eqx.tree_at(lambda m: (m.centre, m.deviation), model, (centre, deviation))
    sigma = None if noise is None else np.broadcast_to(np.asarray(noise, float), flat.shape[1:])
    found = fit(model, data, schedule, noise=sigma, shared=noise is None)
    asked = data.times if ahead is None else jnp.asarray(ahead, float)
    prediction = foresee(model, data, found, asked, jax.random.key(0) if key is None else key, family.limit)
    return Refit(*estimates(model, found), prediction, found)


def estimates(model: Model, fit: Fit) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """Numbers and standard errors `(n,)` by name, and first states `(n, …)`."""
    numbers = {name: np.asarray(value) for name, value in model.numbers(fit.guess.raw).items()}
    variance = np.einsum("bii->ib", np.asarray(fit.covariance))[: len(model.names)]
    errors = {
        name: np.sqrt(np.maximum(v, 0.0)) * (np.abs(numbers[name]) if positive else 1.0)
        for name, positive, v in zip(model.names, model.positive, variance, strict=True)
    }
    first = np.asarray(model.expand(fit.guess.states[:, 0]))
    return numbers, errors, np.moveaxis(first, -1, 0)

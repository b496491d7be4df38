"""Observations: values of an expression at points, with their noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sciml.domains.domain import AbstractDomain
from sciml.errors import ProblemError
from sciml.expr.frames import fingerprint
from sciml.expr.nodes import Expr, Scalar
from sciml.expr.text import text


@final
@dataclass(frozen=True, eq=False)
class Observation:
    r"""Measured values $y_k = e(x_k) + \epsilon_k$ with $\epsilon_k \sim N(0, \sigma_k^2)$.

    Attributes:
        expression: the scalar that was measured: a field, a derivative, any combination.
        points: one array `(n,)` for each coordinate, by name.
        values: measurements `(n,)`.
        noise: standard deviation σ, one number or `(n,)`, in the units of the values; None if unknown.
    """

    expression: Scalar
    points: dict[str, np.ndarray]
    values: np.ndarray
    noise: np.ndarray | None

    @property
    def digest(self) -> bytes:
        """Structure: what is measured and how many values there are."""
        return fingerprint(self.expression, self.values.size)

    @property
    def content_digest(self) -> bytes:
        """Structure and data."""
        arrays = [*self.points.values(), self.values] + ([] if self.noise is None else [self.noise])
        return fingerprint(self.digest, tuple(a.tobytes().hex() for a in arrays))

    def __repr__(self) -> str:
        noise = "unknown noise" if self.noise is None else f"noise {float(np.mean(self.noise)):g}"
        return f"Observation({text(self.expression)}, {self.values.size} values, {noise})"


def make_observation(
    expression: Expr, points: Mapping[str, Any] | Any, values: Any, noise: Any, domain: AbstractDomain
) -> Observation:
    """Validate measured data against a domain.

    Args:
        expression: what was measured.
        points: `{coordinate name: (n,)}`, or an array `(n, d)` in frame order.
        values: `(n,)`.
        noise: standard deviation, positive, a number or `(n,)`; None if unknown.
        domain: where the points must lie.

    Raises:
        ProblemError: shapes that do not fit, values that are not finite, points outside the domain, noise ≤ 0.
    """
    what = f"observation of `{expression!r}`"
    if not isinstance(expression, Scalar):
        raise ProblemError(f"{what}, of shape {expression.shape}", "a scalar", "observe each component: v[0], v[1]")
    names = domain.frame.names
    by_name = _points_by_name(points, names, what)
    y = _numbers(values, "values", what)
    if y.ndim != 1 or y.size == 0 or any(p.shape != y.shape for p in by_name.values()):
        shapes = {name: p.shape for name, p in by_name.items()}
        raise ProblemError(f"{what} with values {y.shape} at points {shapes}", "n ≥ 1 values at n points", "fix shapes")
    _require_finite(what, {"values": y, **by_name})
    if not bool(np.all(domain.contains(by_name))):  # type: ignore[arg-type]
        raise ProblemError(f"{what} at points outside the domain", "points inside", "check coordinates and units")
    return Observation(expression, by_name, y, _check_noise(noise, y, what))


def _points_by_name(points: Any, names: tuple[str, ...], what: str) -> dict[str, np.ndarray]:
    if isinstance(points, Mapping):
        given = {getattr(k, "name", k): _numbers(v, f"coordinates {k}", what) for k, v in points.items()}
        if set(given) != set(names):
            raise ProblemError(
                f"{what} at coordinates {sorted(given)}", f"exactly {list(names)}", "name every coordinate"
            )
        try:
            shape = np.broadcast_shapes(*(v.shape for v in given.values()))
        except ValueError:
            shapes = {name: v.shape for name, v in given.items()}
            raise ProblemError(f"{what} at points of shapes {shapes}", "one length for all", "fix the shapes") from None
        return {name: np.broadcast_to(given[name], shape).astype(float) for name in names}
    array = _numbers(points, "points", what)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise ProblemError(
            f"{what} at points of shape {array.shape}",
            f"(n, {len(names)}) in the order {names}",
            "or pass a dictionary",
        )
    return {name: array[:, i] for i, name in enumerate(names)}


def _numbers(given: Any, name: str, what: str) -> np.ndarray:
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise ProblemError(f"{name} of {what} that are not numbers", "arrays of numbers", "convert them") from None


def _require_finite(what: str, arrays: Mapping[str, np.ndarray]) -> None:
    for name, array in arrays.items():
        bad = int((~np.isfinite(array)).sum())
        if bad:
            raise ProblemError(
                f"{bad} entries of {name} in {what} that are not finite", "finite data", "drop them first"
            )


def _check_noise(noise: Any, y: np.ndarray, what: str) -> np.ndarray | None:
    if noise is None:
        return None
    sigma = _numbers(noise, "noise", what)
    if sigma.shape not in ((), y.shape) or not np.isfinite(sigma).all() or not (sigma > 0).all():
        raise ProblemError(
            f"noise {noise!r} of {what}", "a positive standard deviation", "give a number or one a value"
        )
    return sigma

r"""Hard conditions on boxes: $u = L + d\,N$, a lift that meets the data and a distance that vanishes where they are
given.

The lift is the transfinite interpolant, built one axis at a time: it starts from the initial data and corrects itself
on the faces of each axis by a linear blend of what is still missing there,

$$L \leftarrow L + \sum_{\text{faces of } x} \ell_{\text{face}}(x)\,\bigl(g_{\text{face}} - L|_{\text{face}}\bigr).$$

Reference: W. J. Gordon, C. A. Hall, "Transfinite element methods: blending-function interpolation over arbitrary curved
element domains" (1973), doi:10.1007/BF01436298.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import final

import jax.numpy as jnp
from jaxtyping import Array

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.regions import Side
from sciml.expr.frames import fingerprint
from sciml.expr.leaves import Coefficient
from sciml.expr.nodes import Apply, Expr, Scalar
from sciml.expr.operations import Op
from sciml.expr.reduce import quotient
from sciml.expr.traverse import base_field, postorder
from sciml.pointwise import ByDigest
from sciml.storable import storable
from sciml.strong_form.embeddings import Bounds

Evaluate = Callable[[Scalar, Mapping[str, Array]], Array]
"""Value of a known expression at a point."""

HARD_KINDS = (ConditionKind.INITIAL, ConditionKind.INITIAL_RATE, ConditionKind.DIRICHLET)
"""In the order in which they enter the ansatz: a rate needs a value."""

RISE = 0.25
"""Share of the interval of time in which the distance from the initial data rises, almost, to 1."""

ROUGH = {Op.WHERE, Op.ABS, Op.SIGN, Op.MINIMUM, Op.MAXIMUM}


@final
@storable("hard_conditions")
@dataclass(frozen=True, eq=False)
class HardConditions(ByDigest):
    """The data of one scalar unknown that its ansatz meets exactly.

    Attributes:
        time: name of the time coordinate, if there are initial data.
        initial: value at the initial time.
        rate: time derivative at the initial time; None where only the value is given.
        faces: axis, side and data of each Dirichlet face, the faces of one axis together.
    """

    time: str | None = None
    initial: Scalar | None = None
    rate: Scalar | None = None
    faces: tuple[tuple[str, Side, Scalar], ...] = ()

    @property
    def digest(self) -> bytes:
        return fingerprint(self.time, self.initial, self.rate, self.faces)

    @property
    def axes(self) -> tuple[str, ...]:
        """Axes with at least one Dirichlet face."""
        return tuple(dict.fromkeys(axis for axis, _, _ in self.faces))

    def lift(self, point: Mapping[str, Array], bounds: Bounds, evaluate: Evaluate) -> Array:
        """L at one point."""

        def started(p: Mapping[str, Array]) -> Array:
            if self.time is None or self.initial is None:
                return jnp.zeros(())
            start = {**p, self.time: bounds[self.time][0]}
            value = evaluate(self.initial, start)
            return (
                value if self.rate is None else value + (p[self.time] - start[self.time]) * evaluate(self.rate, start)
            )

        lift = started
        for axis in self.axes:
            lift = self._corrected(lift, axis, bounds, evaluate)
        return lift(point)

    def _corrected(
        self, lift: Callable[[Mapping[str, Array]], Array], axis: str, bounds: Bounds, evaluate: Evaluate
    ) -> Callable[[Mapping[str, Array]], Array]:
        faces = {side: g for name, side, g in self.faces if name == axis}
        lower, upper = bounds[axis]

        def corrected(p: Mapping[str, Array]) -> Array:
            share = (p[axis] - lower) / (upper - lower)
            blend = {Side.LOWER: 1 - share, Side.UPPER: share} if len(faces) == 2 else dict.fromkeys(faces, 1.0)
            value = lift(p)
            for side, g in faces.items():
                held = {**p, axis: lower if side is Side.LOWER else upper}
                value = value + blend[side] * (evaluate(g, held) - lift(held))
            return value

        return corrected

    def distance(self, point: Mapping[str, Array], bounds: Bounds) -> Array:
        """d at one point: 1 in the middle of the box or at its free end, 0 where data are given.

        In time it is the hyperbolic tangent of four shares of the interval, squared where a rate is given, so that
        $N=(u-L)/d$ keeps one size: with $d=(t/T)^2$ a wave of frequency ω asks for $(ωT)^2/2$ at its start and 1 at
        its end.
        """
        value = jnp.ones(())
        if self.time is not None and self.initial is not None:
            lower, upper = bounds[self.time]
            share = (point[self.time] - lower) / (upper - lower)
            value = jnp.tanh(share / RISE) ** (1 if self.rate is None else 2)
        for axis in self.axes:
            lower, upper = bounds[axis]
            share = (point[axis] - lower) / (upper - lower)
            sides = {side for name, side, _ in self.faces if name == axis}
            if len(sides) == 2:
                value = value * 4 * share * (1 - share)
            else:
                value = value * (share if Side.LOWER in sides else 1 - share)
        return value


NO_CONDITIONS = HardConditions()


def can_be_hard(condition: PlacedCondition) -> bool:
    """Whether a condition gives smooth data for one unknown on a face or at the initial time."""
    return (
        condition.kind in HARD_KINDS
        and condition.unknown is not None
        and _is_known_and_smooth(condition.data)
        and _is_known_and_smooth(condition.alpha)
    )


def hard_conditions(
    conditions: tuple[PlacedCondition, ...], allowed: frozenset[int]
) -> tuple[dict[str, HardConditions], frozenset[int]]:
    """Collect conditions into the ansatz of each unknown.

    Args:
        conditions: all placed conditions.
        allowed: positions of those that may be hard.

    Returns:
        Hard conditions by name of the unknown, and the positions of the conditions that they meet: a second condition
        of one kind on one face is left out, and so is an initial rate without an initial value.
    """
    hard: dict[str, HardConditions] = {}
    met: set[int] = set()
    for kind in HARD_KINDS:
        for number in sorted(allowed):
            condition = conditions[number]
            if condition.kind is kind:
                name = repr(condition.unknown)
                updated = _joined(hard.get(name, NO_CONDITIONS), condition)
                if updated is not None:
                    hard[name] = updated
                    met.add(number)
    return hard, frozenset(met)


def _joined(present: HardConditions, condition: PlacedCondition) -> HardConditions | None:
    axis = condition.place.axis
    assert axis is not None  # faces and the initial time have one
    data = quotient(condition.data, condition.alpha)
    if condition.kind is ConditionKind.INITIAL:
        return replace(present, time=axis.name, initial=data) if present.initial is None else None
    if condition.kind is ConditionKind.INITIAL_RATE:
        return replace(present, rate=data) if present.initial is not None and present.rate is None else None
    side = condition.place.side
    if side is None or any((name, where) == (axis.name, side) for name, where, _ in present.faces):
        return None
    return replace(present, faces=(*present.faces, (axis.name, side, data)))


def _is_known_and_smooth(e: Expr) -> bool:
    for n in postorder(e):
        if isinstance(n, Apply) and (n.op in ROUGH or n.op in (Op.AT, Op.INTEGRAL)):
            return False
        if isinstance(n, Coefficient) and n.smoothness < 2:
            return False
        if base_field(n) is not None:
            return False
    return True

"""Leaves: fields, parameters, coefficients, laws and the outward normal.

A leaf's structure is its name and what it depends on. Numbers, data and functions are *payload*: they ride on the leaf
the user made, are collected once by `Problem`, and never take part in equality or hashing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from sciml.errors import ExpressionError
from sciml.expr.build import as_expr, common_frame
from sciml.expr.frames import Frame, fingerprint
from sciml.expr.nodes import Coordinate, Expr, Number, Scalar, Tensor, Vector, node
from sciml.expr.operations import Op
from sciml.expr.shapes import Shape

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")
_TAKEN = frozenset({"pi", "normal"})
"""Leaves that the language has by name."""


def check_name(name: object, what: str) -> None:
    """Refuse names that could not be printed, parsed and looked up again.

    Raises:
        ExpressionError: `name` is not a word of letters, digits and inner underscores.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ExpressionError(f"the name {name!r} of a {what}", "letters, digits and inner underscores", "rename it")
    if name in _TAKEN and what != "law":
        raise ExpressionError(f"the name {name!r} of a {what}", "a name that the language does not use", "rename it")


def coordinates(names: str, *, time: str = "t") -> tuple[Coordinate, ...]:
    """Create the coordinates of a problem together, so that they share a frame.

    Args:
        names: names separated by spaces or commas, as in `"t x y"`; their order is the order of grid axes.
        time: which name, if present, is time; all others are space.

    Returns:
        One `Coordinate` for each name, always a tuple: `t, x = coordinates("t x")`, `(x,) = coordinates("x")`.

    Raises:
        ExpressionError: no name, a repeated name, or a name that is not a word.
    """
    words = tuple(names.replace(",", " ").split()) if isinstance(names, str) else ()
    if not words or len(set(words)) < len(words):
        raise ExpressionError(f"coordinate names {names!r}", "distinct names in one string", 'write coordinates("t x")')
    for word in words:
        check_name(word, "coordinate")
    frame = Frame(words, time if time in words else None)
    return tuple(Coordinate(word, frame) for word in words)


def _arguments(what: str, name: str, on: tuple[Coordinate, ...]) -> Frame:
    check_name(name, what)
    if not on or not all(isinstance(x, Coordinate) for x in on):
        raise ExpressionError(f"{what} {name!r} of {on!r}", "at least one coordinate", f'write Field("{name}", t, x)')
    frame = common_frame(on)
    if frame is None or len({x.name for x in on}) < len(on):
        raise ExpressionError(f"{what} {name!r} of {on!r}", "each coordinate once", "remove the repetition")
    return frame


@final
@dataclass(frozen=True, eq=False, repr=False, init=False)
class Field(Scalar):
    """A scalar dependent variable `u(t, x)`; also an unknown coefficient field `a(x)`.

    Args:
        name: its name, unique in a problem.
        on: the coordinates that it depends on.
    """

    name: str
    on: tuple[Coordinate, ...]

    def __init__(self, name: str, *on: Coordinate):
        frame = _arguments("field", name, on)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "on", on)
        self._seal((), frame)

    def _identity(self) -> tuple[object, ...]:
        return (self.name, self.on)


@final
@dataclass(frozen=True, eq=False, repr=False, init=False)
class VectorField(Vector):
    """A vector of `size` dependent variables, such as a velocity or a displacement."""

    name: str
    size: int
    on: tuple[Coordinate, ...]

    def __init__(self, name: str, size: int, *on: Coordinate):
        frame = _arguments("vector field", name, on)
        if not isinstance(size, int) or size < 1:
            raise ExpressionError(f"size {size!r} of vector field {name!r}", "a positive integer", "give its length")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "on", on)
        self._seal((size,), frame)

    def _identity(self) -> tuple[object, ...]:
        return (self.name, self.on)


@final
@dataclass(frozen=True, eq=False, repr=False, init=False)
class TensorField(Tensor):
    """A rank-2 tensor of dependent or internal variables, such as an elastic deformation gradient."""

    name: str
    size: tuple[int, int]
    on: tuple[Coordinate, ...]

    def __init__(self, name: str, size: tuple[int, int], *on: Coordinate):
        frame = _arguments("tensor field", name, on)
        if not (isinstance(size, tuple) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size)):
            raise ExpressionError(f"size {size!r} of tensor field {name!r}", "two positive integers", "write (3, 3)")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "on", on)
        self._seal(size, frame)

    def _identity(self) -> tuple[object, ...]:
        return (self.name, self.on)


AnyField = Field | VectorField | TensorField


@final
@dataclass(frozen=True, eq=False, repr=False)
class Normal(Vector):
    """Outward unit normal of the region on which the expression is held; a flat face substitutes ±1 and 0."""

    of: Frame

    def __post_init__(self) -> None:
        self._seal((len(self.of.space),), self.of)

    def _identity(self) -> tuple[object, ...]:
        return (self.of.names,)


@final
@dataclass(frozen=True, eq=False, repr=False)
class Parameter(Scalar):
    """A scalar coefficient, identified by its name.

    Args:
        name: its name, unique in a problem.
        value: its number; None makes it an unknown to be inferred.
        init: where the search for an unknown starts (default 1).
        positive: whether it is known to be positive; the search then runs over its logarithm.
        prior: `(mean, standard deviation)` of a Gaussian prior, in log space when `positive`.

    Raises:
        ExpressionError: a number that is not finite, or contradicts `positive`.
    """

    name: str
    value: float | None = None
    init: float = field(default=1.0, kw_only=True)
    positive: bool = field(default=False, kw_only=True)
    prior: tuple[float, float] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        check_name(self.name, "parameter")
        for what, number in (("value", self.value), ("init", self.init)):
            if number is None:
                continue
            number = plain_number(number, f"{what} of parameter {self.name!r}")
            if self.positive and number <= 0:
                raise ExpressionError(
                    f"{what} {number} of positive parameter {self.name!r}",
                    "a number > 0",
                    "drop positive=True, or fix it",
                )
            object.__setattr__(self, what, number)
        if self.prior is not None:
            object.__setattr__(self, "prior", _prior(self.name, self.prior))
        self._seal((), None)

    def _identity(self) -> tuple[object, ...]:
        return (self.name,)

    @property
    def is_known(self) -> bool:
        """Whether it has a number."""
        return self.value is not None


def _prior(name: str, prior: Any) -> tuple[float, float]:
    """Mean and deviation of a Gaussian."""
    what = f"prior {prior!r} of parameter {name!r}"
    if not isinstance(prior, tuple | list) or len(prior) != 2:
        raise ExpressionError(what, "(mean, deviation > 0)", "give both numbers")
    mean, deviation = (plain_number(number, what) for number in prior)
    if deviation <= 0:
        raise ExpressionError(what, "(mean, deviation > 0)", "give a positive deviation")
    return mean, deviation


def plain_number(value: Number, what: str) -> float:
    """A finite Python float, also from an expression of numbers such as `0.01/pi`.

    Raises:
        ExpressionError: not a real finite scalar.
    """
    if isinstance(value, Expr):
        value = _constant(value, what)
    array = np.asarray(value)
    if array.ndim or not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array) or not np.isfinite(array):
        raise ExpressionError(f"{value!r} as {what}", "one finite real number", "give a float")
    return float(array)


def _constant(e: Expr, what: str) -> float:
    from sciml.expr.evaluation import evaluate
    from sciml.expr.traverse import atoms

    if e.shape or atoms(e):
        raise ExpressionError(f"`{e!r}` as {what}", "one finite real number", "give a float")
    return float(evaluate(e, {}))


@final
@dataclass(frozen=True)
class LawSymbol:
    """What a law is bound by: its name, the shapes of its inputs and of its value."""

    name: str
    inputs: tuple[Shape, ...]
    shape: Shape

    @property
    def digest(self) -> bytes:
        """Identity of the symbol."""
        return fingerprint(self.name, self.inputs, self.shape)


def Law(name: str, inputs: Expr | Number | tuple[Any, ...], shape: Shape = ()) -> Any:
    """A function inside the equation, known or unknown.

    `D = Law("diffusivity", u)` is a scalar, `P = Law("stress", grad(phi), (3, 3))` a tensor.

    Args:
        name: its name; `Problem.bind` gives a function to the name.
        inputs: one expression, or a tuple of them, of any shapes.
        shape: shape of its value: `()`, `(n,)` or `(n, m)`.

    Returns:
        The law applied to `inputs`, an expression of shape `shape`.
    """
    check_name(name, "law")
    args = tuple(as_expr(e) for e in inputs) if isinstance(inputs, (tuple, list)) else (as_expr(inputs),)
    if not args or not (
        isinstance(shape, tuple) and len(shape) < 3 and all(isinstance(n, int) and n > 0 for n in shape)
    ):
        raise ExpressionError(
            f"law {name!r} of {inputs!r} with shape {shape!r}", "inputs, and a shape of rank 0-2", "fix"
        )
    symbol = LawSymbol(name, tuple(arg.shape for arg in args), shape)
    return node(Op.LAW, args, (symbol,), shape)


@final
@dataclass(frozen=True, eq=False, repr=False, init=False)
class Coefficient(Scalar):
    """A known field, given by data on a grid or by a function of the coordinates.

    Args:
        name: its name, unique in a problem.
        on: the coordinates that it depends on, in the order of the data's axes.
        values: data on a tensor grid, shape `(n_1, …, n_d)`.
        points: the grid: one increasing array for each coordinate.
        interpolation: `Nearest()`, `Linear()` (default) or `Cubic()`.
        function: instead of data, a JAX function of the coordinates (elementwise).

    Raises:
        ExpressionError: neither or both of data and function, shapes that do not fit, data that are not finite.
    """

    name: str
    on: tuple[Coordinate, ...]
    payload: Any
    smoothness: int

    def __init__(
        self,
        name: str,
        *on: Coordinate,
        values: Any = None,
        points: tuple[Any, ...] | None = None,
        interpolation: Any = None,
        function: Callable[..., Any] | None = None,
        payload: Any = None,
    ):
        from sciml.expr.coefficients import make_payload

        frame = _arguments("coefficient", name, on)
        if payload is None:
            payload = make_payload(name, len(on), values, points, interpolation, function)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "payload", payload)
        object.__setattr__(self, "smoothness", payload.smoothness)
        self._seal((), frame)

    def _identity(self) -> tuple[object, ...]:
        return (self.name, self.on, self.smoothness)

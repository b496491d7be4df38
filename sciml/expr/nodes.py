"""Expression nodes: immutable trees of scalars, vectors and rank-2 tensors.

A node has a `shape`, a `frame` (the coordinates that were created together), and a `digest`, a 128-bit hash of its
structure made at construction. Equality is equality of digests: constant time, the same in every process. Only
numbers fold; everything else stays as it was written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final, overload

import jax
import numpy as np

from sciml.errors import ExpressionError
from sciml.expr.frames import Frame, fingerprint
from sciml.expr.operations import COMPARISONS, Op
from sciml.expr.shapes import Shape

Number = int | float | np.floating[Any] | np.integer[Any] | jax.Array


class Along:
    """Derivative property: `u.dxx` is the second derivative of `u` in the coordinate named x, of u's own shape."""

    def __init__(self, letters: str):
        self.letters = letters
        self.__doc__ = f"Derivative along {', '.join(letters)}."

    @overload
    def __get__(self, instance: Scalar, owner: object) -> Scalar: ...
    @overload
    def __get__(self, instance: Vector, owner: object) -> Vector: ...
    @overload
    def __get__(self, instance: Tensor, owner: object) -> Tensor: ...
    @overload
    def __get__(self, instance: None, owner: object) -> Along: ...
    def __get__(self, instance: Expr | None, owner: object) -> Any:
        return self if instance is None else build.derivative(instance, *build.spelled(instance, self.letters))


@dataclass(frozen=True, eq=False, repr=False)
class Expr:
    """Abstract base of every node. Build expressions from `coordinates`, `Field`, `Parameter`, … and operators."""

    shape: Shape = field(init=False, default=())
    frame: Frame | None = field(init=False, default=None)
    digest: bytes = field(init=False, default=b"")

    dt, dx, dy, dz = Along("t"), Along("x"), Along("y"), Along("z")
    dtt, dxx, dyy, dzz = Along("tt"), Along("xx"), Along("yy"), Along("zz")
    dxy, dxz, dyz = Along("xy"), Along("xz"), Along("yz")
    dxxx, dxxxx = Along("xxx"), Along("xxxx")

    @property
    def args(self) -> tuple[Expr, ...]:
        """Arguments of the operation; leaves have none."""
        return ()

    def _identity(self) -> tuple[object, ...]:
        raise ExpressionError(f"{type(self).__name__}()", "a concrete node", "use Field, Parameter or coordinates")

    def _seal(self, shape: Shape, frame: Frame | None) -> None:
        """Fix shape, frame and digest; called once, at the end of construction."""
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "frame", frame)
        object.__setattr__(self, "digest", fingerprint(type(self).__name__, shape, *self._identity()))

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> Any:  # an Equation; Any because Python's own protocol says bool
        if not build.is_value(other):
            return NotImplemented
        return build.make_equation(self, other)

    def __ne__(self, other: object) -> bool:
        if not build.is_value(other):
            return True
        raise ExpressionError("`!=` between expressions", "an equation", "use `==`, or `not (a == b)` for structures")

    def __bool__(self) -> bool:
        raise ExpressionError(
            f"the truth of `{self!r}`",
            "a choice that stays in the tree",
            "use where(condition, a, b), minimum, maximum; join comparisons with & and | instead of chaining them",
        )

    def __float__(self) -> float:
        raise ExpressionError(
            f"`{self!r}` where Python needs a number",
            "an operation on expressions",
            "use sciml's sin, exp, … in place of math's; evaluate a solution to get numbers",
        )

    def __int__(self) -> int:
        return int(self.__float__())

    def __complex__(self) -> complex:
        return complex(self.__float__())

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise ExpressionError(
            f"`{self!r}` where NumPy or JAX needs an array",
            "an operation on expressions",
            "use sciml's sin, exp, … in place of jax.numpy's, and vector(…) in place of an array",
        )

    @property
    def dtype(self) -> Any:
        """Not there: JAX asks for it before it refuses a foreign object, so `jnp.sin(u)` ends in this sentence."""
        return self.__array__()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Expr:
        """`np.sin(u)` and `np.float64(2) * u` build the nodes of `sin(u)` and `2 * u`."""
        from sciml.expr.functions import from_ufunc

        return from_ufunc(ufunc, method, inputs, kwargs)

    def __repr__(self) -> str:
        from sciml.expr.text import shown

        return shown(self)

    def _repr_latex_(self) -> str:
        from sciml.expr.latex import latex

        return f"$\\displaystyle {latex(self)}$"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Expr:
            """`e.dxxt`, `e.dX`: any derivative spelled by the names of its coordinates."""
            if name[:1] != "d" or len(name) < 2 or name.startswith("d_"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            return build.derivative(self, *build.spelled(self, name[1:]))


class Scalar(Expr):
    """A real number at each point: the facade that gives scalars their operators."""

    __hash__ = Expr.__hash__

    @overload
    def __mul__(self, other: Vector) -> Vector: ...
    @overload
    def __mul__(self, other: Tensor) -> Tensor: ...
    @overload
    def __mul__(self, other: Scalar | Number) -> Scalar: ...
    def __mul__(self, other: Expr | Number) -> Expr:
        return build.apply(Op.MULTIPLY, self, other)

    def __rmul__(self, other: Number) -> Scalar:
        return build.scalar(Op.MULTIPLY, other, self)

    def __add__(self, other: Scalar | Number) -> Scalar:
        return build.scalar(Op.ADD, self, other)

    def __radd__(self, other: Number) -> Scalar:
        return self if isinstance(other, int) and other == 0 else build.scalar(Op.ADD, other, self)  # sum() starts at 0

    def __sub__(self, other: Scalar | Number) -> Scalar:
        return build.scalar(Op.SUBTRACT, self, other)

    def __rsub__(self, other: Number) -> Scalar:
        return build.scalar(Op.SUBTRACT, other, self)

    def __truediv__(self, other: Scalar | Number) -> Scalar:
        return build.scalar(Op.DIVIDE, self, other)

    def __rtruediv__(self, other: Number) -> Scalar:
        return build.scalar(Op.DIVIDE, other, self)

    def __pow__(self, other: Scalar | Number) -> Scalar:
        return build.scalar(Op.POWER, self, other)

    def __rpow__(self, other: Number) -> Scalar:
        return build.scalar(Op.POWER, other, self)

    def __neg__(self) -> Scalar:
        return build.scalar(Op.NEGATIVE, self)

    def __pos__(self) -> Scalar:
        return self

    def __abs__(self) -> Scalar:
        return build.scalar(Op.ABS, self)

    def __getitem__(self, index: object) -> Scalar:
        raise ExpressionError(f"index {index!r} of the scalar `{self!r}`", "a vector or tensor", "drop the index")

    def __lt__(self, other: Scalar | Number) -> Truth:
        return build.truth(Op.LESS, self, other)

    def __le__(self, other: Scalar | Number) -> Truth:
        return build.truth(Op.LESS_EQUAL, self, other)

    def __gt__(self, other: Scalar | Number) -> Truth:
        return build.truth(Op.GREATER, self, other)

    def __ge__(self, other: Scalar | Number) -> Truth:
        return build.truth(Op.GREATER_EQUAL, self, other)


class _Array(Expr):
    """What vectors and tensors share: linear combinations."""

    __hash__ = Expr.__hash__

    def __mul__(self, other: Any) -> Any:
        return build.apply(Op.MULTIPLY, self, other)

    def __rmul__(self, other: Any) -> Any:
        return build.apply(Op.MULTIPLY, other, self)

    def __truediv__(self, other: Any) -> Any:
        return build.apply(Op.DIVIDE, self, other)

    def __add__(self, other: Any) -> Any:
        return build.apply(Op.ADD, self, build.alike(other, self))

    def __radd__(self, other: Any) -> Any:
        return self if isinstance(other, int) and other == 0 else build.apply(Op.ADD, build.alike(other, self), self)

    def __sub__(self, other: Any) -> Any:
        return build.apply(Op.SUBTRACT, self, build.alike(other, self))

    def __rsub__(self, other: Any) -> Any:
        return build.apply(Op.SUBTRACT, build.alike(other, self), self)

    def __neg__(self) -> Any:
        return build.apply(Op.NEGATIVE, self)

    def __matmul__(self, other: Any) -> Any:
        return build.apply(Op.DOT, self, other)

    def __pow__(self, other: Any) -> Any:
        return build.apply(Op.POWER, self, other)

    def __abs__(self) -> Any:
        return build.apply(Op.ABS, self)

    def __len__(self) -> int:
        return self.shape[0]


class Vector(_Array):
    """Components along one index, `(n,)`."""

    __hash__ = Expr.__hash__

    if TYPE_CHECKING:

        def __mul__(self, other: Scalar | Number) -> Vector: ...
        def __rmul__(self, other: Scalar | Number) -> Vector: ...
        def __truediv__(self, other: Scalar | Number) -> Vector: ...
        def __add__(self, other: Vector | tuple[Any, ...]) -> Vector: ...
        def __radd__(self, other: Vector | tuple[Any, ...] | int) -> Vector: ...
        def __sub__(self, other: Vector | tuple[Any, ...]) -> Vector: ...
        def __rsub__(self, other: Vector | tuple[Any, ...]) -> Vector: ...
        def __neg__(self) -> Vector: ...

    def __getitem__(self, index: int) -> Scalar:
        return build.component(self, index)

    def __iter__(self) -> Iterator[Scalar]:
        return (build.component(self, i) for i in range(self.shape[0]))


class Tensor(_Array):
    r"""Components along two indices, `(n, m)`; $(\nabla v)_{ij} = \partial v_i / \partial x_j$."""

    __hash__ = Expr.__hash__

    if TYPE_CHECKING:

        def __mul__(self, other: Scalar | Number) -> Tensor: ...
        def __rmul__(self, other: Scalar | Number) -> Tensor: ...
        def __truediv__(self, other: Scalar | Number) -> Tensor: ...
        def __add__(self, other: Tensor) -> Tensor: ...
        def __radd__(self, other: Tensor | int) -> Tensor: ...
        def __sub__(self, other: Tensor) -> Tensor: ...
        def __rsub__(self, other: Tensor) -> Tensor: ...
        def __neg__(self) -> Tensor: ...

    def __getitem__(self, index: tuple[int, int]) -> Scalar:
        if not (isinstance(index, tuple) and len(index) == 2):
            raise ExpressionError(f"index {index!r} of a tensor", "two indices", "write T[i, j]")
        return build.component(self, *index)

    def __iter__(self) -> Iterator[Scalar]:
        raise ExpressionError("iteration over a tensor", "its components", "use components(T), row-major, or T[i, j]")

    @property
    def T(self) -> Tensor:
        """Transpose."""
        return build.tensor(Op.TRANSPOSE, self)


class Truth(Expr):
    """A comparison, usable as the first argument of `where`."""

    __hash__ = Expr.__hash__

    def __and__(self, other: Truth) -> Truth:
        return build.truth(Op.AND, self, other)

    def __or__(self, other: Truth) -> Truth:
        return build.truth(Op.OR, self, other)

    def __invert__(self) -> Truth:
        return build.truth(Op.NOT, self)

    def _is_no_number(self, *_: object) -> Any:
        raise ExpressionError(f"the comparison `{self!r}` as a number", "a number", "write where(comparison, 1, 0)")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _is_no_number
    __pow__ = __neg__ = __abs__ = _is_no_number


@final
@dataclass(frozen=True, eq=False, repr=False)
class Constant(Scalar):
    """A number; `name` keeps π recognisable."""

    value: int | float
    name: str | None = None

    def __post_init__(self) -> None:
        value = int(self.value) if isinstance(self.value, int) else float(self.value)  # subclasses print otherwise
        if isinstance(value, int) and value.bit_length() > 1023:
            raise ExpressionError(f"an integer of {value.bit_length()} bits", "a number that fits a float", "rescale")
        if not math.isfinite(value):
            raise ExpressionError(f"the number {value}", "a finite number", "check how it was computed")
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)
        object.__setattr__(self, "value", value)
        self._seal((), None)

    def _identity(self) -> tuple[object, ...]:
        return (self.value, self.name)


@final
@dataclass(frozen=True, eq=False, repr=False)
class Coordinate(Scalar):
    """An independent variable; made together with the others of its frame by `coordinates`."""

    name: str
    of: Frame

    def __post_init__(self) -> None:
        self._seal((), self.of)

    def _identity(self) -> tuple[object, ...]:
        return (self.name, self.of.names, str(self.of.time))

    @property
    def is_time(self) -> bool:
        """Whether this is the frame's time."""
        return self.name == self.of.time


@dataclass(frozen=True, eq=False, repr=False)
class Apply(Expr):
    """An operation applied to arguments; `attr` holds what is not an expression (indices, coordinates, places)."""

    op: Op
    operands: tuple[Expr, ...]
    attr: tuple[Any, ...] = ()
    result: Shape = ()

    def __post_init__(self) -> None:
        self._seal(self.result, build.common_frame(self.operands))

    def _identity(self) -> tuple[object, ...]:
        return (self.op.value, self.operands, self.attr)

    @property
    def args(self) -> tuple[Expr, ...]:
        return self.operands


@final
class ScalarApply(Apply, Scalar):
    """A scalar result."""

    __hash__ = Expr.__hash__


@final
class VectorApply(Apply, Vector):
    """A vector result."""

    __hash__ = Expr.__hash__


@final
class TensorApply(Apply, Tensor):
    """A tensor result."""

    __hash__ = Expr.__hash__


@final
class TruthApply(Apply, Truth):
    """A truth result."""

    __hash__ = Expr.__hash__


_BY_RANK = (ScalarApply, VectorApply, TensorApply)
_TRUTHS = COMPARISONS | {Op.AND, Op.OR, Op.NOT}


def node(op: Op, operands: tuple[Expr, ...], attr: tuple[Any, ...], shape: Shape) -> Any:
    """An `Apply` node of the facade that `shape` asks for; nothing is checked or folded."""
    kind = TruthApply if op in _TRUTHS else _BY_RANK[len(shape)]
    return kind(op, operands, attr, shape)


import sciml.expr.build as build  # noqa: E402 (operators build nodes, and builders need the node classes)

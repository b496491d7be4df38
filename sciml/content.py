"""Text that identifies numbers, data and functions, the same in every process; `Problem.content` is made of it."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any

import jax
import numpy as np

from sciml.expr.coefficients import FunctionData
from sciml.expr.frames import fingerprint
from sciml.expr.leaves import Parameter


def number_text(p: Parameter) -> str:
    """A parameter's number, and what is known about it."""
    return f"{p.value!r} {p.init!r} {p.positive} {p.prior!r}"


def payload_text(payload: Any) -> str:
    """Data and interpolation of a coefficient, or its function."""
    if isinstance(payload, FunctionData):
        return function_text(payload.function)
    arrays = [np.asarray(payload.values), *(np.asarray(p) for p in payload.points)]
    return type(payload.interpolation).__name__ + fingerprint(tuple(map(_array_text, arrays))).hex()


def function_text(f: Callable[..., Any]) -> str:
    """A function by name, bytecode, constants, defaults and what it closes over; a module by its class and leaves.

    What a function reads from its module's globals is not seen.
    """
    code = getattr(f, "__code__", None)
    if not isinstance(code, CodeType):
        return fingerprint(type(f).__qualname__, _value_text(f)).hex()
    cells = tuple(_value_text(cell.cell_contents) for cell in (getattr(f, "__closure__", None) or ()))
    return fingerprint(f.__qualname__, _code_text(code), cells, _value_text(getattr(f, "__defaults__", None))).hex()


def _code_text(code: CodeType) -> str:
    constants = tuple(_code_text(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts)
    return fingerprint(code.co_code.hex(), code.co_names, constants).hex()


def _value_text(value: Any) -> str:
    """Leaves of a tree: arrays by their bytes, functions by their code, anything else by its repr."""
    return fingerprint(tuple(_leaf_text(leaf) for leaf in jax.tree.leaves(value))).hex()


def _leaf_text(leaf: Any) -> str:
    if isinstance(leaf, (np.ndarray, np.generic, jax.Array)):
        return _array_text(np.asarray(leaf))
    return function_text(leaf) if isinstance(getattr(leaf, "__code__", None), CodeType) else repr(leaf)


def _array_text(array: np.ndarray) -> str:
    return f"{array.dtype} {array.shape} {array.tobytes().hex()}"

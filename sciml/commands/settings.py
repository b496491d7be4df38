"""`--set key=value`: text that becomes a typed hyperparameter of a solver, or a typed value of a case."""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, final

from sciml.commands.library import unknown
from sciml.errors import OptionError

CASE = "case"
YES, NO = {"true", "yes", "on"}, {"false", "no", "off"}


@final
@dataclass(frozen=True)
class Settings:
    """What `--set` asked for.

    Attributes:
        solvers: hyperparameters by the name of the solver.
        case: values of the case.
    """

    solvers: Mapping[str, dict[str, Any]]
    case: dict[str, Any] = field(default_factory=dict)


def settings_of(pairs: Iterable[str], solvers: Mapping[str, type], case: Callable[..., Any]) -> Settings:
    """Sort `key=value` pairs: to every solver that has the hyperparameter, else to the case.

    `pinn.width=32` goes to one solver alone, `case.nu=0.01` to the case.

    Args:
        pairs: as written on the command line.
        solvers: the classes in play, by name.
        case: the function that builds the problem.

    Raises:
        OptionError: no `=`, an unknown key, or text that does not spell a value of its type.
    """
    hyperparameters = {name: arguments_of(solver) for name, solver in solvers.items()}
    values = arguments_of(case)
    found: dict[str, dict[str, Any]] = {name: {} for name in solvers}
    own: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise OptionError(f"--set {pair}", "key=value", "write --set resolution=512")
        owner, dot, name = key.rpartition(".")
        takers = [n for n in solvers if name in hyperparameters[n] and (not dot or owner == n)]
        for taker in takers:
            found[taker][name] = read(text, hyperparameters[taker][name], name)
        if name in values and (owner == CASE or (not dot and not takers)):
            own[name] = read(text, values[name], name)
        elif not takers:
            raise _unknown_key(key, hyperparameters, values)
    return Settings(found, own)


def _unknown_key(key: str, solvers: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> OptionError:
    lists = [f"{name}: {', '.join(known)}" for name, known in solvers.items()]
    lists.append(f"{CASE}: {', '.join(values) or 'no values'}")
    names = {name: None for known in (*solvers.values(), values) for name in known}
    return unknown("--set key", key, names, f"choose from {'; '.join(lists)}")


def arguments_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Types of a function's or class's named arguments; where none is written, the type of the default."""
    try:
        hints = typing.get_type_hints(function.__init__ if isinstance(function, type) else function)
    except NameError:  # a type that is only imported for type checkers
        hints = {}
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        default = Any if parameter.default in (None, inspect.Parameter.empty) else type(parameter.default)
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            found[name] = hints.get(name, default)
    return found


def read(text: str, kind: Any, key: str) -> Any:
    """The value that text spells, of a given type.

    Raises:
        OptionError: it spells none.
    """
    for choice in _choices(kind):
        try:
            return _read_one(text.strip(), choice, key)
        except ValueError:
            continue
    raise OptionError(f"{key}={text}", describe(kind), f"write --set {key}=…")


def _choices(kind: Any) -> list[Any]:
    """Members of a union, the narrow ones first: text spells anything, and every whole number is a number."""
    members = list(typing.get_args(kind)) if _is_union(kind) else [kind]
    return sorted(members, key=lambda member: _BREADTH.get(member, 1))


_BREADTH = {types.NoneType: 0, bool: 2, int: 3, float: 4, str: 5}


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _read_one(text: str, kind: Any, key: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in _READERS:
        return _READERS[kind](text)
    if _is_sequence(origin):
        parts = [part for part in text.strip("()[]").split(",") if part.strip()]
        kinds = arguments if origin is tuple and Ellipsis not in arguments else arguments[:1] * len(parts)
        if len(kinds) != len(parts):
            raise ValueError(text)
        return tuple(read(part, k, key) for part, k in zip(parts, kinds, strict=True))
    if _is_mapping(origin):
        items = [item.partition(":") for item in text.strip("{}").split(",")]
        if not all(name.strip() and colon for name, colon, _ in items):
            raise ValueError(text)
        return {name.strip(): read(value, arguments[1], key) for name, _, value in items}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _by_name(text, {member.name.lower(): member for member in kind})
    if isinstance(kind, type):
        return _by_name(text, {name.lower(): make for name, make in makers(kind).items()})()
    raise ValueError(text)


def _is_sequence(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Sequence)


def _is_mapping(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _by_name(text: str, known: Mapping[str, Any]) -> Any:
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


def makers(kind: type) -> dict[str, Any]:
    """The class and its subclasses at any depth that can be made without arguments; none for Python's own classes."""
    found: dict[str, Any] = {}
    if kind.__module__ == "builtins":
        return found
    for child in (kind, *kind.__subclasses__()):
        if child is not kind:
            found |= makers(child)
        elif not inspect.isabstract(child) and not child.__name__.startswith(("_", "Abstract")):
            arguments = inspect.signature(child).parameters.values()
            if all(a.default is not a.empty or a.kind in (a.VAR_KEYWORD, a.VAR_POSITIONAL) for a in arguments):
                found[child.__name__] = child
    return found


def _none(text: str) -> None:
    if text.lower() not in ("none", "null"):
        raise ValueError(text)


def _bool(text: str) -> bool:
    if text.lower() not in YES | NO:
        raise ValueError(text)
    return text.lower() in YES


def _int(text: str) -> int:
    number = float(text)
    if number != int(number):
        raise ValueError(text)
    return int(text.replace("_", "")) if text.lstrip("+-").replace("_", "").isdigit() else int(number)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _guess(text: str) -> Any:
    return read(text, types.NoneType | bool | int | float | str, "value")


_READERS: dict[Any, Callable[[str], Any]] = {
    types.NoneType: _none, bool: _bool, int: _int, float: _float, str: str, Any: _guess,
}  # fmt: skip


def describe(kind: Any) -> str:
    """What a type asks for, in words; members of a union that only Python can make are left out."""
    if _is_union(kind):
        words = [describe(member) for member in _choices(kind)]
        return " or ".join([w for w in words if w != _PYTHON] or words[:1])
    if kind in _WORDS:
        return _WORDS[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if _is_sequence(origin):
        return f"values separated by commas, each {describe(arguments[0])}"
    if _is_mapping(origin):
        return f"name:value pairs separated by commas, each {describe(arguments[1])}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"one of {', '.join(member.name.lower() for member in kind)}"
    known = ", ".join(makers(kind)) if isinstance(kind, type) else ""
    return f"one of {known}" if known else _PYTHON


_PYTHON = "an object that only Python can make"
_WORDS: dict[Any, str] = {
    types.NoneType: "none", bool: "true or false", int: "a whole number", float: "a finite number", str: "text",
}  # fmt: skip

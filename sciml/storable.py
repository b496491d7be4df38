"""Values that can be written as JSON and arrays and read back without executing anything.

Numbers, strings, arrays, tuples, lists, frozen sets, dictionaries and *storable* classes can be written: dataclasses
(Equinox modules among them) and enumerations that were registered under a name of their own. Reading looks names up in
that registry, after importing the installed packages that announce storable classes where a name is not in it yet, and
fills the fields of the classes found there: no code of a file is ever run. Of functions, only the
elementary ones of JAX are stored, by name.
"""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol, TypeVar, final

import jax
import jax.numpy as jnp
import numpy as np

from sciml.errors import FileError, ParseError, SciMLError

Json = Any
"""None, bool, int, finite float, str, or lists and dictionaries of these."""

C = TypeVar("C", bound=type)

PLUGINS = "sciml.storable"
"""Entry point under which a package lists the modules whose classes files may name."""

TAG = "$"
"""Key that marks a dictionary as anything but plain JSON."""


class Arrays(Protocol):
    """Where arrays go: into the document, or into an archive beside it."""

    def put(self, array: np.ndarray) -> Json:
        """Store an array; returns what `get` needs."""
        ...

    def get(self, stored: Json) -> np.ndarray:
        """The array back."""
        ...


@final
class InlineArrays:
    """Arrays inside the document, as base64 of little-endian numbers."""

    def put(self, array: np.ndarray) -> Json:
        little = array.astype(array.dtype.newbyteorder("<"))
        data = base64.b64encode(np.ascontiguousarray(little).tobytes()).decode("ascii")
        return {"dtype": little.dtype.str, "shape": list(array.shape), "base64": data}

    def get(self, stored: Json) -> np.ndarray:
        dtype = np.dtype(stored["dtype"])
        if dtype.kind not in "biufc":
            raise ParseError(f"an array of {dtype}", "numbers", "write the document again")
        flat = np.frombuffer(base64.b64decode(stored["base64"], validate=True), dtype)
        return flat.reshape(stored["shape"]).astype(dtype.newbyteorder("="))


@final
@dataclasses.dataclass(frozen=True)
class Codec:
    """How values of a class are written and read.

    Attributes:
        name: what the document calls the class.
        kind: the class; subclasses count where `family` is true.
        write: value and writer to JSON.
        read: JSON and reader to value.
        family: whether subclasses are written by this codec too.
    """

    name: str
    kind: type
    write: Callable[[Any, Writer, str], Json]
    read: Callable[[Json, Reader], Any]
    family: bool = False


_CODECS: dict[str, Codec] = {}

_FUNCTIONS = {
    f"jax.numpy.{name}": getattr(jnp, name)
    for name in (
        "abs",
        "arctan",
        "cos",
        "cosh",
        "exp",
        "log",
        "maximum",
        "minimum",
        "sin",
        "sinh",
        "sqrt",
        "square",
        "tanh",
    )
} | {
    f"jax.nn.{name}": getattr(jax.nn, name) for name in ("elu", "gelu", "relu", "sigmoid", "silu", "softplus", "swish")
}
"""Functions that are stored by name: the elementary ones, which networks use as activations."""


def register(codec: Codec) -> None:
    """Make a class storable by functions of its own.

    Raises:
        FileError: the name belongs to another class.
    """
    taken = _CODECS.get(codec.name)
    if taken is not None and taken.kind.__qualname__ != codec.kind.__qualname__:
        raise FileError(f"two classes stored as {codec.name!r}", "one name a class", "choose another name")
    _CODECS[codec.name] = codec


def storable(name: str) -> Callable[[C], C]:
    """Class decorator: values of this final dataclass, Equinox module or enumeration can be written and read back.

    Args:
        name: what files call it; never change it once files exist.

    Raises:
        FileError: the class is neither a dataclass nor an enumeration, or the name belongs to another class.
    """

    def decorate(cls: C) -> C:
        register(_codec(name, cls))
        return cls

    return decorate


@cache
def _import_plugins() -> None:
    """Import what the installed packages list under the entry point `sciml.storable`: their classes register."""
    for plugin in entry_points(group=PLUGINS):
        plugin.load()


def _codec(name: str, cls: Any) -> Codec:
    """Field by field for dataclasses, by name for members of enumerations."""
    if issubclass(cls, Enum):
        return Codec(name, cls, lambda value, writer, where: value.name, lambda data, reader: cls[data])
    if not dataclasses.is_dataclass(cls):
        raise FileError(f"storable class {cls.__name__}", "a dataclass, Equinox module or enumeration", "make it one")
    kind: Any = cls
    return Codec(name, kind, _write_fields, lambda data, reader: _read_fields(kind, data, reader))


def _write_fields(value: Any, writer: Writer, where: str) -> Json:
    return {f.name: writer.write(getattr(value, f.name), f"{where}.{f.name}") for f in dataclasses.fields(value)}


def _read_fields(cls: type, data: Json, reader: Reader) -> Any:
    names = {f.name for f in dataclasses.fields(cls)}
    if not isinstance(data, dict) or set(data) != names:
        found = sorted(data) if isinstance(data, dict) else type(data).__name__
        raise ParseError(
            f"{cls.__name__} with fields {found}", f"{sorted(names)}", "read it with the version that wrote it"
        )
    value = object.__new__(cls)
    for name, part in data.items():
        object.__setattr__(value, name, reader.read(part))
    return value


@final
class Writer:
    """Writes values, with their arrays where `arrays` puts them."""

    def __init__(self, arrays: Arrays | None = None):
        self.arrays: Arrays = InlineArrays() if arrays is None else arrays

    def write(self, value: Any, where: str) -> Json:
        """JSON of a value; `where` says in messages what it belongs to.

        Raises:
            FileError: the value, or something inside it, is of a class that cannot be written.
        """
        if value is None or isinstance(value, bool | str) or type(value) is int:
            return value
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {TAG: "number", "value": repr(float(value))}
        if isinstance(value, np.ndarray | np.generic | jax.Array):
            return self._array(value, where)
        if type(value) in (tuple, list):
            items = [self.write(item, f"{where}[{i}]") for i, item in enumerate(value)]
            return items if type(value) is list else {TAG: "tuple", "items": items}
        if type(value) is frozenset:
            items = sorted((self.write(item, f"an item of {where}") for item in value), key=repr)
            return {TAG: "set", "items": items}
        if type(value) is dict:
            if not all(isinstance(key, str) for key in value):
                raise FileError(f"{where}, a dictionary with keys that are not strings", "strings", "rename the keys")
            return {TAG: "dictionary", "items": {k: self.write(v, f"{where}[{k!r}]") for k, v in value.items()}}
        name = next((name for name, f in _FUNCTIONS.items() if value is f), None)
        if name is not None:
            return {TAG: "function", "name": name}
        codec = _codec_of(type(value))
        if codec is None:
            raise FileError(
                f"{where}, which is {_describe(value)}",
                "numbers, strings, arrays, tuples, dictionaries or storable classes",
                "give its data instead, or decorate its class with @storable(name)",
            )
        return {TAG: codec.name, "value": codec.write(value, self, where)}

    def _array(self, value: Any, where: str) -> Json:
        if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
            raise FileError(f"{where}, a PRNG key", "numbers", "store jax.random.key_data(key)")
        array = np.asarray(value)
        if array.dtype.kind not in "biufc":
            raise FileError(f"{where}, an array of {array.dtype}", "an array of numbers", "convert it")
        library = "jax" if isinstance(value, jax.Array) else "numpy"
        return {TAG: "array", "library": library, **self.arrays.put(array)}


@final
class Reader:
    """Reads what a `Writer` wrote."""

    def __init__(self, arrays: Arrays | None = None):
        self.arrays: Arrays = InlineArrays() if arrays is None else arrays

    def read(self, data: Json) -> Any:
        """The value that JSON stands for.

        Raises:
            ParseError: a class that is not registered, or data that no writer makes.
        """
        if data is None or isinstance(data, bool | str | int | float):
            return data
        if isinstance(data, list):
            return [self.read(item) for item in data]
        if not isinstance(data, dict) or TAG not in data:
            raise ParseError("a dictionary without its kind", f"the key {TAG!r}", "write the document again")
        match data[TAG]:
            case "number":
                return float(data["value"])
            case "tuple":
                return tuple(self.read(item) for item in data["items"])
            case "set":
                return frozenset(self.read(item) for item in data["items"])
            case "dictionary":
                return {key: self.read(value) for key, value in data["items"].items()}
            case "array":
                array = self.arrays.get(data)
                return jnp.asarray(array) if data["library"] == "jax" else array
            case "function":
                return _FUNCTIONS[data["name"]]
            case name:
                if name not in _CODECS:
                    _import_plugins()
                if name not in _CODECS:
                    raise ParseError(
                        f"the class {name!r}, which no installed package has registered",
                        "the package that wrote the file",
                        "install it, or import the module that defines the class, and load again",
                    )
                return _CODECS[name].read(data["value"], self)

    def read_as(self, kind: type, data: Json) -> Any:
        """The value, which must be of a class.

        Raises:
            ParseError: it is of another class.
        """
        value = self.read(data)
        if not isinstance(value, kind):
            raise ParseError(f"{type(value).__name__} in the document", kind.__name__, "write the document again")
        return value


def is_storable(kind: type) -> bool:
    """Whether values of a class can be written, as far as the class itself decides it."""
    return _codec_of(kind) is not None


def _codec_of(kind: type) -> Codec | None:
    for codec in _CODECS.values():
        if codec.kind is kind or (codec.family and issubclass(kind, codec.kind)):
            return codec
    return None


def _describe(value: Any) -> str:
    name = getattr(value, "__qualname__", None)
    return f"the function {name}" if callable(value) and name else f"of class {type(value).__qualname__}"


@contextmanager
def damaged_document(what: str) -> Iterator[None]:
    """Turn whatever damaged data provoke into a `ParseError` that names the document."""
    try:
        yield
    except ParseError:
        raise
    except SciMLError as error:
        raise ParseError(f"{what} with {error.found}", error.needed, error.todo) from error
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise ParseError(
            f"{what} that is damaged ({type(error).__name__}: {error})", "a whole one", "write it again"
        ) from error


def checked_header(data: Json, what: str, version: int) -> Mapping[str, Any]:
    """The document, if it says that it is one of this kind and version.

    Raises:
        ParseError: it is something else, or newer than this library.
    """
    if not isinstance(data, Mapping) or data.get("format") != what:
        raise ParseError(
            f"something that is not a {what}", f"a document whose format is {what!r}", "check where it is from"
        )
    found = data.get("version")
    if type(found) is not int or found < 1:
        raise ParseError(f"version {found!r} of a {what}", "a positive integer", "write the document again")
    if found > version:
        raise ParseError(f"version {found} of a {what}", f"at most version {version}", "install a newer sciml")
    return data

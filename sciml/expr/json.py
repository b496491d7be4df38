"""Expressions as JSON: a table of nodes in which every distinct subtree stands once, with exact numbers and data.

    {"format": "sciml expression", "version": 1, "frames": [{"names": ["t", "x"], "time": "t"}],
     "nodes": [{"coordinate": "t", "frame": 0}, {"field": "u", "on": [0]}, {"op": "sin", "args": [1]}], "root": 2}

A node names only nodes before it. Parameters carry their numbers, coefficients their data; a coefficient that is a
function is refused unless its class is `storable`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

from sciml.errors import ParseError
from sciml.expr.assembly import assemble
from sciml.expr.coefficients import FunctionData, GriddedData
from sciml.expr.frames import Frame
from sciml.expr.functions import pi
from sciml.expr.leaves import (
    Coefficient,
    Field,
    LawSymbol,
    Normal,
    Parameter,
    TensorField,
    VectorField,
    check_name,
)
from sciml.expr.nodes import Apply, Constant, Coordinate, Expr
from sciml.expr.operations import LINEAR_CALCULUS, Op
from sciml.expr.traverse import postorder
from sciml.storable import Codec, Json, Reader, Writer, checked_header, damaged_document, register

FORMAT, VERSION = "sciml expression", 1


def to_json(e: Expr) -> dict[str, Json]:
    """The table of an expression's nodes; the same in every process.

    Raises:
        FileError: a coefficient is given by a function.
    """
    table = NodeTable(Writer())
    root = table.add(e)
    return {"format": FORMAT, "version": VERSION, **table.document(), "root": root}


def from_json(data: Json) -> Expr:
    """The expression back: same structure, same numbers, same data.

    Raises:
        ParseError: not such a document, damaged, or of a newer version.
    """
    checked_header(data, FORMAT, VERSION)
    with damaged_document(FORMAT):
        return read_nodes(data, Reader())[_index(data["root"], len(data["nodes"]))]


@final
class NodeTable:
    """Collects the nodes of several expressions, each distinct one once.

    Args:
        writer: writes the data of coefficients.
        payload: the leaf to write in place of a leaf, for the numbers that a `Problem` keeps.
    """

    def __init__(self, writer: Writer, payload: Callable[[Expr], Expr] = lambda leaf: leaf):
        self._writer, self._payload = writer, payload
        self._frames: dict[Frame, int] = {}
        self._index: dict[bytes, int] = {}
        self._nodes: list[Json] = []

    def add(self, e: Expr) -> int:
        """Index of an expression's node in the table."""
        for n in postorder(e):
            if n.digest not in self._index:
                node = self._node(n)
                self._index[n.digest] = len(self._nodes)
                self._nodes.append(node)
        return self._index[e.digest]

    def document(self) -> dict[str, Json]:
        """Frames and nodes as JSON."""
        frames = [{"names": list(frame.names), "time": frame.time} for frame in self._frames]
        return {"frames": frames, "nodes": list(self._nodes)}

    def _node(self, e: Expr) -> Json:
        match e:
            case Constant():
                return {"number": e.value} if e.name is None else {"number": e.value, "name": e.name}
            case Coordinate():
                return {"coordinate": e.name, "frame": self._frames.setdefault(e.of, len(self._frames))}
            case Normal():
                return {"normal": self._frames.setdefault(e.of, len(self._frames))}
            case Field():
                return {"field": e.name, "on": self._all(e.on)}
            case VectorField():
                return {"vector_field": e.name, "size": e.size, "on": self._all(e.on)}
            case TensorField():
                return {"tensor_field": e.name, "size": list(e.size), "on": self._all(e.on)}
            case Parameter() | Coefficient():
                return self._known_leaf(self._payload(e))
            case Apply():
                return self._operation(e)
            case _:
                raise ParseError(
                    f"a node of class {type(e).__name__}", "a node of the language", "use its constructors"
                )

    def _all(self, es: tuple[Expr, ...]) -> list[int]:
        return [self.add(e) for e in es]

    def _known_leaf(self, e: Expr) -> Json:
        if isinstance(e, Parameter):
            prior = None if e.prior is None else list(e.prior)
            return {"parameter": e.name, "value": e.value, "init": e.init, "positive": e.positive, "prior": prior}
        assert isinstance(e, Coefficient)
        data = self._writer.write(e.payload, f"coefficient {e.name!r}")
        return {"coefficient": e.name, "on": self._all(e.on), "data": data}

    def _operation(self, e: Apply) -> Json:
        own: dict[str, Json] = {"op": e.op.value, "args": [self._index[arg.digest] for arg in e.operands]}
        if e.op in LINEAR_CALCULUS or e.op is Op.INTEGRAL:
            own["along"] = self._all(e.attr)
        elif e.op is Op.AT:
            own["place"] = [[self.add(x), n] for x, n in e.attr]
        elif e.op is Op.COMPONENT:
            own["index"] = list(e.attr)
        elif e.op in (Op.LAW, Op.LAW_JET):
            symbol = e.attr[0]
            inputs = [list(shape) for shape in symbol.inputs]
            own["law"] = {"name": symbol.name, "inputs": inputs, "shape": list(symbol.shape)}
            if e.op is Op.LAW_JET:
                own["component"] = e.attr[1]
        return own


def read_nodes(data: Mapping[str, Json], reader: Reader) -> list[Expr]:
    """The expressions of a table, one for each node, in order.

    Raises:
        SciMLError: parts that do not fit together. (Damaged data may raise built-in errors: use `damaged_document`.)
    """
    frames = [_frame(f) for f in data["frames"]]
    nodes: list[Expr] = []
    for entry in data["nodes"]:
        nodes.append(_read_node(entry, nodes, frames, reader))
    return nodes


def _frame(data: Json) -> Frame:
    names, time = data["names"], data["time"]
    if not (isinstance(names, list) and names and all(isinstance(n, str) for n in names)):
        raise ParseError(f"coordinate names {names!r}", "a list of names", "write the document again")
    if len(set(names)) < len(names) or not (time is None or time in names):
        raise ParseError(
            f"coordinates {names} with time {time!r}", "distinct names, one of them time", "write it again"
        )
    return Frame(tuple(names), time)


def _index(i: Json, count: int) -> int:
    if type(i) is not int or not 0 <= i < count:
        raise ParseError(f"node {i!r} among {count}", "a node that stands before", "write the document again")
    return i


def _read_node(entry: Json, nodes: list[Expr], frames: list[Frame], reader: Reader) -> Expr:
    def get(indices: Json) -> tuple[Any, ...]:
        return tuple(nodes[_index(i, len(nodes))] for i in indices)

    match entry:
        case {"number": _, "name": "pi"}:
            return pi
        case {"number": int(value) | float(value)} if set(entry) == {"number"}:
            return Constant(value)
        case {"coordinate": str(name), "frame": frame}:
            of = frames[_index(frame, len(frames))]
            if name not in of.names:
                raise ParseError(f"coordinate {name!r}", f"one of {of}", "write the document again")
            return Coordinate(name, of)
        case {"normal": frame}:
            return Normal(frames[_index(frame, len(frames))])
        case {"field": name, "on": on}:
            return Field(name, *get(on))
        case {"vector_field": name, "size": size, "on": on}:
            return VectorField(name, size, *get(on))
        case {"tensor_field": name, "size": [rows, columns], "on": on}:
            return TensorField(name, (rows, columns), *get(on))
        case {"parameter": name, "value": value, "init": init, "positive": bool(positive), "prior": prior}:
            return Parameter(name, value, init=init, positive=positive, prior=prior)
        case {"coefficient": name, "on": on, "data": payload}:
            known = reader.read(payload)
            if not isinstance(known, GriddedData | FunctionData):
                raise ParseError(f"data of coefficient {name!r}", "gridded data or a function", "write it again")
            return Coefficient(name, *get(on), payload=known)
        case {"op": op, "args": args}:
            return assemble(Op(op), get(args), _attributes(Op(op), entry, get))
        case _:
            raise ParseError("a node of no known kind", "a node of the language", "write the document again")


def _attributes(op: Op, entry: Json, get: Callable[[Json], tuple[Any, ...]]) -> tuple[Any, ...]:
    if op in LINEAR_CALCULUS or op is Op.INTEGRAL:
        return get(entry["along"])
    if op is Op.AT:
        return tuple((get([i])[0], float(number)) for i, number in entry["place"])
    if op is Op.COMPONENT:
        return tuple(entry["index"])
    if op in (Op.LAW, Op.LAW_JET):
        symbol = _law_symbol(entry["law"])
        return (symbol,) if op is Op.LAW else (symbol, entry["component"])
    return ()


def _law_symbol(law: Json) -> LawSymbol:
    check_name(law["name"], "law")
    shapes = [tuple(shape) for shape in (*law["inputs"], law["shape"])]
    if not law["inputs"] or not all(type(n) is int and n > 0 for shape in shapes for n in shape):
        raise ParseError(f"law {law['name']!r} of shapes {shapes}", "inputs with positive lengths", "write it again")
    return LawSymbol(law["name"], tuple(shapes[:-1]), shapes[-1])


def _write_expression(e: Expr, writer: Writer, where: str) -> Json:
    table = NodeTable(writer)
    root = table.add(e)
    return {**table.document(), "root": root}


def _read_expression(data: Json, reader: Reader) -> Expr:
    return read_nodes(data, reader)[_index(data["root"], len(data["nodes"]))]


register(Codec("expression", Expr, _write_expression, _read_expression, family=True))

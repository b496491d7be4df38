"""A whole problem as JSON: expressions, domain, conditions, observations, numbers, data and truth.

Every expression goes into one table of nodes. The document is the same in every process, and what is read back has the
same content digest. Functions (of a coefficient, bound to a law, or a truth) are refused by name unless their class is
`storable`; `problem.replace(reference=None)` drops a truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from sciml.domains.bodies import Bodies, Body
from sciml.domains.box import Box
from sciml.domains.container import Container
from sciml.domains.regions import Place, Region, Side
from sciml.errors import FileError, ParseError
from sciml.expr.build import make_equation
from sciml.expr.equation import Condition, Equation
from sciml.expr.json import NodeTable, read_nodes
from sciml.expr.leaves import Coefficient, Parameter
from sciml.expr.nodes import Coordinate, Expr, Scalar
from sciml.known import Arguments
from sciml.observations import Observation, make_observation
from sciml.problem import Problem
from sciml.reference import AbstractReference, ComputedReference, ExactReference
from sciml.storable import Codec, Json, Reader, Writer, checked_header, damaged_document, register
from sciml.trajectory import ObservedMotion, Trajectory

FORMAT, VERSION = "sciml problem", 1


def problem_to_json(problem: Problem, writer: Writer | None = None) -> dict[str, Json]:
    """The document of a problem.

    Args:
        problem: what to write.
        writer: where arrays go; by default into the document.

    Raises:
        FileError: a function, or a domain or truth that cannot be written; the sentence names it.
    """
    writer = Writer() if writer is None else writer
    numbered: dict[str, Expr] = {**problem.parameters, **problem.coefficients}
    table = NodeTable(writer, lambda leaf: numbered.get(leaf.name, leaf))  # type: ignore[attr-defined]
    body = {
        "name": problem.name,
        "domain": _domain_to_json(problem.domain, table, writer),
        "equations": [_equation_to_json(e, table) for e in problem.equations],
        "conditions": [
            {"equation": _equation_to_json(c.equation, table), "region": _region_to_json(c.region, table)}
            for c in problem.conditions
        ],
        "observations": [_observation_to_json(o, table, writer) for o in problem.observations],
        "bindings": {name: writer.write(f, f"what is bound to law {name!r}") for name, f in problem.bindings.items()},
        "reference": _reference_to_json(problem.reference, table, writer),
    }
    return {"format": FORMAT, "version": VERSION, "expressions": table.document(), **body}


def problem_from_json(data: Json, reader: Reader | None = None) -> Problem:
    """The problem back, with the same content.

    Raises:
        ParseError: not such a document, damaged, or of a newer version.
    """
    checked_header(data, FORMAT, VERSION)
    reader = Reader() if reader is None else reader
    with damaged_document(FORMAT):
        nodes = read_nodes(data["expressions"], reader)
        domain = _read_domain(data["domain"], nodes, reader)
        bindings = {name: reader.read(f) for name, f in data["bindings"].items()}
        return Problem(
            [_read_equation(e, nodes) for e in data["equations"]],
            domain,
            [
                Condition(_read_equation(c["equation"], nodes), _read_region(c["region"], nodes))
                for c in data["conditions"]
            ],
            reference=_read_reference(data["reference"], nodes, bindings, reader),
            observations=[_read_observation(o, nodes, domain, reader) for o in data["observations"]],
            bindings=bindings,
            name=_text(data["name"]),
        )


def _node(i: Json, nodes: list[Expr]) -> Any:
    if type(i) is not int or not 0 <= i < len(nodes):
        raise ParseError(f"node {i!r} among {len(nodes)}", "a node of the table", "write the document again")
    return nodes[i]


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ParseError(f"{value!r} as a name", "text", "write the document again")
    return value


def _coordinate(i: Json, nodes: list[Expr]) -> Coordinate:
    x = _node(i, nodes)
    if not isinstance(x, Coordinate):
        raise ParseError(f"`{x!r}`", "a coordinate", "write the document again")
    return x


def _equation_to_json(e: Equation, table: NodeTable) -> Json:
    return [table.add(e.lhs), table.add(e.rhs)]


def _read_equation(sides: Json, nodes: list[Expr]) -> Equation:
    left, right = sides
    return make_equation(_node(left, nodes), _node(right, nodes))


# domains


def _domain_to_json(domain: Any, table: NodeTable, writer: Writer) -> Json:
    if isinstance(domain, Bodies):
        container = domain.container
        return {
            "bodies": {name: writer.write(body, f"the body {name!r}") for name, body in domain.bodies.items()},
            "time": [table.add(domain.coordinates[0]), *domain.bounds[domain.coordinates[0].name]],
            "container": [[table.add(x), *container.bounds[x.name]] for x in domain.space],
            "walls": writer.write(dict(container.walls), "the walls of the container"),
        }
    if not isinstance(domain, Box):
        needed = "a Box or Bodies"
        raise FileError(f"a domain of class {type(domain).__name__}", needed, "write the problem as Python code")
    return {
        "box": [[table.add(x), *domain.bounds[x.name]] for x in domain.coordinates],
        "periodic": [table.add(x) for x in domain.coordinates if x.name in domain.periodic],
        "regions": [_region_to_json(region, table) for region in domain.regions],
    }


def _read_domain(data: Json, nodes: list[Expr], reader: Reader) -> Box | Bodies:
    if "bodies" in data:
        bodies = {_text(name): reader.read_as(Body, body) for name, body in data["bodies"].items()}
        sides = {_coordinate(x, nodes): (lower, upper) for x, lower, upper in data["container"]}
        t, start, end = data["time"]
        walls = reader.read_as(dict, data["walls"])
        return Bodies({_coordinate(t, nodes): (start, end)}, bodies, Container(sides, faces=walls))
    regions = [_read_region(region, nodes) for region in data["regions"]]
    return Box(
        {_coordinate(x, nodes): (lower, upper) for x, lower, upper in data["box"]},
        periodic=tuple(_coordinate(x, nodes) for x in data["periodic"]),
        regions={region.name: region for region in regions},
    )


def _region_to_json(region: Region, table: NodeTable) -> Json:
    places = [
        [[table.add(x), where.value if isinstance(where, Side) else where] for x, where in place.fixed]
        for place in region.places
    ]
    return {"name": region.name, "places": places}


def _read_region(data: Json, nodes: list[Expr]) -> Region:
    def where(value: Json) -> Side | float:
        return Side(value) if isinstance(value, str) else float(value)

    places = [Place(tuple((_coordinate(x, nodes), where(value)) for x, value in fixed)) for fixed in data["places"]]
    return Region(_text(data["name"]), tuple(places))


# observations


def _observation_to_json(o: Observation | ObservedMotion, table: NodeTable, writer: Writer) -> Json:
    if isinstance(o, ObservedMotion):
        return {"expression": table.add(o.expression), "motion": writer.write(o.track, "an observed motion")}
    return {
        "expression": table.add(o.expression),
        "points": writer.write(o.points, "points"),
        "values": writer.write(o.values, "values"),
        "noise": writer.write(o.noise, "noise"),
    }


def _read_observation(data: Json, nodes: list[Expr], domain: Box | Bodies, reader: Reader) -> Any:
    expression = _node(data["expression"], nodes)
    if "motion" in data:
        return ObservedMotion(expression, reader.read_as(Trajectory, data["motion"]))
    points, values, noise = (reader.read(data[key]) for key in ("points", "values", "noise"))
    return make_observation(expression, points, values, noise, domain)


# truths


def is_writable(truth: AbstractReference | ComputedReference | None) -> bool:
    """Whether a truth holds no function."""
    if isinstance(truth, ComputedReference):
        return truth.instead is None
    return truth is None or isinstance(truth, ExactReference)


def _reference_to_json(
    reference: AbstractReference | ComputedReference | None, table: NodeTable, writer: Writer
) -> Json:
    if reference is None:
        return None
    if isinstance(reference, ExactReference):
        numbers = {name: float(np.asarray(number)) for name, number in reference.arguments.parameters.items()}
        return {"exact": {name: table.add(e) for name, e in reference.expressions.items()}, "numbers": numbers}
    if isinstance(reference, ComputedReference) and is_writable(reference):
        options = [writer.write(dict(o), "an option of the reference") for o in (reference.fine, reference.coarse)]
        return {"computed": reference.solver, "options": options}
    raise FileError(
        f"a truth of class {type(reference).__name__}, which holds a function",
        "an exact expression or a recipe",
        "drop it: problem.replace(reference=None)",
    )


def _read_reference(data: Json, nodes: list[Expr], bindings: Mapping[str, Any], reader: Reader) -> Any:
    if data is None:
        return None
    if "computed" in data:
        fine, coarse = (reader.read_as(dict, options) for options in data["options"])
        return ComputedReference(_text(data["computed"]), fine, coarse)
    numbers = {n.name: n.init if n.value is None else n.value for n in nodes if isinstance(n, Parameter)}
    numbers |= {_text(name): float(number) for name, number in data["numbers"].items()}
    coefficients = {n.name: n.payload for n in nodes if isinstance(n, Coefficient)}
    arguments = Arguments({n: jnp.asarray(v) for n, v in numbers.items()}, coefficients, dict(bindings))
    expressions: dict[str, Scalar] = {_text(name): _node(i, nodes) for name, i in data["exact"].items()}
    if not all(isinstance(e, Scalar) for e in expressions.values()):
        raise ParseError("an exact solution that is not a scalar", "a scalar for each unknown", "write it again")
    return ExactReference(expressions, arguments)


register(
    Codec(
        "problem",
        Problem,
        lambda problem, writer, where: problem_to_json(problem, writer),
        lambda data, reader: problem_from_json(data, reader),
    )
)

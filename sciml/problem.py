"""Problem: equations, domain, conditions, observations and truth, as one immutable and validated value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, final

import jax.numpy as jnp
import numpy as np

from sciml.conditions import PlacedCondition, placed_conditions
from sciml.domains.box import Box
from sciml.domains.domain import AbstractDomain
from sciml.errors import ProblemError
from sciml.expr.build import as_expr, components
from sciml.expr.coefficients import FunctionData
from sciml.expr.equation import Condition, Equation, refuse_chained
from sciml.expr.frames import fingerprint
from sciml.expr.leaves import AnyField, Coefficient, LawSymbol, Parameter, plain_number
from sciml.expr.lowering import lower
from sciml.expr.nodes import Apply, Coordinate, Expr, Scalar
from sciml.expr.traverse import fields, laws, walk_payload
from sciml.known import Arguments
from sciml.observations import Observation, make_observation
from sciml.reference import AbstractReference, ComputedReference, ExactReference


@final
class Problem:
    """A partial differential equation, stated once.

    Args:
        equations: `lhs == rhs`, one or several; a vector equation is one statement.
        domain: where they hold.
        conditions: `(lhs == rhs).on(region)`: boundary, initial, gauge, periodic or point conditions.
        exact: `{field: expression}`, an exact solution if one is known.
        reference: any other truth that states its own error, or the recipe of one; see `sciml.reference`.
        name: how reports call it.

    Raises:
        ProblemError: the statement contradicts itself or cannot determine a solution; the sentence names the
            condition that is missing or wrong.

    Two hashes: `structure` is what compiled code depends on, `content` also covers numbers and data.
    """

    def __init__(
        self,
        equations: Equation | Iterable[Equation],
        domain: AbstractDomain,
        conditions: Condition | Iterable[Condition] = (),
        *,
        exact: Mapping[Any, Any] | None = None,
        reference: AbstractReference | ComputedReference | None = None,
        observations: Iterable[Observation] = (),
        bindings: Mapping[str, Any] | None = None,
        numbers: Mapping[str, float | None] | None = None,
        name: str = "",
    ):
        from sciml.lint import check_problem

        self.equations = tuple(_equations(equations))
        if not isinstance(domain, AbstractDomain):
            raise ProblemError(f"{type(domain).__name__} as domain", "a Box", "write Box({t: (0, 1), x: (0, 1)})")
        self.domain = domain
        self.conditions = tuple(_conditions(conditions))
        self.observations = tuple(_observations(observations))
        self.name = name
        self.bindings = dict(bindings or {})
        truth = _truth_trees(exact, reference)
        self._trees = _trees(self.equations, self.conditions, self.observations)
        self.parameters = _collect_parameters([*self._trees, *truth], numbers or {})
        self.coefficients = _collect_coefficients([*self._trees, *truth])
        self.numbers = dict(numbers or {})
        if exact is not None and reference is not None:
            raise ProblemError("both exact= and reference=", "one truth", "drop one")
        self.reference = reference if exact is None else _exact_reference(exact, self)
        check_problem(self)

    # what it is made of

    @cached_property
    def fields(self) -> tuple[AnyField, ...]:
        """Fields of any rank, in order of appearance in the equations."""
        return fields(*(e.residual for e in self.equations))

    @cached_property
    def unknowns(self) -> tuple[Scalar, ...]:
        """Scalar unknowns: every field, and every component of a vector or tensor field."""
        return tuple(part for f in self.fields for part in components(f))

    @cached_property
    def residuals(self) -> tuple[Scalar, ...]:
        """Lowered scalar residuals of the equations, one after the other."""
        return tuple(part for e in self.equations for part in lower(e.residual))

    @cached_property
    def placed_conditions(self) -> tuple[PlacedCondition, ...]:
        """Every scalar condition on every place, recognised."""
        return placed_conditions(self.conditions)

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:
        """Coordinates in frame order."""
        return self.domain.coordinates

    @property
    def time(self) -> Coordinate | None:
        """The time coordinate, or None for a steady problem."""
        return next((x for x in self.coordinates if x.is_time), None)

    @property
    def space(self) -> tuple[Coordinate, ...]:
        """Spatial coordinates in frame order."""
        return tuple(x for x in self.coordinates if not x.is_time)

    @property
    def box(self) -> Box:
        """The domain, if it is a box.

        Raises:
            ProblemError: it is another shape.
        """
        if not isinstance(self.domain, Box):
            raise ProblemError(
                f"a domain of type {type(self.domain).__name__}", "a Box", "use a solver for curved domains"
            )
        return self.domain

    @cached_property
    def laws(self) -> tuple[LawSymbol, ...]:
        """Symbols of all laws, bound or not."""
        return laws(*self._trees)

    @property
    def symbols(self) -> tuple[Any, ...]:
        """Every named leaf and law: what `parse` needs to read text about this problem."""
        leaves = (*self.coordinates, *fields(*self._trees), *self.parameters.values(), *self.coefficients.values())
        return (*leaves, *self.laws)

    @property
    def unknown_parameters(self) -> tuple[Parameter, ...]:
        """Parameters without a number."""
        return tuple(p for p in self.parameters.values() if not p.is_known)

    @property
    def unbound_laws(self) -> tuple[LawSymbol, ...]:
        """Laws that no function is bound to."""
        return tuple(symbol for symbol in self.laws if self.bindings.get(symbol.name) is None)

    @property
    def arguments(self) -> Arguments:
        """All numbers, for passing through `jit`; an unknown parameter enters with its `init`."""
        numbers = {n: jnp.asarray(p.init if p.value is None else p.value) for n, p in self.parameters.items()}
        return Arguments(numbers, {n: c.payload for n, c in self.coefficients.items()}, dict(self.bindings))

    # identity

    @cached_property
    def structure(self) -> bytes:
        """Digest of what compiled code depends on: trees, names of faces, which parameters are unknown; no numbers."""
        unknown = tuple(sorted(p.name for p in self.unknown_parameters))
        return fingerprint(
            tuple(e.digest for e in self.equations),
            self.domain.digest,
            tuple(c.digest for c in self.conditions),
            tuple(o.digest for o in self.observations),
            unknown,
        )

    @cached_property
    def content(self) -> bytes:
        """Digest of structure, numbers and data: equal content means equal truth."""
        numbers = tuple((n, _number_text(p)) for n, p in sorted(self.parameters.items()))
        data = tuple((n, _payload_text(c.payload)) for n, c in sorted(self.coefficients.items()))
        bound = tuple((n, _function_text(f)) for n, f in sorted(self.bindings.items()))
        observed = tuple(o.content_digest for o in self.observations)
        return fingerprint(self.structure, self.domain.content_digest, numbers, data, bound, observed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)

    # derived problems

    def replace(self, **changes: Any) -> Problem:
        """The same problem with other parts.

        Args:
            **changes: `equations, domain, conditions, observations, exact, reference, name`, or the name of a
                parameter with its new number (None makes it unknown).

        Raises:
            ProblemError: a name that is neither a part nor a parameter.
        """
        parts: dict[str, Any] = {
            "equations": self.equations, "domain": self.domain, "conditions": self.conditions,
            "observations": self.observations, "reference": self.reference, "name": self.name,
            "bindings": self.bindings, "numbers": self.numbers,
        }  # fmt: skip
        numbers = dict(self.numbers)
        if "exact" in changes:
            parts["reference"] = None
        for key, value in changes.items():
            if key in parts or key == "exact":
                parts[key] = value
            elif key in self.parameters:
                numbers[key] = None if value is None else plain_number(value, f"value of parameter {key!r}")
            else:
                known = ", ".join([*parts, "exact", *self.parameters])
                raise ProblemError(f"replace({key}=…)", f"one of {known}", "check the spelling")
        if numbers != self.numbers:
            parts["numbers"] = numbers
            if "reference" not in changes and "exact" not in changes and self.reference is not None:
                # Forgetting a number does not change the truth that it made: only other numbers ask for another truth.
                changed = {n: v for n, v in numbers.items() if v is not None and v != self.numbers.get(n)}
                parts["reference"] = self.reference.renumbered(changed)
        if not changes.keys().isdisjoint(("equations", "conditions")):
            _drop_unused(parts)
        return Problem(parts.pop("equations"), parts.pop("domain"), parts.pop("conditions"), **parts)

    def observe(self, expression: Any, points: Any, values: Any, noise: Any = None) -> Problem:
        """The same problem with measured values of an expression.

        Args:
            expression: a field's name, or a scalar expression of the problem's fields.
            points: `{coordinate: (n,)}` or `(n, d)` in frame order.
            values: `(n,)`.
            noise: standard deviation, a number or `(n,)`; None if unknown.

        Raises:
            ProblemError: unknown field, shapes that do not fit, data that are not finite, points outside the domain.
        """
        e = self.field(expression) if isinstance(expression, str) else as_expr(expression)
        observation = make_observation(e, points, values, noise, self.domain)
        return self.replace(observations=(*self.observations, observation))

    def bind(self, law: Any, function: Any) -> Problem:
        """The same problem with a function for a law.

        Args:
            law: the expression made by `Law`, or the law's name.
            function: takes one array for each input of the law, of that input's shape, returns the law's shape; a
                JAX function or an Equinox module.

        Raises:
            ProblemError: the problem has no such law, or `function` cannot be called.
        """
        symbol = self._law_symbol(law)
        if not callable(function):
            raise ProblemError(
                f"{type(function).__name__} bound to law {symbol.name!r}", "a callable", "pass a function"
            )
        return self.replace(bindings={**self.bindings, symbol.name: function})

    def forget(self, what: Any) -> Problem:
        """The same problem without the function of a law, or without the number of a parameter: an inverse problem."""
        name = what if isinstance(what, str) else getattr(what, "name", None)
        if name in self.parameters:
            return self.replace(**{name: None})
        symbol = self._law_symbol(what)
        return self.replace(bindings={n: f for n, f in self.bindings.items() if n != symbol.name})

    def _law_symbol(self, law: Any) -> LawSymbol:
        name = law if isinstance(law, str) else law.attr[0].name if isinstance(law, Apply) and law.attr else None
        for symbol in self.laws:
            if symbol.name == name:
                return symbol
        known = ", ".join(s.name for s in self.laws) or "none"
        raise ProblemError(f"law {law!r}", f"a law of the problem (it has {known})", "pass what Law(...) returned")

    def field(self, name: str) -> Any:
        """The field of this name.

        Raises:
            ProblemError: there is none.
        """
        for f in self.fields:
            if f.name == name:
                return f
        for part in self.unknowns:
            if repr(part) == name:
                return part
        known = ", ".join(f.name for f in self.fields)
        raise ProblemError(f"field {name!r}", f"one of {known}", "check the spelling")

    # writing

    def to_json(self) -> dict[str, Any]:
        """The problem as a JSON document, data included; see `sciml.problem_json`.

        Raises:
            FileError: a function stands where data were needed; the sentence names it.
        """
        from sciml.problem_json import problem_to_json

        return problem_to_json(self)

    @staticmethod
    def from_json(data: Any) -> Problem:
        """The problem of such a document, with the same content.

        Raises:
            ParseError: not such a document, damaged, or of a newer version.
        """
        from sciml.problem_json import problem_from_json

        return problem_from_json(data)

    # showing

    def __repr__(self) -> str:
        from sciml.problem_text import problem_text

        return problem_text(self)

    def _repr_html_(self) -> str:
        from sciml.problem_text import problem_html

        return problem_html(self)

    def _repr_latex_(self) -> str:
        from sciml.problem_text import problem_latex

        return problem_latex(self)


def _equations(given: Equation | Iterable[Equation]) -> list[Equation]:
    items = [given] if isinstance(given, Equation) else list(given) if isinstance(given, (list, tuple)) else [given]
    for item in items:
        if isinstance(item, (bool, np.bool_)):
            raise ProblemError(
                f"{item} in place of an equation", "an Equation", "a side of `==` is not an expression: fix it"
            )
        if isinstance(item, Condition):
            raise ProblemError(
                f"the condition `{item!r}` among the equations", "equations", "move it to conditions=[...]"
            )
        if not isinstance(item, Equation):
            raise ProblemError(f"{type(item).__name__} `{item!r}` as an equation", "lhs == rhs", "end it with == 0")
        refuse_chained(item)
    if not items:
        raise ProblemError("no equations", "at least one", "write equations=[u.dt == u.dxx]")
    return items  # type: ignore[return-value]


def _conditions(given: Condition | Iterable[Condition]) -> list[Condition]:
    single = isinstance(given, (Condition, Equation)) or not isinstance(given, Iterable)
    items = [given] if single else list(given)  # type: ignore[arg-type]
    for item in items:
        if isinstance(item, Equation):
            raise ProblemError(f"`{item!r}` among the conditions", "a region where it holds", "add .on(domain.at(t=0))")
        if not isinstance(item, Condition):
            raise ProblemError(
                f"{type(item).__name__} `{item!r}` as a condition", "(lhs == rhs).on(region)", "rewrite it"
            )
        refuse_chained(item.equation)
    return items  # type: ignore[return-value]


def _observations(given: Iterable[Observation]) -> list[Observation]:
    items = list(given) if isinstance(given, Iterable) else [given]
    for item in items:
        if not isinstance(item, Observation):
            raise ProblemError(
                f"{type(item).__name__} among the observations",
                "an Observation",
                "use problem.observe(u, points, values)",
            )
    return items


def _trees(*groups: Iterable[Any]) -> list[Expr]:
    equations, conditions, observations = groups
    sides = [side for e in equations for side in (e.lhs, e.rhs)]
    sides += [side for c in conditions for side in (c.equation.lhs, c.equation.rhs)]
    return sides + [o.expression for o in observations]


def _truth_trees(exact: Any, reference: Any) -> list[Expr]:
    if exact is not None and not isinstance(exact, Mapping):
        raise ProblemError(f"{type(exact).__name__} as exact=", "{field: expression}", "write exact={u: sin(x)}")
    if reference is not None and not isinstance(reference, (AbstractReference, ComputedReference)):
        raise ProblemError(
            f"{type(reference).__name__} as reference=", "a truth of sciml.reference", "see ExactReference"
        )
    values = exact.values() if exact is not None else ()
    if isinstance(reference, ExactReference):
        values = reference.expressions.values()
    return [as_expr(value) for value in values]


def _drop_unused(parts: dict[str, Any]) -> None:
    """Numbers and functions for names that other equations and conditions no longer have."""
    trees = _trees(_equations(parts["equations"]), _conditions(parts["conditions"]), parts["observations"])
    parameters = {p.name for p in walk_payload(*trees) if isinstance(p, Parameter)}
    symbols = {symbol.name for symbol in laws(*trees)}
    parts["numbers"] = {name: value for name, value in parts["numbers"].items() if name in parameters}
    parts["bindings"] = {name: f for name, f in parts["bindings"].items() if name in symbols}


def _collect_parameters(trees: list[Expr], numbers: Mapping[str, float | None]) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for p in walk_payload(*trees):
        if isinstance(p, Parameter):
            first = found.setdefault(p.name, p)
            if (first.value, first.positive, first.prior) != (p.value, p.positive, p.prior):
                raise ProblemError(
                    f"two parameters named {p.name!r} with different numbers, {first.value} and {p.value}",
                    "one number a name",
                    "create the Parameter once and use it everywhere",
                )
    return {n: _renumbered(p, numbers[n]) if n in numbers else p for n, p in found.items()}


def _renumbered(p: Parameter, value: float | None) -> Parameter:
    init = p.init if value is not None or p.value is None else (p.init if p.init != 1.0 else p.value)
    return Parameter(p.name, value, init=init, positive=p.positive, prior=p.prior)


def _collect_coefficients(trees: list[Expr]) -> dict[str, Coefficient]:
    found: dict[str, Coefficient] = {}
    for c in walk_payload(*trees):
        if isinstance(c, Coefficient):
            first = found.setdefault(c.name, c)
            if _payload_text(first.payload) != _payload_text(c.payload):
                raise ProblemError(f"two coefficients named {c.name!r} with different data", "one", "create it once")
    return found


def _exact_reference(exact: Mapping[Any, Any], problem: Problem) -> ExactReference:
    parts: dict[str, Scalar] = {}
    for key, value in exact.items():
        leaf = problem.field(key) if isinstance(key, str) else key
        if not isinstance(leaf, Expr) or not all(part in problem.unknowns for part in components(leaf)):
            raise ProblemError(f"an exact solution for {key!r}", "fields of the equations", "check the keys of exact=")
        e = as_expr(value)
        if e.shape != leaf.shape:
            raise ProblemError(f"an exact {leaf!r} of shape {e.shape}", f"shape {leaf.shape}", "give all components")
        if fields(e):
            raise ProblemError(
                f"an exact solution `{e!r}` with a field in it", "coordinates and numbers", "spell it out"
            )
        if e.frame is not None and e.frame != problem.domain.frame:
            raise ProblemError(
                f"an exact solution in the coordinates {e.frame}",
                f"those of the domain, {problem.domain.frame}",
                "use them",
            )
        parts.update({repr(u): v for u, v in zip(components(leaf), lower(e), strict=True)})
    missing = [repr(u) for u in problem.unknowns if repr(u) not in parts]
    if missing:
        raise ProblemError(
            f"no exact solution for {', '.join(missing)}", "one for every field", "add it, or drop exact="
        )
    return ExactReference(parts, problem.arguments)


def _number_text(p: Parameter) -> str:
    return f"{p.value!r} {p.init!r} {p.positive} {p.prior!r}"


def _payload_text(payload: Any) -> str:
    if isinstance(payload, FunctionData):
        return _function_text(payload.function)
    arrays = [np.asarray(payload.values), *(np.asarray(p) for p in payload.points)]
    return type(payload.interpolation).__name__ + fingerprint(tuple(a.tobytes().hex() for a in arrays)).hex()


def _function_text(f: Callable[..., Any]) -> str:
    """What identifies a function: its qualified name and bytecode, or the repr and arrays of a module."""
    code = getattr(f, "__code__", None)
    if code is not None:
        cells = [repr(cell.cell_contents) for cell in (f.__closure__ or ())]
        return fingerprint(f.__qualname__, code.co_code.hex(), repr(code.co_consts), tuple(cells)).hex()
    import jax

    leaves = [np.asarray(x).tobytes().hex() if hasattr(x, "dtype") else repr(x) for x in jax.tree.leaves(f)]
    return fingerprint(type(f).__qualname__, tuple(leaves)).hex()

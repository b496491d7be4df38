"""Problem: equations, domain, conditions, observations and truth, as one immutable and validated value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, final

import jax.numpy as jnp

from sciml.conditions import PlacedCondition, placed_conditions
from sciml.content import function_text, number_text, payload_text
from sciml.domains.box import Box
from sciml.domains.domain import AbstractDomain
from sciml.errors import ProblemError
from sciml.expr.build import as_expr, components
from sciml.expr.equation import Condition, Equation
from sciml.expr.frames import fingerprint
from sciml.expr.leaves import AnyField, LawSymbol, Parameter, plain_number
from sciml.expr.lowering import lower
from sciml.expr.nodes import Apply, Coordinate, Scalar
from sciml.expr.traverse import fields, laws
from sciml.ingredients import (
    collect_coefficients,
    collect_parameters,
    drop_unused,
    exact_reference,
    read_conditions,
    read_equations,
    read_observations,
    trees_of,
    truth_trees,
)
from sciml.known import Arguments
from sciml.observations import Observation, make_observation
from sciml.reference import AbstractReference, ComputedReference


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

        self.equations = tuple(read_equations(equations))
        if not isinstance(domain, AbstractDomain):
            raise ProblemError(f"{type(domain).__name__} as domain", "a Box", "write Box({t: (0, 1), x: (0, 1)})")
        self.domain = domain
        self.conditions = tuple(read_conditions(conditions))
        self.observations = tuple(read_observations(observations))
        self.name = name
        self.bindings = dict(bindings or {})
        truth = truth_trees(exact, reference)
        self._trees = trees_of(self.equations, self.conditions, self.observations)
        self.parameters = collect_parameters([*self._trees, *truth], numbers or {})
        self.coefficients = collect_coefficients([*self._trees, *truth])
        self.numbers = dict(numbers or {})
        if exact is not None and reference is not None:
            raise ProblemError("both exact= and reference=", "one truth", "drop one")
        self.reference = reference if exact is None else exact_reference(exact, self)
        check_problem(self)

    # what it is made of

    @cached_property
    def fields(self) -> tuple[AnyField, ...]:
        """Fields of any rank, in order of appearance on the left sides of the equations, then elsewhere in them."""
        return fields(*(e.lhs for e in self.equations), *(e.residual for e in self.equations))

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
        numbers = tuple((n, number_text(p)) for n, p in sorted(self.parameters.items()))
        data = tuple((n, payload_text(c.payload)) for n, c in sorted(self.coefficients.items()))
        bound = tuple((n, function_text(f)) for n, f in sorted(self.bindings.items()))
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
            drop_unused(parts)
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

    def observe_motion(self, track: Any) -> Problem:
        """The same problem with an observed motion of all its particles, for learning its law.

        Args:
            track: a `Trajectory`, or a solution that has one, of the domain's particles.

        Raises:
            ProblemError: something else, or other particles.
        """
        from sciml.trajectory import ObservedMotion, Trajectory

        motion, own = getattr(track, "representation", track), getattr(self.domain, "points", None)
        if not isinstance(motion, Trajectory) or own is None or motion.X.shape != own.T.shape:
            raise ProblemError(f"{type(motion).__name__} as an observed motion", "the motion of the domain's particles",
                               "pass a solution of the same bodies")  # fmt: skip
        return self.replace(observations=(*self.observations, ObservedMotion(self.unknowns[0], motion)))

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

"""The ansatz: networks, embeddings and hard conditions together make point functions of all fields of a problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from sciml.expr.build import components
from sciml.expr.evaluation import evaluate
from sciml.expr.nodes import Scalar
from sciml.expr.traverse import atoms
from sciml.jets import Fields, Point
from sciml.known import Arguments, BoundLaws, known_values
from sciml.parameters import UnknownParameters
from sciml.pointwise import Quadrature
from sciml.problem import Problem
from sciml.solution import AbstractRepresentation
from sciml.storable import storable
from sciml.strong_form.constraints import NO_CONDITIONS, HardConditions
from sciml.strong_form.embeddings import Bounds, Embedding
from sciml.strong_form.networks import AbstractNetwork


@final
@storable("pinn_numbers")
class Numbers(eqx.Module):
    """Every number that the residuals read and training does not change; traced, so new ones do not recompile.

    Attributes:
        arguments: parameters, coefficients and laws of the problem.
        bounds: interval of each coordinate.
        scales: natural size of each scalar unknown.
        quadrature: rule of the integrals, where there are any.
    """

    arguments: Arguments
    bounds: Bounds
    scales: dict[str, Array]
    quadrature: Quadrature | None


@final
@storable("pinn_ansatz")
@dataclass(frozen=True)
class Ansatz:
    r"""$u = L + s\,d\,N$ for every scalar unknown; unknowns of the same coordinates share one network.

    Hashable and free of numbers: equal problems with equal solvers share their compilations.

    Attributes:
        network: architecture.
        embedding: features of a point.
        groups: names of the coordinates and of the unknowns of each network.
        periodic: names of periodic coordinates.
        hard: lift and distance of each unknown that has hard conditions.
        parameters: unknown parameters, trained with the networks.
    """

    network: AbstractNetwork
    embedding: Embedding
    groups: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    periodic: frozenset[str]
    hard: tuple[tuple[str, HardConditions], ...]
    parameters: UnknownParameters

    def init(self, key: Array) -> PyTree:
        """Random networks, and unknown parameters at their initial numbers."""
        networks = [
            self.network.init(jax.random.fold_in(key, k), self.embedding.size(names, self.periodic), len(unknowns))
            for k, (names, unknowns) in enumerate(self.groups)
        ]
        return {"networks": networks, "parameters": self.parameters.initial()}

    def arguments(self, weights: PyTree, numbers: Numbers) -> Arguments:
        """The problem's numbers with the unknown parameters of these weights."""
        return numbers.arguments.with_parameters(self.parameters.physical(weights["parameters"]))

    def fields(self, weights: PyTree, numbers: Numbers) -> Fields:
        """Point function of all unknowns."""
        arguments = self.arguments(weights, numbers)
        conditions = dict(self.hard)

        def known(e: Scalar, point: Point) -> Array:
            return evaluate(e, known_values(atoms(e), point, arguments), BoundLaws(arguments.laws))

        def at(point: Point) -> Mapping[str, Array]:
            values = {}
            for (names, unknowns), network in zip(self.groups, weights["networks"], strict=True):
                outputs = self.network(network, self.embedding(point, names, self.periodic, numbers.bounds))
                for name, output in zip(unknowns, outputs, strict=True):
                    hard = conditions.get(name, NO_CONDITIONS)
                    distance = hard.distance(point, numbers.bounds)
                    lift = hard.lift(point, numbers.bounds, known)
                    values[name] = lift + numbers.scales[name] * distance * output
            return values

        return at


def network_groups(problem: Problem) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Scalar unknowns by the coordinates that they depend on."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for field in problem.fields:
        names = tuple(x.name for x in field.on)
        groups.setdefault(names, []).extend(repr(part) for part in components(field))
    return tuple((names, tuple(unknowns)) for names, unknowns in groups.items())


@final
@storable("pinn_network_fields")
class NetworkFields(AbstractRepresentation):
    """Trained fields: weights and the ansatz that gives them meaning."""

    weights: PyTree
    numbers: Numbers
    ansatz: Ansatz = eqx.field(static=True)

    def __call__(self, points: Mapping[str, Array]) -> dict[str, Array]:
        fields = self.ansatz.fields(self.weights, self.numbers)
        return dict(jax.vmap(fields)({name: jnp.asarray(p, float) for name, p in points.items()}))

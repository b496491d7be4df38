"""A scene: the numbers of a problem of motion at its particles, in NumPy, and what is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import jax.numpy as jnp
import numpy as np

from sciml.conditions import ConditionKind, PlacedCondition
from sciml.domains.bodies import Bodies
from sciml.errors import SciMLError
from sciml.expr.build import components
from sciml.expr.calculus import D
from sciml.expr.evaluation import evaluate
from sciml.expr.lowering import lower
from sciml.expr.traverse import atoms
from sciml.known import BoundLaws, known_values
from sciml.material import Material, PerBody
from sciml.problem import Problem
from solvers.mpm.grid import make_grid
from solvers.mpm.momentum import MomentumBalance
from solvers.mpm.step import Model, State

COURANT_LIMIT = 1.0
"""Largest distance in cells that the fastest wave may travel in a step: beyond it the explicit scheme is unstable."""

COURANT = 0.4
"""The same, where the solver chooses the step."""


@final
@dataclass(frozen=True, eq=False)
class Scene:
    """Particles at the start: all arrays in NumPy, components first.

    Attributes:
        domain: bodies and container.
        X: material points `(d, N)`.
        x: positions.
        v: velocities.
        F: deformation gradients `(d, d, N)`.
        density: mass per volume at rest `(N,)`.
        load: acceleration by body forces `(d, N)`.
        duration: seconds.
    """

    domain: Bodies
    X: np.ndarray
    x: np.ndarray
    v: np.ndarray
    F: np.ndarray
    density: np.ndarray
    load: np.ndarray
    duration: float

    @property
    def names(self) -> tuple[str, ...]:
        """Coordinates of space."""
        return tuple(x.name for x in self.domain.space)


def read_scene(problem: Problem, balance: MomentumBalance, domain: Bodies) -> Scene:
    """Evaluate initial conditions, density and load at the particles; compiles nothing.

    Raises:
        ProblemError: a condition that is missing or of another form.
    """
    t = problem.time
    assert t is not None  # momentum balance has one
    start, end = domain.bounds[t.name]
    names, X = [x.name for x in domain.space], domain.points
    points = {t.name: np.full(X.shape[1], start), **dict(zip(names, X, strict=True))}
    given = problem.arguments
    arguments = given.with_parameters({n: float(v) for n, v in given.parameters.items()})

    def value(e: Any) -> np.ndarray:
        known = known_values(atoms(e), points, arguments)
        return np.broadcast_to(np.asarray(evaluate(e, known, BoundLaws(arguments.laws)), float), X.shape[1:])

    def data(kind: ConditionKind, component: Any) -> Any:
        held = _condition(problem, kind, component)
        return lower(held.data / held.alpha)[0]

    places = [data(ConditionKind.INITIAL, c) for c in components(balance.map)]
    rates = [data(ConditionKind.INITIAL_RATE, c) for c in components(balance.map)]
    F = np.stack([[value(lower(D(place, x))[0]) for x in domain.space] for place in places])
    a, s = value(balance.inertia), value(balance.factor)
    load = np.stack([value(f) for f in balance.source]) / a
    return Scene(
        domain, X, np.stack([*map(value, places)]), np.stack([*map(value, rates)]), F, a / s, load, end - start
    )


def _condition(problem: Problem, kind: ConditionKind, component: Any) -> PlacedCondition:
    for c in problem.placed_conditions:
        if c.kind is kind and c.unknown is not None and c.unknown.digest == component.digest and c.place.is_initial:
            return c
    raise SciMLError(f"no {kind.value} of `{component!r}`", "its value at the start", "add it with .on(domain.at(t=…))")


def wave_speed(scene: Scene, material: Material | PerBody) -> float | None:
    """Speed of the fastest elastic wave at rest in m/s; None if some law does not know its modulus."""
    fastest = 0.0
    for name, section in scene.domain.sections.items():
        own = material.materials[name] if isinstance(material, PerBody) else material
        modulus = own.elastic.wave_modulus
        if modulus is None:
            return None
        fastest = max(fastest, math.sqrt(float(modulus) / float(scene.density[section].min())))
    return fastest


def top_speed(scene: Scene, material: Material | PerBody) -> float:
    """A bound of the speed at which anything moves through the grid at first: waves and particles, in m/s."""
    return (wave_speed(scene, material) or 0.0) + float(np.linalg.norm(scene.v, axis=0).max())


def default_spacing(scene: Scene) -> float:
    """Two particles to a cell along each axis."""
    return 2 * float(np.median(scene.domain.volumes)) ** (1 / len(scene.X))


def flaws(scene: Scene, material: Material | PerBody | None, spacing: float, dt: float | None) -> Iterator[str]:
    """What would make a run of this scene fail, each with the number that would work."""
    if not (scene.density > 0).all():
        yield f"a density of {scene.density.min():g} at some particle; it needs positive densities"
        return
    determinant = np.linalg.det(np.moveaxis(scene.F, -1, 0))
    if not (determinant > 0).all():
        yield (
            f"{int((determinant <= 0).sum())} inverted elements: the initial map has the determinant "
            f"{determinant.min():.3g} at some particle; it needs a positive one, such as phi == vector(X, …)"
        )
    yield from _outside(scene)
    if material is not None and dt is not None:
        speed = top_speed(scene, material)
        if speed * dt > COURANT_LIMIT * spacing:
            yield (
                f"a time step of {dt:g} s in which the fastest wave of the stiffest material ({speed:.3g} m/s with the "
                f"initial speed) crosses {speed * dt / spacing:.2g} cells of {spacing:g} m; it needs dt ≤ "
                f"{COURANT_LIMIT * spacing / speed:.3g}, and runs well with {COURANT * spacing / speed:.3g}"
            )


def _outside(scene: Scene) -> Iterator[str]:
    slack = 1e-9
    for name, row in zip(scene.names, scene.x, strict=True):
        lower, upper = scene.domain.container.bounds[name]
        out = int(((row < lower - slack) | (row > upper + slack)).sum())
        if out:
            yield (
                f"{out} of {row.size} particles outside the container along {name}, between {row.min():.4g} and "
                f"{row.max():.4g}; it needs a container that spans them, or positions in [{lower:g}, {upper:g}]"
            )


def number_of_steps(scene: Scene, material: Material | PerBody, spacing: float, dt: float | None) -> int:
    """Steps of equal length that are no longer than `dt`, or than the Courant number allows."""
    step = dt if dt is not None else COURANT * spacing / max(top_speed(scene, material), 1e-12)
    return max(math.ceil(scene.duration / step - 1e-9), 1)


def start(scene: Scene, dtype: Any) -> State:
    """The state at the start, moving rigidly at each particle."""
    x, v, F = (jnp.asarray(a, dtype) for a in (scene.x, scene.v, scene.F))
    return State(x, v, jnp.zeros_like(F), F)


def make_model(scene: Scene, spacing: float, dt: float, dtype: Any, mass_floor: float = 0.0) -> Model:
    """Grid, masses and loads of a scene; `mass_floor` is relative to the mean mass of a particle."""
    volumes, mass = scene.domain.volumes, scene.domain.volumes * scene.density
    uniform = bool(np.ptp(scene.load, axis=1).max() == 0)
    load = scene.load[:, :1] if uniform else scene.load
    sections = tuple((name, s.start, s.stop) for name, s in scene.domain.sections.items())
    grid = make_grid(scene.domain.container, scene.names, spacing, dtype)
    arrays = (jnp.asarray(a, dtype) for a in (dt, mass, volumes, load, mass_floor * mass.mean()))
    return Model(grid, *arrays, sections=sections)


def in_precision(material: Any, dtype: Any) -> Any:
    """A material with its numbers in a precision."""
    import equinox as eqx
    import jax

    return jax.tree.map(lambda a: a.astype(dtype) if eqx.is_inexact_array(a) else a, material)

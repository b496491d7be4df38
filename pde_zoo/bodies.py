"""Bodies in motion: elastic, granular, plastic and fluid ones that are thrown into a container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pde_zoo.materials import Corotated
from pde_zoo.values import Value, parameter
from sciml import Coefficient, Law, Problem, VectorField, coordinates, cross, div, grad, vector
from sciml.domains.bodies import AbstractParticles, Bodies, Body, Lattice
from sciml.domains.container import Container
from sciml.domains.shapes import Ball, Cuboid
from sciml.material import Material, PerBody
from sciml.reference import ComputedReference


def jelly_drop(E: float = 5e4, nu: float = 0.3, rho: Value = 1e3, t_end: float = 0.4, particles: int = 24) -> Problem:
    r"""A disc of jelly falls on the floor of a box and bounces.

    $$\rho\,\ddot\varphi = \nabla\cdot P(\nabla\varphi) + \rho\,g,\qquad
    P = 2\mu(F-R)+\lambda J(J-1)F^{-\top},\quad F=\nabla\varphi=RS,\ J=\det F$$

    for $t\in[0,T]$ s in the plane, on the disc of radius 0.15 m around (0.5, 0.4) m, with $\varphi(0)=X$,
    $\varphi_t(0)=(0,-1)$ m/s, $g=(0,-9.8)$ m/s², in the container $[0.1,0.9]^2$ whose walls stop what comes and let
    go what leaves.

    Args:
        E: Young's modulus in Pa.
        nu: Poisson's ratio.
        rho: density in kg/m³.
        t_end: T in s.
        particles: across the disc.

    Truth: computed by the material point method with a quarter of the spacing of particles and grid; its own error is
    the difference from the computation with half the spacing.
    """
    t, X, Y = coordinates("t X Y")
    phi = VectorField("phi", 2, t, X, Y)
    density = parameter("rho", rho)
    P = Law("stress", inputs=grad(phi), shape=(2, 2))
    disc = Body(Ball((0.5, 0.4), 0.15), Lattice(particles))
    domain = Bodies({t: (0, t_end)}, {"jelly": disc}, Container({X: (0.1, 0.9), Y: (0.1, 0.9)}))
    motion = Problem(
        equations=[density * phi.dtt == div(P) + density * vector(0, -9.8)],
        domain=domain,
        conditions=[
            (phi == vector(X, Y)).on(domain.at(t=0)),
            (phi.dt == vector(0, -1)).on(domain.at(t=0)),
        ],
        reference=ComputedReference("mpm", {"refine": 4}, {"refine": 2}),
        name="jelly_drop",
    )
    return motion.bind(P, Material(Corotated(E, nu)))


def thrown_cube(
    material: Any,
    *,
    velocity: tuple[float, float, float] = (1.0, -1.5, -2.0),
    spin: tuple[float, float, float] = (4.0, 4.0, 4.0),
    rho: Value = 1e3,
    t_end: float = 0.5,
    particles: int | AbstractParticles = 10,
    gravity: tuple[float, float, float] = (0.0, -9.8, 0.0),
    shape: Any = None,
    recipe: Mapping[str, Any] | None = None,
    name: str = "thrown_cube",
) -> Problem:
    r"""A body of some material is thrown, spinning, into a corner of a box.

    $$\rho\,\ddot\varphi = \nabla\cdot P + \rho\,g$$

    for $t\in[0,T]$ s on the cube $[0.25,0.75]^3$ m, with $\varphi(0)=X$ and $\varphi_t(0)=u+\omega\times(X-c)$ around
    the cube's centre c, in the container $[0.1,0.9]^3$ whose walls stop what comes and let go what leaves.

    Args:
        material: bound to the law of stress; None leaves it unknown.
        velocity: u in m/s.
        spin: ω in 1/s.
        rho: density in kg/m³.
        t_end: T in s.
        particles: along an edge of the cube, the outermost on its faces; or how the shape is filled.
        gravity: g in m/s².
        shape: instead of the cube.
        recipe: options of the particle method for the truth and for the comparison that gives the truth's error.
        name: how reports call it.
    """
    t, X, Y, Z = coordinates("t X Y Z")
    phi = VectorField("phi", 3, t, X, Y, Z)
    density = parameter("rho", rho)
    P = Law("stress", inputs=grad(phi), shape=(3, 3))
    filling = particles if isinstance(particles, AbstractParticles) else Lattice(particles, ends=shape is None)
    body = Body(shape or Cuboid((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)), filling)
    container = Container({X: (0.1, 0.9), Y: (0.1, 0.9), Z: (0.1, 0.9)})
    domain = Bodies({t: (0, t_end)}, {"body": body}, container)
    arm = vector(X, Y, Z) - vector(0.5, 0.5, 0.5)
    thrown = Problem(
        equations=[density * phi.dtt == div(P) + density * vector(*gravity)],
        domain=domain,
        conditions=[
            (phi == vector(X, Y, Z)).on(domain.at(t=0)),
            (phi.dt == vector(*velocity) + cross(vector(*spin), arm)).on(domain.at(t=0)),
        ],
        reference=ComputedReference("mpm", dict(recipe["fine"]), dict(recipe["coarse"])) if recipe else None,
        name=name,
    )
    return thrown if material is None else thrown.bind(P, material)


def two_bodies(
    first: Body,
    second: Body,
    materials: tuple[Any, Any] | None,
    *,
    velocities: tuple[tuple[float, float, float], tuple[float, float, float]],
    densities: tuple[float, float] = (1e3, 1e3),
    t_end: float = 0.5,
    gravity: tuple[float, float, float] = (0.0, -9.8, 0.0),
    name: str = "two_bodies",
) -> Problem:
    r"""Two bodies of some materials that meet in a box: they collide, or one falls into the other.

    $$\rho\,\ddot\varphi = \nabla\cdot P + \rho\,g$$

    for $t\in[0,T]$ s with $\varphi(0)=X$ and one velocity for each body, in the container $[0.1,0.9]^3$ whose walls
    stop what comes and let go what leaves. The law of stress reads which body it is in.

    Args:
        first: shape and particles of the body that the coefficient `body` numbers 0.
        second: of that which it numbers 1.
        materials: of both, bound to the law of stress; None leaves it unknown.
        velocities: of both in m/s.
        densities: of both in kg/m³.
        t_end: T in s.
        gravity: g in m/s².
        name: how reports call it.
    """
    t, X, Y, Z = coordinates("t X Y Z")
    phi = VectorField("phi", 3, t, X, Y, Z)
    container = Container({X: (0.1, 0.9), Y: (0.1, 0.9), Z: (0.1, 0.9)})
    domain = Bodies({t: (0, t_end)}, {"first": first, "second": second}, container)
    body = Coefficient("body", X, Y, Z, function=domain.body_of)
    P = Law("stress", (grad(phi), body), (3, 3))

    def of_each(a: float, b: float) -> Any:
        return a if a == b else a + (b - a) * body

    density, thrown = of_each(*densities), vector(*map(of_each, *velocities))
    meeting = Problem(
        equations=[density * phi.dtt == div(P) + density * vector(*gravity)],
        domain=domain,
        conditions=[
            (phi == vector(X, Y, Z)).on(domain.at(t=0)),
            (phi.dt == thrown).on(domain.at(t=0)),
        ],
        name=name,
    )
    return meeting if materials is None else meeting.bind(P, PerBody(dict(zip(domain.bodies, materials, strict=True))))

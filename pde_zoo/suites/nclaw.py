"""Four materials of "Learning neural constitutive laws from motion observations" (arXiv:2304.14369), in its scene.

The truth is the discrete motion that the paper's simulator makes of each material, followed by the particle method of
this library with the same spacing and step; its own error is the difference between single and double precision. The
figure of the paper's kind is `reconstruction` in the record: the mean square distance in m² over every fifth of 1000
steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pde_zoo.bodies import thrown_cube, two_bodies
from pde_zoo.materials import Corotated, DruckerPrager, Fluid, Hencky, Volume, VonMises
from sciml import Problem
from sciml.case import Case, Published
from sciml.domains.bodies import Body, Lattice, Scattered, particle_grid
from sciml.domains.shapes import Ball, Cuboid, Ellipsoid, Torus
from sciml.material import Material

SCHEME: dict[str, Any] = {"spacing": 0.05, "dt": 5e-4, "mass_floor": 8e-7, "frames": 200}
"""Spacing, step and regularisation of the published simulator."""

_RECIPE = {"fine": SCHEME, "coarse": {**SCHEME, "single": True}}
_SOURCE = "arXiv:2505.16971, on its own data (second-hand; mean square in units that are not certain)"


def _scene(material: Material, name: str, t_end: float) -> Problem:
    return thrown_cube(material, t_end=t_end, recipe=_RECIPE, name=name)


def jelly(E: float = 1e5, nu: float = 0.2, t_end: float = 0.5) -> Problem:
    """A cube of jelly, corotated elasticity, thrown into a corner (see `thrown_cube`).

    Truth: computed in double precision with the published spacing and step; its own error is that of single precision.
    """
    return _scene(Material(Corotated(E, nu)), "nclaw/jelly", t_end)


def sand(E: float = 1e6, nu: float = 0.2, friction_angle: float = 25.0, t_end: float = 0.5) -> Problem:
    """A cube of dry sand, Hencky elasticity with Drucker-Prager flow, thrown into a corner (see `thrown_cube`).

    Truth: computed in double precision with the published spacing and step; its own error is that of single precision.
    """
    return _scene(Material(Hencky(E, nu), DruckerPrager(nu, friction_angle)), "nclaw/sand", t_end)


def plasticine(E: float = 3e5, nu: float = 0.25, yield_stress: float = 5e3, t_end: float = 0.5) -> Problem:
    """A cube of plasticine, Hencky elasticity with von Mises flow, thrown into a corner (see `thrown_cube`).

    Truth: computed in double precision with the published spacing and step; its own error is that of single precision.
    """
    return _scene(Material(Hencky(E, nu), VonMises(E, nu, yield_stress)), "nclaw/plasticine", t_end)


def water(E: float = 1e5, nu: float = 0.3, t_end: float = 0.5) -> Problem:
    """A cube of water, weakly compressible, thrown into a corner (see `thrown_cube`).

    Truth: computed in double precision with the published spacing and step; its own error is that of single precision.
    """
    return _scene(Material(Volume(E, nu), Fluid()), "nclaw/water", t_end)


def _case(build: Any, reconstruction: float) -> Case:
    figure = Published("NCLaw", float("nan"), _SOURCE, note=f"reconstruction {reconstruction:g}")
    return Case(f"nclaw/{build.__name__}", build, {"t": 201}, published=(figure,), rule=particle_grid)


CASES: tuple[Case, ...] = (_case(jelly, 2.4e-5), _case(sand, 2.6e-5), _case(plasticine, 6.5e-5), _case(water, 2.0e-5))


def materials() -> dict[str, Material]:
    """What the four cases are made of, by name."""
    return {build.__name__: build().bindings["stress"] for build in (jelly, sand, plasticine, water)}


_THROWN = {  # velocity and spin that the published sampler draws from seeds
    1: ((0.058595, -2.232753, -1.763747), (0.935494, 1.269979, 2.483108)),
    7: ((0.169227, -0.537345, 0.372944), (0.900485, 2.620660, 0.015796)),
    8: ((-0.747015, -2.103726, -0.782682), (2.609690, 1.173254, 1.313646)),
}
_MILD: dict[str, Any] = {"velocity": (1.0, -1.5, -1.5), "spin": (1.0, 1.0, 1.0)}
_MIDDLE = (0.5, 0.5, 0.5)
_SHAPES = {
    "torus": Torus(_MIDDLE, 0.22, 0.09),
    "ellipsoid": Ellipsoid(_MIDDLE, (0.3, 0.15, 0.2)),
    "dumbbell": Ball((0.36, 0.5, 0.5), 0.13) | Ball((0.64, 0.5, 0.5), 0.13) | Cuboid(_MIDDLE, (0.28, 0.1, 0.1)),
}
_LONG = {"water": 2.5}


def _shaped(name: str, material: Material) -> Problem:
    """As many particles as the cube has, so that nothing is compiled anew."""
    return thrown_cube(material, shape=_SHAPES[name], particles=Scattered(1000), name=f"nclaw/{name}", **_MILD)


def _slope(material: Material) -> Problem:
    """A block at rest above the floor of a box that is tilted by 30 degrees."""
    still = (0.0, 0.0, 0.0)
    block = Cuboid((0.5, 0.3, 0.35), (0.3, 0.3, 0.3))
    return thrown_cube(material, velocity=still, spin=still, gravity=(0.0, -8.487, 4.9), shape=block,
                       particles=Scattered(1000), name="nclaw/slope")  # fmt: skip


def _contact(material: Material) -> Problem:
    """Two cubes of the same material that are thrown at one another."""
    left, right = (Body(Cuboid((x, 0.5, z), (0.24,) * 3), Lattice(8)) for x, z in ((0.3, 0.47), (0.7, 0.53)))
    velocities = ((2.0, 0.0, 0.0), (-2.0, 0.0, 0.0))
    return two_bodies(left, right, (material, material), velocities=velocities, name="nclaw/contact")


SCENES: dict[str, Callable[[str, Material], Problem]] = {
    "reconstruction": lambda _name, law: thrown_cube(law, name="nclaw/reconstruction"),
    "time": lambda name, law: thrown_cube(law, t_end=_LONG.get(name, 1.0), name="nclaw/time"),
    **{f"velocity {seed}": lambda _name, law, v=v: thrown_cube(law, velocity=v[0], spin=v[1], name="nclaw/velocity")
       for seed, v in _THROWN.items()},
    **{shape: lambda _name, law, shape=shape: _shaped(shape, law) for shape in _SHAPES},
    "slope": lambda _name, law: _slope(law),
    "contact": lambda _name, law: _contact(law),
}  # fmt: skip
"""Motions that a law is asked for, of a material's name and its law: the one that it was learned from, twice its span
(of water five times), other throws and shapes, a tilted box, a collision."""


def jelly_in_water(jelly: Material, water: Material) -> Problem:
    """A ball of jelly falls into water of three times its density."""
    pool = Body(Cuboid((0.5, 0.22, 0.5), (0.78, 0.22, 0.78)), Scattered(3000))
    ball = Body(Ball((0.5, 0.55, 0.5), 0.14), Scattered(700))
    return two_bodies(ball, pool, (jelly, water), velocities=((0.0, -1.0, 0.0), (0.0, 0.0, 0.0)),
                      densities=(1e3, 3e3), name="nclaw/jelly_in_water")  # fmt: skip

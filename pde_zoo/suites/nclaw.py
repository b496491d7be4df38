"""Four materials of "Learning neural constitutive laws from motion observations" (arXiv:2304.14369), in its scene.

The truth is the discrete motion that the paper's simulator makes of each material, followed by the particle method of
this library with the same spacing and step; its own error is the difference between single and double precision. The
figure of the paper's kind is `reconstruction` in the record: the mean square distance in m² over every fifth of 1000
steps.
"""

from __future__ import annotations

from typing import Any

from pde_zoo.bodies import thrown_cube
from pde_zoo.materials import Corotated, DruckerPrager, Fluid, Hencky, Volume, VonMises
from sciml import Problem
from sciml.case import Case, Published
from sciml.domains.bodies import particle_grid
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

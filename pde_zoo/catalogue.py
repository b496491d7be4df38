"""Every case by name: the zoo's own problems, and the suites'."""

from __future__ import annotations

from collections.abc import Callable

import pde_zoo as zoo
from pde_zoo.suites import families, gp, gp_hm, inverse, laws, nclaw, pig, pinnacle, records, systems
from sciml.case import Case
from sciml.domains.bodies import particle_grid
from sciml.domains.grids import midpoint_grid, scattered_grid
from sciml.problem import Problem


def _case(build: Callable[..., Problem], **points: int) -> Case:
    return Case(build.__name__, build, points)


_OWN: tuple[Case, ...] = (
    _case(zoo.advection, t=101, x=128),
    _case(zoo.allen_cahn, t=101, x=256),
    _case(zoo.biharmonic, x=101, y=101),
    _case(zoo.black_scholes, tau=101, S=201),
    _case(zoo.burgers, t=101, x=257),
    _case(zoo.darcy, x=101, y=101),
    _case(zoo.darcy_flow, x=129, y=129),
    _case(zoo.eikonal, x=101, y=101),
    _case(zoo.elastodynamics, t=21, x=51, y=51),
    _case(zoo.fisher_kpp, t=101, x=201),
    _case(zoo.flow_mixing, t=41, x=81, y=81),
    _case(zoo.fokker_planck, t=101, x=201),
    _case(zoo.ginzburg_landau, t=11, x=100, y=100),
    _case(zoo.ginzburg_landau_wave, t=101, x=128),
    _case(zoo.gray_scott, t=11, x=100, y=100),
    Case("harmonic", zoo.harmonic, 10_000, rule=scattered_grid),
    _case(zoo.heat, t=101, x=101),
    _case(zoo.helmholtz, x=101, y=101),
    _case(zoo.helmholtz_3d, x=41, y=41, z=41),
    Case("jelly_drop", zoo.jelly_drop, {"t": 21}, rule=particle_grid),
    _case(zoo.klein_gordon, t=41, x=41, y=41),
    _case(zoo.korteweg_de_vries, t=101, x=256),
    _case(zoo.kuramoto_sivashinsky, t=101, x=256),
    Case("lid_driven_cavity", zoo.lid_driven_cavity, {"x": 100, "y": 100}, rule=midpoint_grid),
    _case(zoo.multiscale_laplace, x=201, y=201),
    _case(zoo.nonlinear_diffusion, t=21, x=81, y=81),
    _case(zoo.nonlinear_schroedinger, t=101, x=128),
    _case(zoo.poisson, x=101, y=101),
    _case(zoo.reaction_diffusion, t=101, x=128),
    _case(zoo.sine_gordon, t=101, x=201),
    _case(zoo.solitons, t=101, x=351),
    _case(zoo.taylor_green, t=11, x=64, y=64),
    _case(zoo.wave, t=101, x=201),
)

_SUITES = (families, gp, gp_hm, inverse, laws, nclaw, pig, pinnacle, records, systems)

CASES: dict[str, Case] = {case.name: case for case in (*_OWN, *(case for suite in _SUITES for case in suite.CASES))}
"""Cases by name: `burgers`, `gp_hm/u3`."""

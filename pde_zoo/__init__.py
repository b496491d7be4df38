"""Named problems: functions that return a `Problem`, and the suites that publish figures for them."""

from pde_zoo.bodies import jelly_drop
from pde_zoo.burgers import burgers
from pde_zoo.darcy import darcy, darcy_flow
from pde_zoo.diffusion import fokker_planck, heat, nonlinear_diffusion
from pde_zoo.dispersive import korteweg_de_vries, kuramoto_sivashinsky, nonlinear_schroedinger, solitons
from pde_zoo.elliptic import (
    biharmonic,
    eikonal,
    harmonic,
    helmholtz,
    helmholtz_3d,
    manufactured,
    multiscale_laplace,
    poisson,
)
from pde_zoo.finance import black_scholes
from pde_zoo.fluids import lid_driven_cavity, taylor_green
from pde_zoo.mechanics import elastodynamics
from pde_zoo.reaction import (
    allen_cahn,
    fisher_kpp,
    ginzburg_landau,
    ginzburg_landau_wave,
    gray_scott,
    reaction_diffusion,
)
from pde_zoo.transport import advection, flow_mixing
from pde_zoo.waves import klein_gordon, sine_gordon, wave

__all__ = [
    "advection", "allen_cahn", "biharmonic", "black_scholes", "burgers", "darcy", "darcy_flow", "eikonal",
    "elastodynamics", "fisher_kpp", "flow_mixing", "fokker_planck", "ginzburg_landau", "ginzburg_landau_wave",
    "gray_scott", "harmonic", "heat", "helmholtz", "helmholtz_3d", "jelly_drop", "klein_gordon", "korteweg_de_vries",
    "kuramoto_sivashinsky", "lid_driven_cavity", "manufactured", "multiscale_laplace", "nonlinear_diffusion",
    "nonlinear_schroedinger", "poisson", "reaction_diffusion", "sine_gordon", "solitons", "taylor_green", "wave",
]  # fmt: skip

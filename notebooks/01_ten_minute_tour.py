# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Ten minutes with sciml
#
# A partial differential equation is written once. Everything else is derived from it: what kind it is, what a solver
# needs, how it reads in LaTeX, and whether a condition is missing.

# %%
import tempfile

from sciml import Box, Field, Parameter, Problem, coordinates, exp, load, pi, sin, solve, uniform_grid
from sciml.plotting import plot_comparison
from sciml.plotting.explore import explore_parameters, explore_solution
from solvers.classical import FiniteDifference, Spectral
from solvers.gp import KroneckerGP

# %% [markdown]
# ## The equation
#
# Heat in a bar whose ends are kept cold. Coordinates first, then fields on them; `==` makes equations, `.on` says where
# conditions hold. The exact solution is optional: it is the truth that errors are measured against.

# %%
t, x = coordinates("t x")
u = Field("u", t, x)
kappa = Parameter("kappa", 0.1)
bar = Box({t: (0, 1), x: (0, 1)})
heat = Problem(
    equations=[u.dt == kappa * u.dxx],
    domain=bar,
    conditions=[(u == sin(pi * x)).on(bar.at(t=0)), (u == 0).on(bar.boundary(x))],
    exact={u: exp(-kappa * pi**2 * t) * sin(pi * x)},
    name="heat",
)
heat

# %% [markdown]
# ## Three solvers, one object
#
# A solver is a value with hyperparameters. None of the three below has ever heard of heat.

# %%
solutions = {
    "spectral": solve(heat, Spectral()),
    "finite differences": solve(heat, FiniteDifference(points=33)),
    "Gaussian process": solve(heat, KroneckerGP()),
}
grid = uniform_grid(bar, {"t": 41, "x": 65})
errors = {name: s.errors(heat.reference, grid)["u"]["relative_l2"] for name, s in solutions.items()}
errors

# %% [markdown]
# Errors are taken against the truth, on a grid that no solver has seen. The spectral method is far ahead here, as it
# should be: the solution is one smooth wave.

# %%
plot_comparison(solutions, heat.reference, grid)

# %% [markdown]
# ## A solution is a function
#
# Call it with named coordinates that broadcast. It knows how it was obtained, what it cost, and how far to trust it.

# %%
spectral = solutions["spectral"]
spectral(t=0.5, x=[0.25, 0.5, 0.75]), spectral.result, spectral.stats.total

# %% [markdown]
# Sliders in a live notebook; a strip of pictures where there are no widgets.

# %%
explore_solution(spectral, steps=5, reference=heat.reference)

# %%
explore_parameters(lambda kappa: solve(heat.replace(kappa=kappa), Spectral()), kappa=[0.02, 0.1, 0.5])

# %% [markdown]
# ## Saved and loaded
#
# JSON and arrays with checksums; nothing in the folder is executed when it is read.

# %%
with tempfile.TemporaryDirectory() as folder:
    back = load(spectral.save(folder))
assert back(t=0.5, x=0.5) == spectral(t=0.5, x=0.5)
assert max(errors.values()) < 1e-3 and errors["spectral"] < 1e-9

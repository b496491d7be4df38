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
# # Write your own equation
#
# A rod of two metals whose conductivity comes as data, with a loss to the air given by a law, and a mistake or two on
# the way: the library is meant to say what is wrong before anything is computed.

# %%
import numpy as np

from sciml import (
    Box,
    Coefficient,
    D,
    Field,
    Law,
    Nearest,
    Problem,
    SciMLError,
    coordinates,
    cos,
    latex,
    pi,
    sin,
    solve,
    uniform_grid,
)
from solvers.classical import FiniteDifference, Spectral

# %% [markdown]
# ## Data and laws in an equation

# %%
t, x = coordinates("t x")
u = Field("u", t, x)
cells = np.linspace(0, 1, 41)
k = Coefficient("k", x, values=np.where(cells < 0.5, 0.2, 0.05), points=(cells,), interpolation=Nearest())
loss = Law("loss", u)
rod = Box({t: (0, 1), x: (0, 1)})
equation = u.dt == D(k * D(u, x), x) - loss
start = (u == sin(pi * x)).on(rod.at(t=0))
ends = (u == 0).on(rod.boundary(x))
cooling = Problem([equation], rod, [start, ends]).bind(loss, lambda u: 0.3 * u**4)
latex(equation)

# %%
temperature = solve(cooling, FiniteDifference(points=65))
temperature.plot()

# %% [markdown]
# ## What is missing is said at once

# %%
try:
    Problem([equation], rod, [start])
except SciMLError as error:
    said = str(error)
said

# %% [markdown]
# A solver that cannot solve a problem says why, before it compiles anything. Every refusal has the form: found,
# needed, do this.

# %%
reasons = Spectral().check(cooling)
assert reasons
reasons

# %%
try:
    u.dx + Field("v", *coordinates("t y"))
except SciMLError as error:
    answer = str(error)
answer

# %% [markdown]
# ## Test a solver on a solution of your choice
#
# Put any expression into the equation, and what remains is the source that makes it exact: a manufactured solution.

# %%
w = cos(t) * sin(pi * x)
source = w.dt - 0.1 * w.dxx - w * (1 - w)
made = Problem(
    [u.dt == 0.1 * u.dxx + u * (1 - u) + source],
    rod,
    [(u == w).on(rod.at(t=0)), (u == w).on(rod.boundary(x))],
    exact={u: w},
)
grid = uniform_grid(rod, {"t": 21, "x": 101})
convergence = {
    n: solve(made, FiniteDifference(points=n)).errors(made.reference, grid)["u"]["relative_l2"] for n in (17, 33)
}
convergence

# %% [markdown]
# Differences of fourth order: half the spacing, about a sixteenth of the error.

# %%
assert convergence[17] / convergence[33] > 8

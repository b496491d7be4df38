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
# # High frequencies and their uncertainty
#
# A Gaussian process whose kernel is a sum of spectral lines. The lines are read from the source of the equation, the
# solution comes from one linear solve, and a standard deviation comes with it.

# %%
import warnings

import numpy as np

from pde_zoo.suites.gp_hm import u2
from sciml import Box, Field, Problem, ProblemWarning, coordinates, sin, solve, uniform_grid
from sciml.plotting import plot_spectrum
from solvers.gp import KroneckerGP

# %% [markdown]
# ## Waves of three frequencies
#
# The Poisson equation with the solution $\sin x + 0.1 \sin 20x + 0.05 \sin 100x$: a network with smooth activations
# learns the first wave and, for a long time, not the others.

# %%
problem = u2()
waves = solve(problem, KroneckerGP())
grid = uniform_grid(problem.box, 2001)
error = waves.errors(problem.reference, grid)["u"]["relative_l2"]
print(f"relative L2 error {error:.1e}")
assert error < 1e-8

# %%
plot_spectrum(waves)

# %%
waves.spectrum()["x"]

# %% [markdown]
# ## Does it know how wrong it is?
#
# The same kind of equation, but from noisy observations alone, without boundary conditions: the deviation must now
# cover the error. An honest Gaussian has 95 % of the domain within two standard deviations.

# %%
(x,) = coordinates("x")
u, w = Field("u", x), sin(x) + 0.5 * sin(20 * x)
line = Box({x: (0, 2 * np.pi)})
exact = Problem([u.dxx - u == w.dxx - w], line, [(u == w).on(line.boundary)], exact={u: w})
random = np.random.default_rng(0)
at = random.uniform(0, 2 * np.pi, 60)
values = np.sin(at) + 0.5 * np.sin(20 * at) + 0.05 * random.standard_normal(60)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ProblemWarning)  # of the missing conditions: the observations take their place
    noisy = exact.observe("u", {"x": at}, values, noise=0.05).replace(conditions=())
seen = solve(noisy, KroneckerGP())

# %%
xs = np.linspace(0, 2 * np.pi, 1000)
gap, std = np.abs(seen(x=xs) - (np.sin(xs) + 0.5 * np.sin(20 * xs))), seen.std(x=xs)
covered = float(np.mean(gap <= 2 * std))
ratio = float(np.sqrt(np.mean(gap**2) / np.mean(std**2)))
print(f"within two standard deviations: {covered:.0%};  rms error over rms deviation: {ratio:.2f}")

# %% [markdown]
# One draw of noise says little about coverage: errors along the line are correlated. Over twenty draws, in one and two
# dimensions, with the noise told and not told: `python -m benchmarks.coverage`.

# %%
seen.plot()

# %%
assert 0.0 < float(np.max(std)) < 0.5 and covered > 0.5

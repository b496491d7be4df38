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
# # Inverse problems
#
# A parameter without a number is an unknown. Observations go to the problem, not to the solver: any solver that accepts
# them gives estimates with standard errors.

# %%
import numpy as np

from sciml import Box, Field, Parameter, Problem, coordinates, sin, solve
from solvers.gp import KroneckerGP

# %% [markdown]
# ## One number from forty noisy values
#
# $u'' - k u = f$ on $[0, 1]$, observed with a noise of 0.02. The true $k$ is 7; the solver starts at 3.

# %%
(x,) = coordinates("x")
u, k = Field("u", x), Parameter("k", init=3.0, positive=True)
w = sin(9 * x) + x
line = Box({x: (0, 1)})
unknown = Problem([u.dxx - k * u == w.dxx - 7 * w], line, [(u == w).on(line.boundary(x))])


def observed(seed: int) -> Problem:
    """The problem with fresh places and fresh noise."""
    random = np.random.default_rng(seed)
    at = random.uniform(0, 1, 40)
    return unknown.observe("u", {"x": at}, np.sin(9 * at) + at + 0.02 * random.standard_normal(40), noise=0.02)


first = solve(observed(0), KroneckerGP())
first.parameters["k"]

# %% [markdown]
# ## Is the standard error true?
#
# Repeat the experiment: the scatter of the estimates over their standard errors should be about one.

# %%
found = [solve(observed(seed), KroneckerGP()).parameters["k"] for seed in range(6)]
scores = np.array([(estimate.value - 7) / estimate.standard_error for estimate in found])
for estimate in found:
    print(estimate)
print(f"rms of (estimate - truth) / standard error: {np.sqrt(np.mean(scores**2)):.2f}")

# %% [markdown]
# Networks do the same for equations that are not linear: see the second example of the README, where a viscosity comes
# back from 200 observations; it takes a minute more.

# %%
assert np.all(np.abs(scores) < 4)

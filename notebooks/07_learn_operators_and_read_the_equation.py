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
# # Learn operators and read the equation
#
# A transformer that was trained on twelve families of equations reads the noisy beginning of a trajectory and a guess
# of its equations. It answers with the rest of the trajectory and with equations. Then a fit by the library's own
# solver turns that answer into numbers with standard errors.

# %%
import jax
import numpy as np

from pde_zoo.families import FAMILIES
from sciml import Parameter, Problem, solve
from solvers.identification import SystemIdentification
from solvers.prose import PROSE

# %% [markdown]
# ## A family, and one trajectory of it
#
# A `ProblemFamily` is a problem whose numbers and initial data are distributions. The tokens that the transformer
# reads, the right-hand side that makes the data and the equation below come from the same tree.

# %%
family = FAMILIES["lorenz"]
family.template

# %%
drawn = family.trajectories(jax.random.key(3), 1)
truth, numbers = drawn.states[0], {name: float(v[0]) for name, v in drawn.parameters.items()}
noisy = drawn.noisy(jax.random.key(4), 0.02)[0]
numbers

# %% [markdown]
# ## What is observed
#
# The first third of the trajectory, with 2 % of noise. Numbers and initial values are unknown, and the guess of the
# form is wrong: a term of the second equation is missing.

# %%
given = 64
domain, (x, y, z) = family.template.box, family.unknowns
first, second, third = family.template.equations
rho = family.template.parameters["rho"]
guess = [first, y.dt == x * (rho - z), third]
starts = [(u == Parameter(f"{u!r}_start", init=0.0)).on(domain.at(t=0)) for u in (x, y, z)]
problem = Problem(guess, domain, starts, name="weather")
for i, u in enumerate((x, y, z)):
    problem = problem.observe(u, {"t": drawn.times[:given]}, noisy[:given, i])
problem


# %%
def future_error(solution) -> float:
    """Relative error of the two thirds that were not observed."""
    later = drawn.times[given:]
    found = np.stack([np.asarray(solution(t=later)[f"u_{i}"]) for i in range(3)], axis=-1)
    return float(np.linalg.norm(found - truth[given:]) / np.linalg.norm(truth[given:]))


persistence = float(np.linalg.norm(noisy[given - 1] - truth[given:]) / np.linalg.norm(truth[given:]))

# %% [markdown]
# ## The network alone
#
# No iteration: one pass gives the prediction, another one the equations, word by word, held to a grammar so that they
# always parse. The missing term is there.

# %%
read = solve(problem, PROSE(weights="ode_small"), throw=False)
for equation in read.problem.equations:
    print(equation)
print(f"future, relative error: network {future_error(read):.1%}, last value persists {persistence:.1%}")

# %% [markdown]
# ## Refined
#
# The forms that the network proposes go to `SystemIdentification`, which fits each of them by shooting, with the
# network's opinion of the numbers as a prior, and chooses.

# %%
refined = solve(problem, PROSE(weights="ode_small", refine=SystemIdentification()), throw=False)
for equation in refined.problem.equations:
    print(equation)
print({name: str(found) for name, found in refined.parameters.items()})
print(f"future, relative error: refined {future_error(refined):.1%}")

# %% [markdown]
# The guess as it stands, fitted without the network, keeps its error of form. Where the form is known, the fit needs
# no network: `docs/results.md` says what each of them is worth.

# %%
fitted = solve(problem, SystemIdentification(), throw=False)
print(f"future, relative error: guess as it stands {future_error(fitted):.1%}")

# %%
assert refined.result.is_success
assert future_error(refined) < 0.02 < future_error(fitted)

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
# # Compare solvers honestly
#
# Three rules. Compare at equal accuracy or at equal time, never in a single point. Have an efficient classical method
# in the table, and answers that solve nothing. Keep what failed.

# %%
import jax
import matplotlib.pyplot as plt
import numpy as np

from sciml.cli import LIBRARY
from sciml.measurement import measure, subject_of
from sciml.scores import field_scores, violations

# %% [markdown]
# ## One row is one run
#
# A case fixes its problem, its truth with the truth's own error, and the grid where errors are taken. `measure` makes a
# row of whatever happens, a refusal or a crash too.

# %%
subject = subject_of(LIBRARY.case("heat"), {}, LIBRARY.make_solver)
contenders = [
    ("spectral", {}),
    ("finite_difference", {"points": 17}),
    ("finite_difference", {"points": 65}),
    ("gp", {}),
    ("lift", {}),
    ("zero", {}),
    ("mpm", {}),
]
rows = [(name, options, measure(subject, name, LIBRARY.make_solver(name, options))) for name, options in contenders]
for name, options, row in rows:
    label = f"{name} {options or ''}"
    seconds = row.seconds.get("total", 0)
    print(f"{label:34s} {row.result:12s} error {row.error:8.1e}   {seconds:6.2f} s  {row.message[:60]}")
print(f"the truth is {subject.reference.kind}, its own error {subject.reference.error:.0e}")

# %% [markdown]
# The particle method is in the table and says that it cannot; `lift` holds the initial data, `zero` answers zero. A
# method whose error is not far below theirs has learned nothing.
#
# ## More than one number
#
# A small L2 error may hide a large one somewhere, a wrong slope, or an equation that is not satisfied.

# %%
points = {name: np.asarray(p) for name, p in subject.grid.points().items()}
truth = subject.reference(points)
for name, _, row in rows[:4]:
    scores = field_scores(subject.grid, row.solution, truth)["u"]
    broken = violations(row.solution, jax.random.key(77))
    print(f"{name:18s} L2 {scores['relative_l2']:.1e}  max {scores['relative_max']:.1e}  H1 {scores['h1']:.1e}"
          f"  high waves {scores['bands']['high']:.1e}  equation {broken['equation']:.1e}")  # fmt: skip

# %% [markdown]
# ## Error against cost

# %%
figure, axes = plt.subplots(figsize=(5, 3))
for name, options, row in rows:
    if row.solution is not None and row.error > 0:
        axes.loglog(row.seconds["total"], row.error, "o", label=f"{name} {options or ''}")
axes.set(xlabel="seconds with compilation", ylabel="relative L2 error")
axes.legend(fontsize=7)
plt.close(figure)
figure

# %% [markdown]
# For more than a look there is the harness: every run in a process of its own, warm-up apart, seeds, budgets, a page.
#
# ```
# sciml bench quick --seeds 3 --out results/quick
# sciml report results/quick
# sciml report --compare results/before results/quick
# ```

# %%
found = {name: row for name, _, row in rows}
assert found["spectral"].error < 1e-9 < found["finite_difference"].error < found["lift"].error
assert found["mpm"].result == "unsupported" and abs(found["zero"].error - 1) < 1e-12

"""Laws learned from motion: the published experiment, in twin form, by the paper's network and by known forms.

The figure to read is `reconstruction` in the extras of each row: the promise is at most 1e-5 m². The relative error of
positions is another scale of the same: 1e-5 m² is about 6e-3.
"""

from __future__ import annotations

from benchmarks.suite import Row, Suite, Target

MATERIALS = ("jelly", "sand", "plasticine", "water")
MINUTES = 15

SUITE = Suite(
    name="nclaw",
    title="Constitutive laws learned from an observed motion",
    rows=(
        *(Row(f"nclaw/{name}", "mpm", {"spacing": 0.05, "dt": 5e-4, "single": True, "mass_floor": 8e-7, "frames": 200},
              target=Target(1e-3)) for name in MATERIALS),
        *(Row(f"nclaw/{name}", "neural_law", target=Target(6e-3), warm=False, budget=60.0 * MINUTES)
          for name in MATERIALS),
        *(Row(f"nclaw/{name}", "material_identification", target=Target(1e-3), warm=False) for name in MATERIALS),
    ),
    limit=3600,
    baselines=(),
)  # fmt: skip

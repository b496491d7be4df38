"""What physics-informed Gaussians promise, with fixed centres on a tensor lattice and with trained ones."""

from __future__ import annotations

from benchmarks.suite import Row, Suite, Target

_TRAINED = {"trained": True}
_COARSE = {"tolerance": 1e-5}

SUITE = Suite(
    name="pig",
    title="Physics-informed Gaussians: fixed and trained centres",
    rows=(
        Row("records/helmholtz_1_4", "pig", target=Target(1e-9, 1)),
        Row("records/helmholtz_1_4", "pig", _TRAINED, target=Target(1e-6, 60), warm=False, budget=60),
        Row("records/helmholtz_4_4", "pig", target=Target(1e-9, 1)),
        Row("records/helmholtz_4_4", "pig", _TRAINED, target=Target(1e-4, 60), warm=False, budget=60),
        Row("records/helmholtz_10_10", "pig", target=Target(1e-9, 1)),
        Row("records/helmholtz_10_10", "pig", _TRAINED, target=Target(7e-4, 300), warm=False, budget=300),
        Row("records/burgers", "pig", target=Target(1e-6, 120), warm=False, budget=120),
        Row("records/burgers", "pig", _TRAINED, warm=False, budget=120),
        Row("records/allen_cahn", "pig", target=Target(1e-5, 60), warm=False, budget=60),
        Row("pig/klein_gordon", "pig", target=Target(1e-6, 60), warm=False, budget=60),
        Row("pig/klein_gordon", "pig", _TRAINED, warm=False, budget=60),
        Row("pig/flow_mixing", "pig", target=Target(3e-5, 300), warm=False, budget=300),
        Row("pig/flow_mixing", "pig", {"trained": False, **_COARSE}, target=Target(3e-5, 300), warm=False, budget=300),
        Row("pig/nonlinear_diffusion", "pig", target=Target(1e-4, 300), warm=False, budget=300),
        Row("pig/nonlinear_diffusion", "pig", _COARSE, target=Target(1e-4, 300), warm=False, budget=300),
        Row("records/burgers_nu_0.01", "pig", target=Target(1e-7, 120), warm=False, budget=120),
        Row("records/kdv", "pig", target=Target(1e-7, 120), warm=False, budget=120),
        Row("records/wave", "pig", target=Target(1e-7, 120), warm=False, budget=120),
        *(Row(f"records/cavity_re{n}", "pig", target=Target(1e-3, 600), warm=False, budget=600) for n in (100, 400)),
        # Systems on which no setting was chosen.
        *(Row(f"gp/{name}", "pig", warm=False) for name in ("stokes", "kovasznay", "elasticity", "gray_scott_steady")),
    ),
)

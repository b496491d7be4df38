"""What the Gaussian process promises: the published set, sources without lines, other equations."""

from __future__ import annotations

from benchmarks.suite import Row, Suite, Target

_ONE_LINE = ("u1", "u2", "u3", "u4", "u5", "a1", "a2")
_PLANE = ("u6", "u7", "a3", "advection")
_SYSTEMS = ("stokes", "kovasznay", "gray_scott_steady", "fitzhugh_nagumo", "elasticity")

SUITE = Suite(
    name="gp",
    title="Kronecker Gaussian processes against the truth",
    rows=(
        *(Row(f"gp_hm/{name}", "gp", target=Target(1e-9, 0.1)) for name in _ONE_LINE),
        *(Row(f"gp_hm/{name}", "gp", target=Target(1e-9, 0.5)) for name in _PLANE),
        Row("gp/advection_inflow", "gp", target=Target(1e-9, 0.5)),
        *(Row(f"gp_hm/{name}", "gp_student", target=Target(1e-5, 2)) for name in (*_ONE_LINE, *_PLANE)),
        Row("gp/advection_inflow", "gp_student", target=Target(1e-5, 2)),
        Row("gp/a3_circle", "gp", target=Target(1e-7, 5)),
        Row("gp/chirp", "gp", target=Target(1e-6, 5)),
        Row("gp/bump", "gp", target=Target(1e-6, 5)),
        Row("gp/kink", "gp", target=Target(1e-5, 5)),
        Row("gp/bump_and_chirp", "gp", target=Target(1e-6, 5)),
        Row("gp_hm/u6", "gp", {"nodes": 1600}, target=Target(1e-9, 1)),
        Row("gp/poisson_3d", "gp", {"nodes": 256}, target=Target(1e-6, 2)),
        Row("gp/darcy_smooth", "gp", {"nodes": 200}, target=Target(1e-6)),
        Row("gp/nonlinear_elliptic", "gp", target=Target(1e-6)),
        Row("gp/burgers", "gp", target=Target(1e-6)),
        Row("gp/allen_cahn_smooth", "gp", target=Target(1e-6)),
        Row("wave", "gp", target=Target(1e-6)),
        Row("wave", "gp", values={"t_end": 10.0}, target=Target(1e-6)),
        Row("wave", "gp", {"slabs": 20}, values={"t_end": 10.0}, target=Target(1e-6), warm=False),
        Row("gp/kdv_slab", "gp", target=Target(1e-6)),
        *(Row(f"gp/{name}", "gp", target=Target(1e-6)) for name in _SYSTEMS),
        # Side by side with a spectral method, which has no uncertainty to give.
        Row("gp_hm/u6", "spectral"),
        Row("gp_hm/u7", "spectral"),
        Row("records/helmholtz_4_4", "gp", target=Target(1e-9, 0.5)),
        Row("records/helmholtz_4_4", "spectral"),
    ),
    limit=180,
)

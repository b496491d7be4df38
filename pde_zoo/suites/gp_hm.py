r"""The eleven high-frequency problems of GP-HM (Fang et al., ICLR 2024, arXiv:2311.04465).

Statements are those of the authors' code, which differs from their text in two places: the last mode of `u2` is a sine,
and the fast factors of `u7` are cosines. Errors are those of the authors' own logs: the *smallest* of about 20 checks
on the test points during a run, not the last.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pde_zoo.elliptic import manufactured
from sciml import Box, Field, Problem, Scalar, coordinates, cos, laplacian, pi, sin
from sciml.case import Case, Published

_UNIT, _CIRCLE = (0, 1), (0, 2 * pi)
_LOG = "the authors' result logs, GitHub xuangu-fang/Gaussian-Process-Slover-for-High-Freq-PDE, commit 4f52bdf (read)"
_GPU = "a GPU of unrecorded type"


def _reaction(u: Scalar) -> Scalar:
    return laplacian(u) + u * (u**2 - 1)


def u1() -> Problem:
    """1-D Poisson equation u_xx = f with the solution sin 100x on [0, 2π]; exact."""
    return manufactured(laplacian, lambda x: sin(100 * x), [_CIRCLE], "u1")


def u2() -> Problem:
    """1-D Poisson equation with the solution sin x + 0.1 sin 20x + 0.05 sin 100x on [0, 2π]; exact."""
    return manufactured(laplacian, lambda x: sin(x) + 0.1 * sin(20 * x) + 0.05 * sin(100 * x), [_CIRCLE], "u2")


def u3() -> Problem:
    """1-D Poisson equation with the solution sin 6x cos 100x on [0, 2π]; exact."""
    return manufactured(laplacian, lambda x: sin(6 * x) * cos(100 * x), [_CIRCLE], "u3")


def u4() -> Problem:
    """1-D Poisson equation with the solution x sin 200x on [0, 2π]; exact."""
    return manufactured(laplacian, lambda x: x * sin(200 * x), [_CIRCLE], "u4")


def u5() -> Problem:
    """1-D Poisson equation with the solution sin 500x - 2(x - 1/2)² on [0, 1]; exact."""
    return manufactured(laplacian, lambda x: sin(500 * x) - 2 * (x - 0.5) ** 2, [_UNIT], "u5")


def u6() -> Problem:
    """2-D Poisson equation with the solution sin 100x sin 100y on [0, 2π]²; exact."""
    return manufactured(laplacian, lambda x, y: sin(100 * x) * sin(100 * y), [_CIRCLE] * 2, "u6")


def u7() -> Problem:
    """2-D Poisson equation with the solution sin 6x cos 20x + sin 6y cos 20y on [0, 2π]²; exact."""
    return manufactured(
        laplacian, lambda x, y: sin(6 * x) * cos(20 * x) + sin(6 * y) * cos(20 * y), [_CIRCLE] * 2, "u7"
    )


def a1() -> Problem:
    """1-D steady Allen–Cahn equation u_xx + u(u² - 1) = f with the solution sin 100x on [0, 2π]; exact."""
    return manufactured(_reaction, lambda x: sin(100 * x), [_CIRCLE], "a1")


def a2() -> Problem:
    """1-D steady Allen–Cahn equation with the solution sin 6x cos 100x on [0, 2π]; exact."""
    return manufactured(_reaction, lambda x: sin(6 * x) * cos(100 * x), [_CIRCLE], "a2")


def a3() -> Problem:
    """2-D steady Allen–Cahn equation, the solution a product of three-scale sums g(x) g(y) on [0, 1]²; exact.

    $g(x)=\\sin x+0.1\\sin20x+\\cos100x$.
    """

    def scales(x: Scalar) -> Scalar:
        return sin(x) + 0.1 * sin(20 * x) + cos(100 * x)

    return manufactured(_reaction, lambda x, y: scales(x) * scales(y), [_UNIT] * 2, "a3")


def advection(beta: float = 200.0) -> Problem:
    """Advection β u_x + u_y = 0 with the solution sin(x - βy) on [0, 1]², y in the part of time; exact.

    The truth is prescribed on all four sides, the final time and the outflow included. That is one condition more than
    the equation can use; it is consistent, and it is what the published runs had.

    Args:
        beta: speed.
    """
    x, y = coordinates("x y")
    u = Field("u", x, y)
    truth = sin(x - beta * y)
    domain = Box({x: _UNIT, y: _UNIT})
    return Problem(
        equations=[beta * u.dx + u.dy == 0],
        domain=domain,
        conditions=[(u == truth).on(domain.boundary)],
        exact={u: truth},
        name="advection",
    )


Run = tuple[float, float, float | None]
"""Smallest of the logged errors, the last one, seconds of the whole run."""


def _published(student: Run, gaussian: Run, se: float, matern: float) -> tuple[Published, ...]:
    kernels = {"GP-HM-StM": student, "GP-HM-GM": gaussian}
    runs = [
        Published(method, best, _LOG, _GPU, seconds, f"smallest of the logged test errors; the last one was {last:.2g}")
        for method, (best, last, seconds) in kernels.items()
    ]
    plain = {"GP-SE": se, "GP-Matérn": matern}
    return (*runs, *(Published(m, e, _LOG, _GPU, None, "smallest of the logged test errors") for m, e in plain.items()))


def _case(
    build: Callable[..., Problem], points: dict[str, int], published: tuple[Published, ...], note: str = ""
) -> Case:
    return Case(f"gp_hm/{build.__name__}", build, points, published=published, note=note)


_line = partial(_case, points={"x": 300})
_square = partial(_case, points={"x": 300, "y": 300})

CASES: tuple[Case, ...] = (
    _line(u1, published=_published((6.53e-7, 1.3e-4, 1665), (3.99e-7, 4.0e-7, 1329), 2.70e-2, 3.32e-2)),
    _line(
        u2,
        published=_published((2.73e-3, 2.73e-3, 3044), (2.13e-3, 2.13e-3, 4452), 9.73e-1, 9.89e-1),
        note="as in the authors' code; their text has a cosine as the last mode. Their runs add a second process late.",
    ),
    _line(u3, published=_published((5.47e-6, 1.3e-5, 1663), (1.52e-6, 1.5e-3, 1329), 1.00, 5.16e-2)),
    _line(u4, published=_published((8.98e-7, 1.9e-6, 7451), (1.55e-6, 1.7e-6, 6043), 3.20e-1, 1.83e-2)),
    _line(
        u5,
        published=_published((4.22e-4, 4.4e-4, 5705), (1.82e-3, 2.1e-3, 4033), 9.75e-1, 6.29e-1),
        note="published on [0, 1] only; their runs add a second process late.",
    ),
    _square(u6, published=_published((6.87e-5, 8.3e-4, 8209), (6.46e-5, 1.4e-4, 5586), 1.00, 6.29e-1)),
    _square(
        u7,
        published=_published((1.02e-3, 1.9e-3, 6627), (1.06e-3, 2.6e-3, 6132), 9.53e-1, 3.55e-2),
        note="as in the authors' code; their text has sines as the fast factors.",
    ),
    _line(a1, published=_published((4.90e-6, 8.2e-6, 2333), (7.71e-7, 3.3e-6, 1998), 2.75e-2, 3.33e-2)),
    _line(a2, published=_published((4.76e-6, 1.8e-4, 2319), (4.24e-6, 1.4e-5, 1996), 1.06e-2, 5.16e-2)),
    _square(
        a3,
        published=_published((5.68e-3, 6.6e-3, 18244), (2.58e-3, 3.5e-3, 15926), 3.43e-1, 2.95e-1),
        note="published on [0, 1]² only.",
    ),
    _square(
        advection,
        published=_published((1.43e-4, 1.6e-4, 11152), (1.35e-3, 1.8e-3, 9654), 1.15e-2, 2.29e-2),
        note="the truth on all four sides, as in the authors' code; with the initial values alone their runs fail.",
    ),
)

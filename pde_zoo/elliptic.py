"""Elliptic problems on boxes with the truth on the boundary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pde_zoo.values import Value, parameter, product, space
from sciml import (
    Box,
    Field,
    Problem,
    Scalar,
    add,
    cos,
    grad,
    inner,
    laplacian,
    normal_derivative,
    pi,
    sin,
    sqrt,
)

Interval = tuple[Any, Any]


def manufactured(
    operator: Callable[[Scalar], Scalar], solution: Callable[..., Scalar], intervals: Sequence[Interval], name: str
) -> Problem:
    r"""$N(u)=N(u_*)$ in a box, $u=u_*$ on its boundary, for a chosen truth $u_*$.

    Args:
        operator: $N$, of a field or an expression.
        solution: $u_*$ as an expression of the coordinates.
        intervals: one for each coordinate.
        name: of the problem.

    Truth: $u_*$, exact.
    """
    xs = space(len(intervals))
    u = Field("u", *xs)
    truth = solution(*xs)
    domain = Box(dict(zip(xs, intervals, strict=True)))
    return Problem(
        equations=[operator(u) == operator(truth)],
        domain=domain,
        conditions=[(u == truth).on(domain.boundary)],
        exact={u: truth},
        name=name,
    )


def poisson(dimensions: int = 2) -> Problem:
    r"""Poisson equation in any dimension, with a sum of cosines as its solution.

    $$-\Delta u = \pi^2\sum_i\cos\pi x_i,\quad x\in[0,1]^d,\quad u=u_*\text{ on the boundary}$$

    Args:
        dimensions: $d$, from 1 up.

    Truth: $u_*=\sum_i\cos\pi x_i$, exact.
    """
    xs = space(dimensions)
    u = Field("u", *xs)
    solution = add(*[cos(pi * x) for x in xs])
    domain = Box(dict.fromkeys(xs, (0, 1)))
    return Problem(
        equations=[-laplacian(u) == pi**2 * solution],
        domain=domain,
        conditions=[(u == solution).on(domain.boundary)],
        exact={u: solution},
        name="poisson",
    )


def harmonic(dimensions: int = 10) -> Problem:
    r"""Laplace equation in many dimensions, with a harmonic quadratic as its solution.

    $$-\Delta u = 0,\quad x\in[0,1]^d,\quad u=u_*\text{ on the boundary}$$

    Args:
        dimensions: $d$, even.

    Truth: $u_*=\sum_i x_{2i-1}x_{2i}$, exact.
    """
    xs = space(dimensions)
    u = Field("u", *xs)
    solution = add(*[a * b for a, b in zip(xs[::2], xs[1::2], strict=True)])
    domain = Box(dict.fromkeys(xs, (0, 1)))
    return Problem(
        equations=[-laplacian(u) == 0],
        domain=domain,
        conditions=[(u == solution).on(domain.boundary)],
        exact={u: solution},
        name="harmonic",
    )


def multiscale_laplace(frequencies: Sequence[int] = (4, 8, 12, 16)) -> Problem:
    r"""Poisson equation whose solution has several scales at once.

    $$-\Delta u = \frac{2\pi^2}n\sum_\omega\omega^2\sin\omega\pi x\,\sin\omega\pi y,\quad (x,y)\in[0,1]^2,\quad
    u=0\text{ on the boundary}$$

    Args:
        frequencies: the $n$ numbers $\omega$, whole.

    Truth: $\frac1n\sum_\omega\sin\omega\pi x\sin\omega\pi y$, exact.

    Source: Dolean et al., multilevel FBPINN, arXiv:2306.05486; the mean is taken as in arXiv:2607.02194.
    """
    xs = x, y = space(2)
    u = Field("u", *xs)
    modes = {w: sin(w * pi * x) * sin(w * pi * y) for w in frequencies}
    n = len(modes)
    domain = Box(dict.fromkeys(xs, (0, 1)))
    return Problem(
        equations=[-laplacian(u) == 2 * pi**2 * add(*[w**2 * mode for w, mode in modes.items()]) / n],
        domain=domain,
        conditions=[(u == 0).on(domain.boundary)],
        exact={u: add(*modes.values()) / n},
        name="multiscale_laplace",
    )


def helmholtz(frequencies: Sequence[int] = (1, 4), k: Value = 1.0) -> Problem:
    r"""Helmholtz equation whose solution has its own number of waves along each axis.

    $$\Delta u + k^2 u = \Big(k^2-\pi^2\sum_i a_i^2\Big)\prod_i\sin a_i\pi x_i,\quad x\in[-1,1]^d,\quad
    u=0\text{ on the boundary}$$

    Args:
        frequencies: the $a_i$, whole; their count is the dimension $d$.
        k: wave number; keep $k^2$ away from the eigenvalues $\tfrac{\pi^2}4\sum_i n_i^2$.

    Truth: $\prod_i\sin a_i\pi x_i$, exact.

    Source: Wang, Teng, Perdikaris, arXiv:2001.04536.
    """
    xs = space(len(frequencies))
    u = Field("u", *xs)
    k = parameter("k", k)
    solution = product(sin(a * pi * x) for a, x in zip(frequencies, xs, strict=True))
    domain = Box(dict.fromkeys(xs, (-1, 1)))
    return Problem(
        equations=[laplacian(u) + k**2 * u == (k**2 - pi**2 * sum(a**2 for a in frequencies)) * solution],
        domain=domain,
        conditions=[(u == 0).on(domain.boundary)],
        exact={u: solution},
        name="helmholtz",
    )


def helmholtz_3d(frequencies: Sequence[int] = (4, 4, 3), k: Value = 1.0) -> Problem:
    r"""Helmholtz equation in three dimensions.

    $$\Delta u + k^2 u = q,\quad x\in[-1,1]^3,\quad u=0\text{ on the boundary}$$

    Args:
        frequencies: $a_1,a_2,a_3$, whole.
        k: wave number.

    Truth: $\prod_i\sin a_i\pi x_i$, exact.

    Source: Cho et al., SPINN, arXiv:2306.15969.
    """
    return helmholtz(frequencies, k).replace(name="helmholtz_3d")


def biharmonic() -> Problem:
    r"""A clamped square plate.

    $$\Delta^2 u = 4\pi^4(4\cos2\pi x\cos2\pi y-\cos2\pi x-\cos2\pi y),\quad (x,y)\in[0,1]^2,\quad
    u=\partial u/\partial n=0\text{ on the boundary}$$

    Truth: $\sin^2\pi x\,\sin^2\pi y$, exact.
    """
    xs = x, y = space(2)
    u = Field("u", *xs)
    domain = Box(dict.fromkeys(xs, (0, 1)))
    a, b = cos(2 * pi * x), cos(2 * pi * y)
    return Problem(
        equations=[laplacian(laplacian(u)) == 4 * pi**4 * (4 * a * b - a - b)],
        domain=domain,
        conditions=[(u == 0).on(domain.boundary), (normal_derivative(u) == 0).on(domain.boundary)],
        exact={u: sin(pi * x) ** 2 * sin(pi * y) ** 2},
        name="biharmonic",
    )


def eikonal(epsilon: Value = 0.1) -> Problem:
    r"""Viscous eikonal equation: travel time from a point outside the domain.

    $$|\nabla u|^2 - \epsilon\,\Delta u = 1 - \epsilon/r,\quad (x,y)\in[0,1]^2,\quad u=r\text{ on the boundary}$$

    with $r$ the distance from $(-\tfrac12,-\tfrac12)$. The distance solves the eikonal equation $|\nabla u|=1$ itself;
    the source is there so that it also solves the viscous one, which has one smooth solution.

    Args:
        epsilon: viscosity; 0.1 is easy, and the equation becomes first-order as it goes to 0.

    Truth: $u=r$, exact.
    """
    xs = x, y = space(2)
    u = Field("u", *xs)
    epsilon = parameter("epsilon", epsilon)
    r = sqrt((x + 0.5) ** 2 + (y + 0.5) ** 2)
    domain = Box(dict.fromkeys(xs, (0, 1)))
    return Problem(
        equations=[inner(grad(u), grad(u)) - epsilon * laplacian(u) == 1 - epsilon / r],
        domain=domain,
        conditions=[(u == r).on(domain.boundary)],
        exact={u: r},
        name="eikonal",
    )

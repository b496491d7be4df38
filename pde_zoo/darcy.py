"""Flow through porous rock whose permeability is known on a grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from pde_zoo.values import space
from sciml import Box, Coefficient, ComputedReference, Cubic, Field, Linear, Problem, div, grad, pi, sin


def log_normal_permeability(n: int = 33, seed: int = 0, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    r"""A smooth random permeability on an n × n grid of the unit square.

    $\log a=s\sum_{0\le i,j<6} \frac{g_{ij}}{1+i^2+j^2}\cos i\pi x\,\cos j\pi y$ with independent standard normal $g$.

    Args:
        n: nodes along each axis, ends included.
        seed: of the generator.
        spread: $s$.

    Returns:
        Values `(n, n)` and the nodes `(n,)` of either axis.
    """
    nodes = np.linspace(0, 1, n)
    waves = np.arange(6)
    amplitudes = np.random.default_rng(seed).normal(size=(6, 6)) / (1 + waves[:, None] ** 2 + waves**2)
    cosines = np.cos(np.pi * np.outer(nodes, waves))
    return np.exp(spread * cosines @ amplitudes @ cosines.T), nodes


def darcy(values: Any = None, nodes: Any = None) -> Problem:
    r"""Darcy flow with a gridded permeability, forced so that the pressure is known.

    $$-\nabla\cdot(a\nabla u) = -\nabla\cdot(a\nabla u_*),\quad (x,y)\in[0,1]^2,\quad u=0\text{ on the boundary}$$

    The permeability is interpolated by $C^1$ cubics, so that the flux can be differentiated.

    Args:
        values: permeability on the grid, `(n, n)`; None: `log_normal_permeability()`.
        nodes: nodes of either axis, `(n,)`.

    Truth: $u_*=\sin\pi x\,\sin2\pi y$, exact for any permeability.
    """
    x, y = space(2)
    u = Field("u", x, y)
    if values is None:
        values, nodes = log_normal_permeability()
    a = Coefficient("a", x, y, values=values, points=(nodes, nodes), interpolation=Cubic())
    pressure = sin(pi * x) * sin(2 * pi * y)
    domain = Box({x: (0, 1), y: (0, 1)})
    return Problem(
        equations=[-div(a * grad(u)) == -div(a * grad(pressure))],
        domain=domain,
        conditions=[(u == 0).on(domain.boundary)],
        exact={u: pressure},
        name="darcy",
    )


def darcy_flow(values: Any = None, nodes: Any = None, source: float = 1.0) -> Problem:
    r"""Darcy flow from a uniform source through a gridded permeability.

    $$-\nabla\cdot(a\nabla u) = f,\quad (x,y)\in[0,1]^2,\quad u=0\text{ on the boundary}$$

    The permeability is interpolated linearly: it has kinks, the flux does not. A solver must keep the divergence form.

    Args:
        values: permeability on the grid, `(n, n)`; None: `log_normal_permeability()`.
        nodes: nodes of either axis, `(n,)`.
        source: $f$.

    Truth: finite differences in flux form at two resolutions; its error is computed with it.

    Source: Li et al., arXiv:2010.08895, with a smooth random permeability.
    """
    x, y = space(2)
    u = Field("u", x, y)
    if values is None:
        values, nodes = log_normal_permeability()
    a = Coefficient("a", x, y, values=values, points=(nodes, nodes), interpolation=Linear())
    domain = Box({x: (0, 1), y: (0, 1)})
    return Problem(
        equations=[-div(a * grad(u)) == source],
        domain=domain,
        conditions=[(u == 0).on(domain.boundary)],
        reference=ComputedReference("finite_difference", {"points": 129, "order": 2}, {"points": 65, "order": 2}),
        name="darcy_flow",
    )

r"""The fifteen systems of ordinary differential equations on which PROSE is trained.

All live on $t\in[0,6]$ with 192 samples; parameters are uniform within 10 % of their centres, rounded to three digits,
and initial states uniform in $[-2,2]^d$; trajectories that leave $|u|<10^3$ are rejected.

Source: Y. Liu, Z. Zhang, H. Schaeffer, arXiv:2309.16816; its forms, where a docstring does not say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sciml import Box, D, Field, Parameter, Problem, coordinates, cos, sin
from sciml.distributions import Around
from sciml.family import ProblemFamily

HORIZON = 6.0
SOURCE = "arXiv:2309.16816"

State = tuple[Field, ...]
Sides = Callable[..., Sequence[Any]]


def family(
    name: str, dimension: int, sides: Sides, centres: Mapping[str, float], *, substeps: int = 8, limit: float = 1e3
) -> ProblemFamily:
    """The family of a system.

    Args:
        name: its name.
        dimension: d.
        sides: right-hand sides, from the unknowns `u_0, u_1, …` and the parameters by name; its docstring says
            what the system is.
        centres: centre of each parameter's box.
        substeps: Runge–Kutta steps between samples.
        limit: where trajectories count as escaped.
    """
    (t,) = coordinates("t")
    u = tuple(Field(f"u_{i}", t) for i in range(dimension))
    boxes = {name: Around(centre) for name, centre in centres.items()}
    rates = sides(u, **{n: Parameter(n, init=d.mean, prior=(d.mean, d.deviation)) for n, d in boxes.items()})
    domain = Box({t: (0, HORIZON)})
    template = Problem(
        [D(v, t) == rate for v, rate in zip(u, rates, strict=True)],
        domain,
        [(v == 1.0).on(domain.at(t=0)) for v in u],
        name=name,
    )
    summary = (sides.__doc__ or "").partition("\n")[0]
    return ProblemFamily(template, boxes, substeps=substeps, limit=limit, summary=summary, source=SOURCE)


def thomas(u: State, b: Parameter) -> Sequence[Any]:
    """Thomas' cyclically symmetric attractor."""
    return sin(u[1]) - b * u[0], sin(u[2]) - b * u[1], sin(u[0]) - b * u[2]


def lorenz(u: State, sigma: Parameter, rho: Parameter, beta: Parameter) -> Sequence[Any]:
    """Lorenz' convection of 1963."""
    return sigma * (u[1] - u[0]), u[0] * (rho - u[2]) - u[1], u[0] * u[1] - beta * u[2]


def aizawa(u: State, a: Parameter, b: Parameter, c: Parameter, d: Parameter, f: Parameter) -> Sequence[Any]:
    """Aizawa's attractor, in the form that PROSE uses.

    Correction: PROSE draws a sixth parameter e that its equations do not contain; it is left out, since nothing can be
    learned about it. The usual form has $(u_0^2+u_1^2)(1+eu_2)$ in place of $u_0^2$.
    """
    last = c + a * u[2] - u[2] ** 3 / 3 - u[0] ** 2 + f * u[2] * u[0] ** 3
    return (u[2] - b) * u[0] - d * u[1], d * u[0] + (u[2] - b) * u[1], last


def chen_lee(u: State, a: Parameter, d: Parameter) -> Sequence[Any]:
    """Chen and Lee's rotating body under feedback."""
    return a * u[0] - u[1] * u[2], -10 * u[1] + u[0] * u[2], d * u[2] + u[0] * u[1] / 3


def dadras(u: State, a: Parameter, b: Parameter, c: Parameter, d: Parameter, e: Parameter) -> Sequence[Any]:
    """Dadras and Momeni's attractor, with a half before two of its terms."""
    first = 0.5 * u[1] - a * u[0] + b * u[1] * u[2]
    return first, c * u[1] - 0.5 * u[0] * u[2] + 0.5 * u[2], d * u[0] * u[1] - e * u[2]


def roessler(u: State, a: Parameter, b: Parameter, c: Parameter) -> Sequence[Any]:
    """Rössler's attractor."""
    return -u[1] - u[2], u[0] + a * u[1], b + u[2] * (u[0] - c)


def halvorsen(u: State, a: Parameter) -> Sequence[Any]:
    """Halvorsen's cyclically symmetric attractor, scaled."""
    return tuple(a * x - y - z - y**2 / 4 for x, y, z in ((u[0], u[1], u[2]), (u[1], u[2], u[0]), (u[2], u[0], u[1])))


def rabinovich_fabrikant(u: State, alpha: Parameter, gamma: Parameter) -> Sequence[Any]:
    """Rabinovich and Fabrikant's waves in a plasma; escapes at 1e5."""
    x, y, z = u
    return (
        y * (z - 1 + x**2) + gamma * x,
        x * (3 * z + 1 - x**2) + gamma * y,
        -2 * alpha * z - 2 * x * y * z,
    )


def sprott_b(u: State, a: Parameter, b: Parameter, c: Parameter) -> Sequence[Any]:
    """Sprott's case B."""
    return a * u[1] * u[2], u[0] - b * u[1], c - u[0] * u[1]


def sprott_linz_f(u: State, a: Parameter) -> Sequence[Any]:
    """Sprott and Linz' case F."""
    return u[1] + u[2], -u[0] + a * u[1], u[0] ** 2 - u[2]


def four_wing(u: State, a: Parameter, b: Parameter, c: Parameter) -> Sequence[Any]:
    """An attractor of four wings."""
    return a * u[0] + u[1] * u[2], b * u[0] + c * u[1] - u[0] * u[2], -u[2] - u[0] * u[1]


def duffing(
    u: State, alpha: Parameter, beta: Parameter, gamma: Parameter, delta: Parameter, omega: Parameter
) -> Sequence[Any]:
    """Duffing's driven oscillator; its first unknown is the phase of the drive, which starts anywhere in [-2, 2]."""
    return 1, u[2], delta * u[2] + alpha * u[1] + beta * u[1] ** 3 + gamma * cos(omega * u[0])


def lorenz_96(u: State, F: Parameter) -> Sequence[Any]:
    """Lorenz' circle of 1996."""
    n = len(u)
    return tuple((u[(i + 1) % n] - u[i - 2]) * u[i - 1] - u[i] + F for i in range(n))


def double_pendulum(u: State, g: Parameter, l: Parameter) -> Sequence[Any]:
    """Two equal pendulums in a row: angles and their velocities."""
    gap = u[0] - u[1]
    pull = -3 * g / l * sin(u[0]) - g / l * sin(u[0] - 2 * u[1])
    spin = u[3] ** 2 + u[2] ** 2 * cos(gap)
    first = (pull - 2 * sin(gap) * spin) / (3 - cos(2 * gap))
    second = sin(gap) * (4 * u[2] ** 2 + 4 * g / l * cos(u[0]) + u[3] ** 2 * cos(gap)) / (3 - cos(2 * gap))
    return u[2], u[3], first, second


THREE_DIMENSIONAL: tuple[ProblemFamily, ...] = (
    family("thomas", 3, thomas, {"b": 0.17}),
    family("lorenz", 3, lorenz, {"sigma": 10, "rho": 28, "beta": 8 / 3}),
    family("aizawa", 3, aizawa, {"a": 0.95, "b": 0.7, "c": 0.6, "d": 3.5, "f": 0.1}),
    family("chen_lee", 3, chen_lee, {"a": 5, "d": -0.38}, substeps=32),
    family("dadras", 3, dadras, {"a": 1.25, "b": 1.15, "c": 0.75, "d": 0.8, "e": 4}),
    family("roessler", 3, roessler, {"a": 0.1, "b": 0.1, "c": 14}),
    family("halvorsen", 3, halvorsen, {"a": -0.35}),
    family("rabinovich_fabrikant", 3, rabinovich_fabrikant, {"alpha": 0.98, "gamma": 0.1}, limit=1e5),
    family("sprott_b", 3, sprott_b, {"a": 0.4, "b": 1.2, "c": 1}),
    family("sprott_linz_f", 3, sprott_linz_f, {"a": 0.5}),
    family("four_wing", 3, four_wing, {"a": 0.2, "b": 0.01, "c": -0.4}),
    family("duffing", 3, duffing, {"alpha": -1, "beta": -5, "gamma": 8, "delta": -0.02, "omega": 0.5}),
)
"""The twelve of three dimensions, on which the published tables are made."""

HIGHER_DIMENSIONAL: tuple[ProblemFamily, ...] = (
    family("lorenz96_4", 4, lorenz_96, {"F": 8}),
    family("lorenz96_5", 5, lorenz_96, {"F": 8}),
    family("double_pendulum", 4, double_pendulum, {"g": 9.81, "l": 1}, substeps=16),
)
"""The three of more dimensions."""

ODE_FAMILIES: dict[str, ProblemFamily] = {f.name: f for f in (*THREE_DIMENSIONAL, *HIGHER_DIMENSIONAL)}
"""All fifteen by name."""

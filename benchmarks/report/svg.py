"""Small line plots as SVG text: no fonts, no network, colours from the page's style sheet.

Series are told apart by colour (class `c0`, `c1`, …) and by the shape of their marks, never by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import final

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 40
SHAPES = ("circle", "square", "diamond", "triangle", "cross", "plus", "down")

Point = tuple[float, float]


@final
@dataclass(frozen=True)
class Axis:
    """Numbers to pixels.

    Attributes:
        label: what is measured.
        low: smallest number shown.
        high: largest number shown.
        log: whether decades are equally long.
    """

    label: str
    low: float
    high: float
    log: bool

    def share(self, value: float) -> float:
        """0 at the lower end, 1 at the upper one."""
        low, high, value = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return (value - low) / (high - low)

    def ticks(self) -> list[tuple[float, str]]:
        """Numbers with their names."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            step = max(1, -(-(last - first) // 6))
            return [(10.0**k, _power(k)) for k in range(first, last + 1, step)]
        step = _round_step((self.high - self.low) / 4)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(k * step, f"{k * step:.4g}") for k in range(first, last + 1)]


def log_axis(label: str, values: Iterable[float]) -> Axis:
    """Whole decades around the positive values."""
    known = [v for v in values if math.isfinite(v) and v > 0] or [1.0]
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
    return Axis(label, 10.0**low, 10.0 ** max(high, low + 1), True)


def linear_axis(label: str, values: Iterable[float]) -> Axis:
    """From the smallest to the largest value."""
    known = [v for v in values if math.isfinite(v)] or [0.0]
    low, high = min(known), max(known)
    margin = 0.5 * (abs(low) or 1.0) if low == high else 0.0
    return Axis(label, low - margin, high + margin, False)


@final
@dataclass
class Plot:
    """Axes and what is drawn between them.

    Attributes:
        x: horizontal axis.
        y: vertical axis.
        title: for those who cannot see the picture.
    """

    x: Axis
    y: Axis
    title: str
    parts: list[str] = field(default_factory=list)

    def line(self, points: Sequence[Point], style: str) -> None:
        """A polyline of a CSS class; points outside a logarithmic axis are left out."""
        pixels = " ".join(f"{a:.1f},{b:.1f}" for a, b in (self._at(p) for p in points if self._shows(p)))
        if pixels:
            self.parts.append(f'<polyline class="{style}" points="{pixels}"/>')

    def level(self, value: float, style: str, label: str) -> None:
        """A horizontal line across the plot."""
        if not self.y.low <= value <= self.y.high:
            return
        _, b = self._at((self.x.low, value))
        self.parts.append(f'<line class="{style}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{b:.1f}" y2="{b:.1f}"/>')
        self.parts.append(
            f'<text class="note" x="{WIDTH - RIGHT - 2}" y="{b - 4:.1f}" text-anchor="end">{escape(label)}</text>'
        )

    def bar(self, x: float, low: float, high: float, style: str) -> None:
        """A vertical bar, such as of the quartiles."""
        if self._shows((x, low)) and self._shows((x, high)) and high > low:
            (a, b), (_, c) = self._at((x, low)), self._at((x, high))
            self.parts.append(f'<line class="bar {style}" x1="{a:.1f}" x2="{a:.1f}" y1="{b:.1f}" y2="{c:.1f}"/>')

    def mark(self, point: Point, series: int, text: str) -> None:
        """A mark with a tooltip."""
        if self._shows(point):
            a, b = self._at(point)
            drawn = shape(SHAPES[series % len(SHAPES)], a, b)
            self.parts.append(f'<g class="mark c{series % 8}"><title>{escape(text)}</title>{drawn}</g>')

    def render(self) -> str:
        """The picture."""
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        grid = []
        for value, name in self.x.ticks():
            a, _ = self._at((value, self.y.low))
            grid.append(f'<line class="grid" x1="{a:.1f}" x2="{a:.1f}" y1="{TOP}" y2="{bottom}"/>')
            grid.append(f'<text x="{a:.1f}" y="{bottom + 16}" text-anchor="middle">{name}</text>')
        for value, name in self.y.ticks():
            _, b = self._at((self.x.low, value))
            grid.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{b:.1f}" y2="{b:.1f}"/>')
            grid.append(f'<text x="{LEFT - 6}" y="{b + 4:.1f}" text-anchor="end">{name}</text>')
        across, up = f'x="{(LEFT + right) / 2}" y="{HEIGHT - 6}"', f"translate(13 {(TOP + bottom) / 2}) rotate(-90)"
        labels = (
            f'<text class="label" {across} text-anchor="middle">{escape(self.x.label)}</text>'
            f'<text class="label" transform="{up}" text-anchor="middle">{escape(self.y.label)}</text>'
        )
        return (
            f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(self.title)}">'
            f"{''.join(grid)}{labels}{''.join(self.parts)}</svg>"
        )

    def _at(self, point: Point) -> Point:
        a = LEFT + self.x.share(point[0]) * (WIDTH - LEFT - RIGHT)
        b = HEIGHT - BOTTOM - self.y.share(point[1]) * (HEIGHT - TOP - BOTTOM)
        return a, b

    def _shows(self, point: Point) -> bool:
        return all(
            math.isfinite(v) and axis.low * (1 - 1e-9) <= v <= axis.high * (1 + 1e-9) if axis.log else math.isfinite(v)
            for v, axis in zip(point, (self.x, self.y), strict=True)
        )


def shape(name: str, a: float, b: float, r: float = 5.0) -> str:
    """A mark around a pixel."""
    corners = {
        "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        "triangle": ((0, -1.25), (1.15, 0.85), (-1.15, 0.85)),
        "down": ((0, 1.25), (1.15, -0.85), (-1.15, -0.85)),
    }
    if name in corners:
        return f'<polygon points="{" ".join(f"{a + r * p:.1f},{b + r * q:.1f}" for p, q in corners[name])}"/>'
    strokes = {"cross": "M-1-1L1 1M-1 1L1-1", "plus": "M0-1.2V1.2M-1.2 0H1.2"}
    if name in strokes:
        own = f"translate({a:.1f} {b:.1f}) scale({r})"
        return f'<path class="stroke" vector-effect="non-scaling-stroke" d="{strokes[name]}" transform="{own}"/>'
    return f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{r:g}"/>'


def legend_mark(series: int) -> str:
    """The mark of a series, for a legend."""
    return (
        f'<svg class="key" viewBox="0 0 16 16" aria-hidden="true"><g class="mark c{series % 8}">'
        f"{shape(SHAPES[series % len(SHAPES)], 8, 8)}</g></svg>"
    )


def _power(k: int) -> str:
    if -2 < k < 3:
        return f"{10.0**k:g}"
    sign = "−" if k < 0 else ""
    return f'10<tspan dy="-5" font-size="75%">{sign}{abs(k)}</tspan>'


def _round_step(step: float) -> float:
    decade = 10.0 ** math.floor(math.log10(step))
    return next(m for m in (1, 2, 5, 10) if m * decade >= step - 1e-12 * decade) * decade

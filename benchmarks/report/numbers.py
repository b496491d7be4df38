"""How numbers look in every form of the report."""

from __future__ import annotations

import math


def figure(value: float | None) -> str:
    """An error: two digits, `—` for what is not known, `none` for a failure."""
    if value is None or math.isnan(value):
        return "—"
    return "none" if math.isinf(value) else f"{value:.1e}"


def seconds(value: float | None) -> str:
    """A duration to three digits."""
    if value is None or not math.isfinite(value):
        return "—"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def plain_number(value: float | None, digits: str = ".0f") -> str:
    """Any other number."""
    return "—" if value is None or not math.isfinite(value) else format(value, digits)


def bound(value: float | None, form: str = "{:.0e}") -> str:
    """What was promised."""
    return "—" if value is None else f"≤ {form.format(value)}"

r"""LaTeX of names and numbers: `nu` is \nu, `u_in` has a roman subscript, `1e-5` is a power of ten."""

from __future__ import annotations

import re

_LOWER = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi
    psi omega"""
_UPPER = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK = {name: f"\\{name}" for name in f"{_LOWER} {_UPPER}".split()} | {"epsilon": "\\varepsilon"}

DIGITS = 6
"""Significant digits of numbers; text and JSON have all of them."""


def braced(script: str) -> str:
    """A subscript or superscript: `2`, `{xx}`."""
    return script if len(script) == 1 else f"{{{script}}}"


def split_name(name: str) -> tuple[str, list[str]]:
    """Head and subscripts: `lambda_in2` has head `lambda` and subscripts `in`, `2`; `x1` is `x` with subscript `1`."""
    head, *subscripts = [part for word in name.split("_") for part in re.findall(r"[0-9]+|[A-Za-z]+", word)]
    return head, subscripts


def letters(word: str, bold: bool = False) -> str:
    """One word: a Greek or Latin letter in italics, longer words upright, vectors bold."""
    if word in GREEK:
        return f"\\boldsymbol{{{GREEK[word]}}}" if bold else GREEK[word]
    if bold:
        return f"\\mathbf{{{word}}}"
    return word if len(word) == 1 or word.isdecimal() else f"\\mathrm{{{word}}}"


def subscripts(name: str) -> list[str]:
    """Subscripts in the name itself: upright, to tell them from derivatives and indices."""
    return [GREEK.get(s) or (s if s.isdecimal() else f"\\mathrm{{{s}}}") for s in split_name(name)[1]]


def symbol(name: str, *, bold: bool = False, indices: tuple[int, ...] = ()) -> str:
    """A name with its subscripts, and the indices of a component counted from 1."""
    below = subscripts(name)
    if indices:
        below.append("".join(str(i + 1) for i in indices))
    body = letters(split_name(name)[0], bold)
    return f"{body}_{braced(','.join(below))}" if below else body


def number(value: int | float) -> str:
    """A number in decimal, or as a power of ten."""
    short = repr(value) if len(repr(value)) <= DIGITS + 1 else f"{value:.{DIGITS}g}"
    mantissa, _, exponent = short.partition("e")
    if not exponent:
        return short
    power = f"10^{{{int(exponent)}}}"
    return {"1": power, "-1": f"-{power}"}.get(mantissa, f"{mantissa}\\cdot {power}")

"""Errors between fields on a grid with quadrature weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def l2_norm(values: np.ndarray, weights: np.ndarray) -> float:
    r"""$\left(\sum_k w_k v_k^2\right)^{1/2}$."""
    return float(np.sqrt(np.sum(weights * values**2)))


def relative_l2(values: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    r"""$\|v-v_*\|_2/\|v_*\|_2$, or the absolute norm where the truth is zero."""
    scale = l2_norm(truth, weights)
    difference = l2_norm(values - truth, weights)
    return difference / scale if scale > 0 else difference


def field_errors(
    values: Mapping[str, Any], truth: Mapping[str, Any], weights: np.ndarray
) -> dict[str, dict[str, float]]:
    """`{unknown: {relative_l2, max}}`; values that are not finite give infinite errors."""
    errors = {}
    for name, true in truth.items():
        v, t = np.asarray(values[name], float), np.asarray(true, float)
        finite = bool(np.isfinite(v).all())
        errors[name] = {
            "relative_l2": relative_l2(v, t, weights) if finite else float("inf"),
            "max": float(np.max(np.abs(v - t))) if finite else float("inf"),
        }
    return errors

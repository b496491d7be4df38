"""Speed of the particle method: what the table says, and the exactness of the polar factor's gradient."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from benchmarks.law_speed import TARGETS, polar, table


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_the_gradient_of_the_polar_factor_is_exact_where_singular_values_coincide(dtype: type) -> None:
    row = polar(dtype)
    few = 20 * float(jnp.finfo(dtype).eps)
    assert max(row[name] for name in ("identity", "equal pair", "near identity", "generic")) <= few
    assert TARGETS["polar_error"][1](row["polar_error"])


def test_a_missed_target_is_said_to_be_missed() -> None:
    row = {"part": "forward", "particles": 8, "particle_steps_per_second": 1.0, "over_taichi": 2.0, "taichi": "1.7.4"}
    text = table([row])
    assert "| forward, particles 8: particle steps per second | 1 | ≥ 1.5e6 | **no** |" in text
    assert "| forward, particles 8: over taichi | 2 | ≥ 1 | yes |" in text
    assert "| forward, particles 8: taichi | 1.7.4 |  |  |" in text

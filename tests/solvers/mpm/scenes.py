"""Scenes that several tests use."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from pde_zoo.bodies import thrown_cube
from pde_zoo.materials import Corotated, DruckerPrager, Fluid, Hencky, Volume, VonMises
from sciml import Problem
from sciml.material import Material
from solvers.mpm.momentum import MomentumBalance, momentum_balance
from solvers.mpm.scene import Scene, in_precision, make_model, read_scene, start
from solvers.mpm.step import Model, State

MATERIALS = {
    "jelly": Material(Corotated(1e5, 0.2)),
    "sand": Material(Hencky(1e6, 0.2), DruckerPrager(0.2, 25.0)),
    "plasticine": Material(Hencky(3e5, 0.25), VonMises(3e5, 0.25, 5e3)),
    "water": Material(Volume(1e5, 0.3), Fluid()),
}


def scene_of(problem: Problem) -> Scene:
    balance = momentum_balance(problem)
    assert isinstance(balance, MomentumBalance), balance
    return read_scene(problem, balance, problem.domain)  # type: ignore[arg-type]


def ready(
    material: Any,
    *,
    spacing: float = 0.05,
    dt: float = 5e-4,
    dtype: Any = jnp.float64,
    floor: float = 0.0,
    **changes: Any,
) -> tuple[State, Any, Model]:
    """State, material and model of a thrown cube."""
    scene = scene_of(thrown_cube(material, **changes))
    return start(scene, dtype), in_precision(material, dtype), make_model(scene, spacing, dt, dtype, floor)

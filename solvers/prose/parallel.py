"""One training step on many devices, of one process or of several: examples are divided, weights are everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from sciml.errors import OptionError

T = TypeVar("T")
AXIS = "examples"


def mesh_of(devices: Sequence[Any] | None = None) -> Mesh:
    """A line of devices; by default all, those of other processes included."""
    return Mesh(np.array(jax.devices() if devices is None else list(devices)), (AXIS,))


def divided(batch: T, mesh: Mesh) -> T:
    """A batch with its first axis divided over the devices; every process passes the whole batch and keeps its part.

    Raises:
        OptionError: a number of examples that the devices do not divide.
    """
    first = jax.tree.leaves(batch)[0].shape[0]
    if first % mesh.size:
        raise OptionError(f"{first} examples on {mesh.size} devices", "a multiple of the devices", "change the batch")
    return _placed(batch, NamedSharding(mesh, PartitionSpec(AXIS)))


def everywhere(tree: T, mesh: Mesh) -> T:
    """A copy on every device."""
    return _placed(tree, NamedSharding(mesh, PartitionSpec()))


def _placed(tree: Any, sharding: NamedSharding) -> Any:
    if sharding.is_fully_addressable:
        return jax.device_put(tree, sharding)

    def place(array: Any) -> Any:
        whole = np.asarray(array)
        return jax.make_array_from_callback(whole.shape, sharding, lambda index: whole[index])

    return jax.tree.map(place, tree)

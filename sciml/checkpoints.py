"""The state of a long run on disk, so that a run that was killed goes on where it was."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from sciml.errors import FileError, OptionError
from sciml.files import whole_file

STATE = "state.npz"
OWNER, CHECKSUM = "owner", "checksum"


@final
@dataclass(frozen=True)
class Checkpoint:
    """A folder for the state of one run.

    The state is one archive of arrays that takes its name only when it is whole: whenever the process dies, the last
    state or the one before it is there. Nothing in it is executed.

    Attributes:
        folder: made if need be.
        every: seconds between two writings.
        owner: what the state belongs to; another owner's state is refused.
    """

    folder: Path
    every: float = 60.0
    owner: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))
        if not self.every >= 0:
            raise OptionError(f"every={self.every!r} of a checkpoint", "seconds, at least 0", "leave it out for 60")

    def owned_by(self, *parts: bytes | str) -> Checkpoint:
        """The same folder for a run that these parts identify."""
        digest = hashlib.blake2b(digest_size=16)
        for part in parts:
            digest.update(part.encode() if isinstance(part, str) else part)
            digest.update(b"\0")
        return replace(self, owner=digest.hexdigest())

    def part(self, name: str) -> Checkpoint:
        """A folder below for one stage of the run."""
        return replace(self, folder=self.folder / name)

    def save(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Write a state, in place of the one before.

        Raises:
            FileError: the folder cannot be written.
        """
        whole = {**arrays, OWNER: np.array(self.owner)}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with whole_file(self.folder / STATE) as file:
                np.savez(file, **{**whole, CHECKSUM: np.array(_checksum(whole))})  # type: ignore[arg-type]
        except OSError as error:
            raise FileError(
                f"{self.folder}, where nothing can be written ({error})", "a folder", "choose another checkpoint"
            ) from error

    def load(self) -> dict[str, np.ndarray] | None:
        """The last state; None where there is none yet.

        Raises:
            FileError: it is damaged, or another run's.
        """
        path = self.folder / STATE
        if not path.is_file():
            return None
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            sound = str(arrays.pop(CHECKSUM)) == _checksum(arrays)
            owner = str(arrays.pop(OWNER))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise FileError(
                f"{path}, which is no state ({error})", "the file as it was written", "remove it"
            ) from error
        if not sound:
            raise FileError(f"{path} with a wrong checksum", "the file as it was written", "remove it")
        if owner != self.owner:
            raise FileError(
                f"{path}, the state of another problem, solver or seed",
                "the run that wrote it",
                "choose another folder",
            )
        return arrays


def _checksum(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode() + array.tobytes())
    return digest.hexdigest()


def packed(tree: PyTree, name: str) -> dict[str, np.ndarray]:
    """The leaves of a pytree of numbers and arrays, as `name/0`, `name/1`, …"""
    return {f"{name}/{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(tree))}


def unpacked(like: PyTree, arrays: Mapping[str, np.ndarray], name: str) -> PyTree:
    """The pytree that `packed` took apart.

    Args:
        like: a pytree of the same structure, whose leaves say of which kind each leaf is.
        arrays: holds the leaves.
        name: what they were called.

    Raises:
        FileError: the leaves have other shapes.
    """
    leaves, structure = jax.tree.flatten(like)
    found = [arrays.get(f"{name}/{i}") for i in range(len(leaves))]
    if any(a is None or a.shape != np.shape(leaf) for a, leaf in zip(found, leaves, strict=True)):
        raise FileError(
            f"a state whose {name} has other shapes", "the run that wrote it", "remove it, or choose another folder"
        )
    return jax.tree.unflatten(structure, [_as(leaf, a) for leaf, a in zip(leaves, found, strict=True)])


def _as(leaf: Any, array: Any) -> Any:
    if isinstance(leaf, bool | int | float):
        return type(leaf)(array.item())
    return jnp.asarray(array) if isinstance(leaf, jax.Array) else array

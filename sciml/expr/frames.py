"""Frames: coordinates that were created together, which one is time, and the digest of a structure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import blake2b
from typing import final


@final
@dataclass(frozen=True)
class Frame:
    """Names of the coordinates of a problem in order, and which of them is time (None: steady)."""

    names: tuple[str, ...]
    time: str | None = None

    @property
    def space(self) -> tuple[str, ...]:
        """Names of the spatial coordinates, in order."""
        return tuple(name for name in self.names if name != self.time)

    def __str__(self) -> str:
        return f"({', '.join(self.names)})"


def encode(value: object) -> bytes:
    """Bytes that identify a value inside a structure; whatever has a digest contributes that."""
    kind = type(value)
    if kind is str:
        return b"s%d:" % len(value) + value.encode()  # type: ignore[arg-type, attr-defined]
    if kind is tuple:
        return b"(%d:" % len(value) + b"".join(map(encode, value)) + b")"  # type: ignore[arg-type]
    if kind is float:
        return b"f" + struct.pack("<d", value)
    digest = getattr(value, "digest", None)
    if isinstance(digest, bytes):
        return b"e" + digest
    return b"v" + encode(f"{kind.__name__} {value}")


def fingerprint(*parts: object) -> bytes:
    """128-bit BLAKE2b digest of a structure, the same in every process."""
    return blake2b(encode(parts), digest_size=16).digest()

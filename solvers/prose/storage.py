"""Pretrained models on disk: arrays in one archive, everything else in JSON beside it, with checksums."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import final

import jax
import numpy as np

from sciml.checkpoints import packed, unpacked
from sciml.errors import FileError, ParseError
from sciml.files import whole_file
from sciml.io import ArchivedArrays, checksum
from sciml.storable import Reader, Writer, checked_header, damaged_document, storable
from solvers.prose.architecture import Architecture
from solvers.prose.batches import Window
from solvers.prose.corruption import Corruption
from solvers.prose.learning import Learning
from solvers.prose.model import Model, blank
from solvers.prose.vocabulary import Vocabulary

FORMAT, VERSION = "sciml prose", 1
MODEL = "model"
"""Name of the files in the folder of a run."""
SHIPPED = Path(__file__).parent / "weights"
"""Models that come with the library."""


@final
@storable("prose_card")
@dataclass(frozen=True)
class Card:
    """What a model was made for and how.

    Attributes:
        architecture: sizes.
        vocabulary: words.
        families: names of what it was trained on.
        horizon: length of the trajectories in time.
        guess_length: most words of a guess.
        equation_length: most words of an equation, the end included.
        window: what was shown of a trajectory.
        corruption: how often guesses were wrong.
        learning: hyperparameters.
        steps: updates taken.
        seconds: wall seconds that they took.
        trajectories: how many were there to learn from.
        command: what to type to make it again.
    """

    architecture: Architecture
    vocabulary: Vocabulary
    families: tuple[str, ...]
    horizon: float
    guess_length: int
    equation_length: int
    window: Window
    corruption: Corruption
    learning: Learning
    steps: int
    seconds: float
    trajectories: int
    command: str


@final
@dataclass(frozen=True)
class Pretrained:
    """A model with its card."""

    model: Model
    card: Card


def stem_of(name: str | Path) -> Path:
    """Where a model's files are, without their endings: a run's folder, a path, or the name of one that is shipped.

    Raises:
        FileError: there is none.
    """
    given = Path(name)
    for stem in (given / MODEL, given.with_suffix(""), SHIPPED / str(name)):
        if stem.with_suffix(".json").is_file():
            return stem
    shipped = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.json"))) or "none"
    raise FileError(
        f"no pretrained model {str(name)!r}",
        f"the folder of a run of `sciml pretrain`, or one of: {shipped}",
        "check it",
    )


def save(pretrained: Pretrained, stem: Path) -> None:
    """Write `stem.npz` and `stem.json`, which vouches for the former.

    Raises:
        FileError: the place cannot be written.
    """
    archive = ArchivedArrays(packed(pretrained.model, "weights")).packed()
    card = Writer().write(pretrained.card, "the card")
    document = {
        "format": FORMAT,
        "version": VERSION,
        "arrays_sha256": hashlib.sha256(archive).hexdigest(),
        "card_sha256": checksum(card),
        "card": card,
    }
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        for ending, data in ((".npz", archive), (".json", (json.dumps(document, indent=1) + "\n").encode())):
            with whole_file(stem.with_suffix(ending)) as file:
                file.write(data)
    except OSError as error:
        raise FileError(f"{stem}, which cannot be written ({error})", "a folder", "choose another --out") from error


def load(name: str | Path) -> Pretrained:
    """Read a model; nothing in the files is executed.

    Raises:
        FileError: there is none, or its files are damaged, foreign or of a newer version.
    """
    stem = stem_of(name)
    return _load(stem, stem.with_suffix(".json").stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(stem: Path, written: int) -> Pretrained:
    """One reading serves until the files change."""
    try:
        text, packed_arrays = stem.with_suffix(".json").read_bytes(), stem.with_suffix(".npz").read_bytes()
    except OSError as error:
        raise FileError(f"no weights at {stem} ({error.strerror})", "both files of a model", "restore them") from error
    try:
        with damaged_document(stem.name + ".json"):
            return _read(text, packed_arrays)
    except ParseError as error:
        raise FileError(f"in {stem}: {error.found}", error.needed, error.todo) from error


def _read(text: bytes, archive: bytes) -> Pretrained:
    document = checked_header(json.loads(text), FORMAT, VERSION)
    if document["card_sha256"] != checksum(document["card"]):
        raise ParseError("a card with a wrong checksum", "the file as it was written", "restore it")
    if document["arrays_sha256"] != hashlib.sha256(archive).hexdigest():
        raise ParseError("weights with a wrong checksum", "the archive written with this card", "restore both")
    try:
        arrays = ArchivedArrays.unpacked(archive).arrays
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        raise ParseError(f"weights that are no archive ({error})", "an npz archive", "restore it") from error
    card = Reader().read_as(Card, document["card"])
    return Pretrained(_filled(blank(card.architecture), arrays), card)


def _filled(shapes: Model, arrays: dict[str, np.ndarray]) -> Model:
    made = jax.tree.map(
        lambda leaf: jax.numpy.zeros(leaf.shape, leaf.dtype) if hasattr(leaf, "dtype") else leaf, shapes
    )
    return unpacked(made, arrays, "weights")

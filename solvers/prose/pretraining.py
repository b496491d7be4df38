"""From families of problems to a model on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import jax
import numpy as np

from sciml.checkpoints import STATE, Checkpoint
from sciml.errors import OptionError, SolveError
from sciml.family import ProblemFamily, Split
from sciml.progress import waiting
from sciml.results import RESULTS
from solvers.prose.architecture import ARCHITECTURES, Architecture
from solvers.prose.batches import Window
from solvers.prose.canonical import System, system_of
from solvers.prose.corruption import Corruption
from solvers.prose.examples import Lesson, examples, vocabulary_of
from solvers.prose.learning import Learning
from solvers.prose.model import model
from solvers.prose.storage import MODEL, Card, Pretrained, save
from solvers.prose.training import Callback, Trained, train
from solvers.prose.vocabulary import BEGIN

STATE_FOLDER = "state"


@final
@dataclass(frozen=True)
class Recipe:
    """How a model is pretrained.

    Attributes:
        size: name of an architecture.
        trajectories: of each family.
        dimension: most unknowns; by default those of the families.
        guess_length, equation_length: most words that are read and written, the end included.
        window: what is shown of a trajectory.
        corruption: how often guesses are wrong.
        learning: hyperparameters of the optimiser.
        seed: of trajectories, weights and batches.
        save_every: seconds between two states on disk.
    """

    size: str = "small"
    trajectories: int = 5600
    dimension: int | None = None
    guess_length: int = 56
    equation_length: int = 64
    window: Window = field(default_factory=Window)
    corruption: Corruption = field(default_factory=Corruption)
    learning: Learning = field(default_factory=Learning)
    seed: int = 0
    save_every: float = 60.0

    def __post_init__(self) -> None:
        if self.size not in ARCHITECTURES:
            raise OptionError(f"size {self.size!r}", f"one of {', '.join(ARCHITECTURES)}", "choose one")
        if min(self.trajectories, self.guess_length, self.equation_length) < 1:
            raise OptionError(f"{self!r}", "counts ≥ 1", "change that count")


def pretrain(
    families: Sequence[ProblemFamily],
    out: Path,
    recipe: Recipe = Recipe(),
    *,
    budget: float | None = None,
    resume: bool = False,
    callback: Callback | None = None,
    command: str = "",
) -> tuple[Pretrained, Trained]:
    """Make trajectories, learn from them, and write the model to `out`; the parameters are those of `Split.TRAIN`.

    Args:
        families: what to learn, systems of ordinary differential equations over the same times.
        out: folder of the run: the state while it lasts, the model at its end.
        recipe: how.
        budget: wall seconds of learning, those before an interruption included.
        resume: go on from the state that is there.
        callback: called now and then with the losses; a true answer ends the run.
        command: what the user typed, for the card.

    Raises:
        OptionError: no families, of different times, or a state that is there without `resume`.
        UnsupportedProblemError: a family that is no such system, or has longer equations than the recipe.
        FileError: a state of another run, or a folder that cannot be written.
        SolveError: learning ended in numbers that are not finite.
    """
    times = _common_times(families)
    folder = out / STATE_FOLDER
    if not resume and (folder / STATE).is_file():
        raise OptionError(f"a run in {out}", "an empty folder, or its continuation", "pass --resume, or another --out")
    dimension = recipe.dimension or max(len(f.unknowns) for f in families)
    vocabulary = vocabulary_of(dimension)
    size = ARCHITECTURES[recipe.size](len(vocabulary), dimension)
    for_data, for_weights, for_batches = jax.random.split(jax.random.key(recipe.seed), 3)
    horizon = float(times[-1] - times[0])
    with waiting(f"making {recipe.trajectories * len(families)} trajectories"):
        data = examples(
            [lesson(f, jax.random.fold_in(for_data, i), recipe.trajectories) for i, f in enumerate(families)],
            times - times[0],
            vocabulary,
            horizon=horizon,
            dimension=dimension,
            guess_length=recipe.guess_length,
            equation_length=recipe.equation_length,
        )
    trained = train(
        model(for_weights, size),
        data,
        vocabulary.numbers[BEGIN],
        learning=recipe.learning,
        window=recipe.window,
        corruption=recipe.corruption,
        key=for_batches,
        budget=budget,
        callback=callback,
        checkpoint=Checkpoint(folder, recipe.save_every).owned_by(_identity(recipe, size, families)),
    )
    if trained.result is RESULTS.nonfinite:
        raise SolveError("losses that are not finite", "a training that stays finite", "lower learning.rate")
    card = Card(
        architecture=size,
        vocabulary=vocabulary,
        families=tuple(f.name for f in families),
        horizon=horizon,
        guess_length=recipe.guess_length,
        equation_length=recipe.equation_length,
        window=recipe.window,
        corruption=recipe.corruption,
        learning=recipe.learning,
        steps=trained.steps,
        seconds=round(trained.seconds, 1),
        trajectories=int(data.states.shape[0]),
        command=command,
    )
    made = Pretrained(trained.model, card)
    save(made, out / MODEL)
    return made, trained


def lesson(family: ProblemFamily, key: jax.Array, n: int, split: Split = Split.TRAIN) -> Lesson:
    """n trajectories of a family with its system in canonical form.

    Raises:
        UnsupportedProblemError: the family is not over time alone.
    """
    system = system_of_family(family)
    made = family.trajectories(key, n, split=split)
    return Lesson(family.name, system, made.parameters, made.states)


def _identity(recipe: Recipe, size: Architecture, families: Sequence[ProblemFamily]) -> str:
    return repr((recipe.learning, recipe.window, recipe.corruption, recipe.seed, recipe.trajectories, size, families))


def system_of_family(family: ProblemFamily) -> System:
    """The right-hand sides of a family in canonical form, with its parameters.

    Raises:
        UnsupportedProblemError: the family is not over time alone.
    """
    return system_of(family.template)


def _common_times(families: Sequence[ProblemFamily]) -> np.ndarray:
    if not families:
        raise OptionError("no families", "at least one", "name one; `sciml family` lists them")
    times = families[0].times
    for family in families[1:]:
        if family.times.shape != times.shape or not np.allclose(family.times, times):
            raise OptionError(
                f"families {families[0].name} and {family.name} with different times",
                "the same",
                "train one model each",
            )
    return times

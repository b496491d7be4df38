"""`sciml pretrain`: a solver that learns a family of problems before it meets one."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import click

from sciml.commands.library import Library, unknown
from sciml.commands.options import folder
from sciml.commands.settings import arguments_of, read
from sciml.errors import OptionError

CONTEXT = ("families", "out", "budget", "resume", "command")


@runtime_checkable
class Pretrainable(Protocol):
    """A class of solvers that can be pretrained."""

    pretrain: Callable[..., Mapping[str, Any]]
    """`pretrain(families, out, *, budget, resume, command, **options)` writes weights to `out` and says what it did."""


def pretrain_command(library: Library) -> click.Command:
    """The command, over the families and solvers of a library."""

    @click.command("pretrain")
    @click.argument("families", nargs=-1, required=True, metavar="FAMILY...")
    @click.option("--solver", required=True, metavar="NAME", help="A solver that learns from families, such as prose.")
    @click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder of the run.")
    @click.option("--minutes", type=float, metavar="N", help="Learn for so long; what came before a kill counts.")
    @click.option("--resume", is_flag=True, help="Go on from the state in DIR.")
    @click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="An option of the training.")
    def pretrain(
        families: tuple[str, ...],
        solver: str,
        out: Path,
        minutes: float | None,
        resume: bool,
        settings: tuple[str, ...],
    ) -> None:
        """Train a solver on families of problems; `sciml solve CASE --solver NAME --weights DIR` then uses it.

        The state is kept in DIR: a run that was killed goes on with --resume, to the same numbers when its length is
        given in steps.

        \b
        sciml pretrain lorenz --solver prose --out run --minutes 10
        sciml pretrain lorenz thomas --solver prose --out run --set steps=2000 --set size=medium
        sciml pretrain lorenz --solver prose --out run --minutes 20 --resume
        """
        learner = library.solver_class(solver)
        if not isinstance(learner, Pretrainable):
            raise OptionError(f"solver {solver!r}, which learns nothing beforehand", "prose", "choose another --solver")
        if minutes is not None and not minutes > 0:
            raise OptionError(f"{minutes:g} minutes", "a positive number", "write --minutes 10")
        done = learner.pretrain(
            [library.family(name) for name in families],
            folder(out),
            budget=None if minutes is None else 60 * minutes,
            resume=resume,
            command=_command(families, solver, minutes, settings),
            **_options(settings, learner.pretrain),
        )
        for name, value in done.items():
            click.echo(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")

    return pretrain


def _options(settings: Sequence[str], function: Callable[..., Any]) -> dict[str, Any]:
    known = {name: kind for name, kind in arguments_of(function).items() if name not in CONTEXT}
    found = {}
    for pair in settings:
        key, equals, text = pair.partition("=")
        if not equals or key not in known:
            raise unknown("--set key", key, known, f"choose one of {', '.join(known)}")
        found[key] = read(text, known[key], key)
    return found


def _command(families: Sequence[str], solver: str, minutes: float | None, settings: Sequence[str]) -> str:
    words = ["sciml", "pretrain", *families, "--solver", solver, "--out", "DIR"]
    words += [] if minutes is None else ["--minutes", f"{minutes:g}"]
    return shlex.join([*words, *(word for pair in settings for word in ("--set", pair))])

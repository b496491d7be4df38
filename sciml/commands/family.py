"""`sciml family`: a form of equation with its random numbers and initial data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import jax
import numpy as np

from sciml.commands.library import Library
from sciml.commands.options import folder
from sciml.commands.tables import page, table
from sciml.expr.latex import latex
from sciml.family import ProblemFamily
from sciml.measurement import plain
from sciml.trajectories import Trajectories

DRAWS = 8
"""Trajectories that the summary is made of."""


def family_command(library: Library) -> click.Command:
    """The command, over the families of a library."""

    @click.command("family")
    @click.argument("name", required=False)
    @click.option("--seed", type=int, default=0, show_default=True, help="Seed of the draws.")
    @click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Picture of three trajectories.")
    @click.option("--data", type=click.Path(path_type=Path), metavar="FILE", help="Write trajectories to an npz file.")
    @click.option("--count", type=click.IntRange(1), default=DRAWS, show_default=True, help="How many trajectories.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def family(name: str | None, seed: int, plot: Path | None, data: Path | None, count: int, as_json: bool) -> None:
        """Print a family of problems: equations, random numbers, words, and a summary of some trajectories.

        Without NAME, list all families.

        \b
        sciml family
        sciml family lorenz --plot lorenz.png
        sciml family lorenz --count 1000 --data lorenz.npz
        """
        if name is None:
            rows = [(n, f.summary) for n, f in library.families().items()]
            page().print(table(("family", "what it is"), rows))
            return
        found = library.family(name)
        made = found.trajectories(jax.random.key(seed), count)
        if data is not None:
            folder(data.parent)
            made.save(data)
        if plot is not None:
            from sciml.plotting.trajectories import plot_trajectories

            folder(plot.parent)
            plot_trajectories(made, tuple(repr(u) for u in found.unknowns)).savefig(plot, dpi=150)
        facts = facts_of(found, made)
        click.echo(json.dumps(plain(facts), ensure_ascii=False)) if as_json else _print(facts)

    return family


def facts_of(family: ProblemFamily, made: Trajectories) -> dict[str, Any]:
    """Everything that `sciml family` prints, as data."""
    states = np.moveaxis(made.states, 2, 0).reshape(len(family.unknowns), -1)
    return {
        "family": family.name,
        "summary": family.summary,
        "source": family.source,
        "equations": [{"text": repr(e), "latex": latex(e)} for e in family.template.equations],
        "domain": repr(family.template.domain),
        "parameters": {name: str(d) for name, d in family.parameters.items()},
        "initial": str(family.initial),
        "words": family.words(),
        "times": len(made.times),
        "points": None if made.nodes is None else len(made.nodes),
        "trajectories": len(made),
        "rejected": made.rejected,
        "range": {repr(u): [float(s.min()), float(s.max())] for u, s in zip(family.unknowns, states, strict=True)},
    }


def _print(facts: dict[str, Any]) -> None:
    out = page()
    out.print(f"[bold]{facts['family']}[/bold]  {facts['summary']}")
    if facts["source"]:
        out.print(f"source: {facts['source']}", markup=False, style="dim")
    out.print("\n[bold]Equations[/bold]")
    for statement in facts["equations"]:
        out.print(f"  {statement['text']}", markup=False)
        out.print(f"      {statement['latex']}", markup=False, style="dim")
    out.print(f"  on {facts['domain']}", markup=False)
    out.print("\n[bold]Random numbers[/bold]")
    for name, distribution in facts["parameters"].items():
        out.print(f"  {name}: {distribution}", markup=False)
    out.print(f"  initial data: {facts['initial']}", markup=False)
    out.print(f"\n[bold]Words[/bold] ({len(facts['words'])})")
    out.print(f"  {' '.join(facts['words'])}", markup=False)
    grid = "" if facts["points"] is None else f" and {facts['points']} points"
    out.print(f"\n[bold]{facts['trajectories']} trajectories[/bold] at {facts['times']} times{grid}, "
              f"{facts['rejected']} draws rejected")  # fmt: skip
    for name, (low, high) in facts["range"].items():
        out.print(f"  {name} between {low:.4g} and {high:.4g}", markup=False)

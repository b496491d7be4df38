"""`sciml show`: everything that is known about one case."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from sciml.case import Case
from sciml.commands.library import Library
from sciml.commands.options import case_argument
from sciml.commands.settings import arguments_of, settings_of
from sciml.commands.tables import duration, page, scientific, table
from sciml.expr.latex import latex
from sciml.measurement import plain
from sciml.problem import Problem
from sciml.problem_text import kinds_of_condition, kinds_of_equations
from sciml.progress import waiting
from sciml.reference import ComputedReference
from sciml.reference_cache import MakeSolver, compute_reference


def show_command(library: Library) -> click.Command:
    """The command, over the cases of a library."""

    @click.command("show")
    @case_argument(library)
    @click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A value of the case.")
    @click.option("--truth", is_flag=True, help="Compute the truth and its own error if it is not in the cache.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def show(case: str, settings: tuple[str, ...], truth: bool, as_json: bool) -> None:
        """Print a case: equations as text and LaTeX, what kind they are, conditions, truth, published numbers.

        CASE is a name that `sciml zoo` lists, or path/to/file.py:function for a function of yours that returns a
        Problem.

        \b
        sciml show burgers
        sciml show gp_hm/u3
        sciml show burgers --set nu=0.01
        sciml show my_equation.py:melting
        """
        known = library.case(case)
        problem = known.problem(**settings_of(settings, {}, known.build).case)
        facts = facts_of(known, problem, library.make_solver if truth else None)
        if as_json:
            click.echo(json.dumps(plain(facts), ensure_ascii=False))
        else:
            _print(facts)

    return show


def facts_of(case: Case, problem: Problem, make_solver: MakeSolver | None = None) -> dict[str, Any]:
    """Everything that `sciml show` prints, as data.

    Args:
        case: which.
        problem: its problem.
        make_solver: to compute a truth that needs computing; None leaves it.
    """
    return {
        "case": case.name,
        "summary": case.summary,
        "note": case.note,
        "choices": list(arguments_of(case.build)),
        "equations": [{"text": repr(e), "latex": latex(e)} for e in problem.equations],
        "domain": repr(problem.domain),
        "classification": kinds_of_equations(problem),
        "conditions": [
            {
                "text": repr(c.equation),
                "latex": latex(c.equation),
                "where": repr(c.region),
                "kinds": kinds_of_condition(c),
            }
            for c in problem.conditions
        ],
        "parameters": {name: p.value for name, p in problem.parameters.items()},
        "observations": [repr(o) for o in problem.observations],
        "truth": _truth(case, problem, make_solver),
        "points": case.points,
        "published": [asdict(p) for p in case.published],
    }


def _truth(case: Case, problem: Problem, make_solver: MakeSolver | None) -> dict[str, Any] | None:
    """Kind, source and own error of the truth; one that has to be computed waits until `make_solver` is given."""
    truth = problem.reference
    if isinstance(truth, ComputedReference):
        if make_solver is None:
            return {"kind": "computed", "error": None, "source": _recipe(truth)}
        with waiting(f"computing the truth of {case.name} by {truth.solver}"):
            truth = compute_reference(problem, truth, case.grid(problem), make_solver)
    if truth is None:
        return None
    late = truth.kind == "computed" and make_solver is None
    return {"kind": truth.kind, "error": None if late else truth.error, "source": getattr(truth, "source", "")}


def _recipe(truth: ComputedReference) -> str:
    """The solver of a computed truth, and of the comparison that gives its error."""
    fine, coarse = (", ".join(f"{k}={v}" for k, v in o.items()) or "defaults" for o in (truth.fine, truth.coarse))
    return f"{truth.solver} with {fine}, its error from {coarse}"


def _print(facts: dict[str, Any]) -> None:
    out = page()
    out.print(f"[bold]{facts['case']}[/bold]  {facts['summary']}")
    if facts["note"]:
        out.print(f"note: {facts['note']}", style="yellow")
    for title, key in (("Equations", "equations"), ("Conditions", "conditions")):
        out.print(f"\n[bold]{title}[/bold]")
        for statement in facts[key]:
            where = f"   on {statement['where']}: {', '.join(statement['kinds'])}" if "where" in statement else ""
            out.print(f"  {statement['text']}{where}", markup=False)
            out.print(f"      {statement['latex']}", markup=False, style="dim")
    out.print(f"\n[bold]Domain[/bold]\n  {facts['domain'].replace('[', chr(92) + '[')}")
    out.print("\n[bold]Classification[/bold]")
    for sentence in facts["classification"]:
        out.print(f"  {sentence}", markup=False)
    if facts["parameters"]:
        numbers = ", ".join(f"{n} = {'unknown' if v is None else f'{v:.6g}'}" for n, v in facts["parameters"].items())
        out.print(f"\n[bold]Parameters[/bold]\n  {numbers}")
    if facts["choices"]:
        out.print(f"\n[bold]Values to --set[/bold]\n  {', '.join(facts['choices'])}")
    out.print(f"\n[bold]Truth[/bold]\n  {_truth_line(facts['truth'])}")
    if facts["published"]:
        out.print("\n[bold]Published[/bold]")
        rows = [
            (f"  {p['method']}", scientific(p["error"]), duration(p["seconds"]), p["hardware"], p["source"], p["note"])
            for p in facts["published"]
        ]
        out.print(table(("  method", "relative L2", "time", "hardware", "source", "note"), rows, numbers=(1, 2)))


def _truth_line(truth: dict[str, Any] | None) -> str:
    if truth is None:
        return "none is known"
    error = "not computed yet (--truth computes it)" if truth["error"] is None else scientific(truth["error"])
    source = f": {truth['source']}" if truth["source"] else ""
    return f"{truth['kind']}{source}; its own error: {error}"

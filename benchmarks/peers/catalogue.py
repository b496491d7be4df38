"""Which peers there are, what their scripts can state, and what they themselves cannot."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from benchmarks.peers.environments import Environment
from benchmarks.suite import PEER
from sciml.case import Case
from sciml.commands.library import unknown

SCRIPTS = Path(__file__).parent / "scripts"

_STEPS_ONLY = "an evolution equation: it steps in time"
_NO_HELMHOLTZ = "an evolution equation, or Poisson's or Laplace's: it has no solver for other stationary ones"


@final
@dataclass(frozen=True)
class Peer:
    """A library beside which ours is measured.

    Attributes:
        name: of its environment; rows call it `peer:NAME`.
        script: what runs in its environment.
        stated: the problems that the script spells in the peer's own terms, by the name of the zoo's function.
        cannot: what the peer needs, by the name of a problem that it cannot express.
    """

    name: str
    script: Path
    stated: frozenset[str]
    cannot: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Environment:
        """Where its packages are."""
        return Environment(self.name)

    @property
    def command(self) -> tuple[str, ...]:
        """What runs its script: its interpreter, deaf to the settings of ours."""
        return str(self.environment.python), "-s", "-E", str(self.script)

    def reasons(self, statement: str) -> list[str]:
        """What it needs and does not get; empty if it can be asked for this problem."""
        if statement in self.cannot:
            return [f"{self.name} needs {self.cannot[statement]}"]
        if statement in self.stated:
            return []
        return [f"a statement of {statement} in {self.script.name}"]


def _peer(name: str, script: str, *stated: str, **cannot: str) -> Peer:
    return Peer(name, SCRIPTS / script, frozenset(stated), cannot)


_EVOLUTION = ("burgers", "heat", "korteweg_de_vries", "kuramoto_sivashinsky")

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        _peer("deepxde", "with_deepxde.py", "burgers", "helmholtz"),
        _peer("jinns", "with_jinns.py", "burgers", "helmholtz"),
        _peer("pina", "with_pina.py", "burgers", "helmholtz"),
        _peer("py-pde", "with_pypde.py", *_EVOLUTION, helmholtz=_NO_HELMHOLTZ),
        _peer("exponax", "with_exponax.py", *_EVOLUTION, helmholtz=f"{_STEPS_ONLY}, in a periodic box"),
    )
}
"""Every peer by name."""


def peer_of(solver: str) -> Peer:
    """The peer that a row calls `peer:NAME`.

    Raises:
        OptionError: there is none.
    """
    name = solver.removeprefix(PEER)
    if name not in PEERS:
        raise unknown("peer", name, PEERS, f"choose one of {', '.join(PEERS)}")
    return PEERS[name]


def statement_of(case: Case) -> str:
    """Name of the zoo's function that makes a case: what a script knows its problem by."""
    return getattr(case.build, "__name__", case.name)


def numbers_of(case: Case, values: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument of the function that makes a case, its own defaults included."""
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(case.build).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    return {**defaults, **case.values, **values}


def refusals(solver: str, case: Case) -> list[str]:
    """What a report says of a peer that is not asked for a case: only what the peer itself cannot express."""
    peer, statement = peer_of(solver), statement_of(case)
    return peer.reasons(statement) if statement in peer.cannot else []

"""`python -m benchmarks.peers.environments [NAMES]`: build the virtual environments of the peers, all without names.

Each is made from `requirements/NAME.txt`: every package with its version, nothing resolved, so that two builds hold the
same and nothing that the peer does not import is fetched. What is built already is left alone; after a change of its
list it is built anew.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import click

from sciml.commands.library import unknown
from sciml.errors import FileError, SciMLError

ROOT = Path(__file__).parents[2] / ".peers"
"""Folder of all environments; git ignores it."""
REQUIREMENTS = Path(__file__).parent / "requirements"
"""Folder of the lists, one for each environment."""


@final
@dataclass(frozen=True)
class Environment:
    """A virtual environment and the list it is made from.

    Attributes:
        name: of the folder and of the list.
        root: folder of environments.
        requirements: folder of lists.
    """

    name: str
    root: Path = ROOT
    requirements: Path = REQUIREMENTS

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.root / self.name

    @property
    def packages(self) -> Path:
        """The list that it is made from."""
        return self.requirements / f"{self.name}.txt"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def digest(self) -> str:
        """Of the list."""
        return hashlib.blake2b(self.packages.read_bytes(), digest_size=8).hexdigest()

    @property
    def mark(self) -> Path:
        """File that says from which list it was built, written when all is in place."""
        return self.folder / "built-from"

    @property
    def stamp(self) -> str:
        """Digest of the list that it was built from; empty if it is not built, or from another list than today's."""
        return self.digest if self.mark.is_file() and self.mark.read_text("utf-8") == self.digest else ""

    @property
    def missing(self) -> str:
        """What to say where it is needed and not built: found, needed, do this."""
        return str(
            FileError(
                f"no environment {self.name} of today's list in {self.root.name}/",
                f"the packages of {self.packages.name}",
                f"python -m benchmarks.peers.environments {self.name}",
            )
        )

    def build(self) -> None:
        """Make it, unless it is there.

        Raises:
            FileError: a package cannot be installed, with what the installer says.
        """
        if self.stamp:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        venv.create(self.folder, symlinks=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(self.python)]
        install = [*pip, "install", "--quiet", "--no-deps", "--requirement", str(self.packages)]
        done = subprocess.run(install, capture_output=True, text=True)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr.strip()]
            raise FileError(
                f"environment {self.name}: {errors[-1][:300]}",
                f"every package of {self.packages.name}",
                "check the network and the versions in it, then run the same line again",
            )
        self.mark.write_text(self.digest, "utf-8")


def known_environments(requirements: Path = REQUIREMENTS) -> list[str]:
    """Names of all lists."""
    return sorted(path.stem for path in requirements.glob("*.txt"))


def build_all(names: Sequence[str], root: Path = ROOT, requirements: Path = REQUIREMENTS) -> None:
    """Build some environments, or all, and say of each what was done.

    Raises:
        OptionError: there is no list of a name.
        FileError: a package cannot be installed.
    """
    known = known_environments(requirements)
    for name in names:
        if name not in known:
            raise unknown("environment", name, dict.fromkeys(known), f"choose among {', '.join(known)}")
    for name in names or known:
        own = Environment(name, root, requirements)
        if own.stamp:
            click.echo(f"{name}: built before, in {own.folder}")
            continue
        click.echo(f"{name}: installing the packages of {own.packages.name}")
        own.build()
        click.echo(f"{name}: built, in {own.folder}")


def main(names: Sequence[str]) -> int:
    """Exit code 0, or 2 with a sentence."""
    try:
        build_all(names)
    except SciMLError as error:
        click.echo(f"sciml: {error}", err=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

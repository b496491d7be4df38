"""What the command line knows by name: cases, solvers and suites; and the user's own, by file and function."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, final

from sciml.case import Case
from sciml.domains.bodies import Bodies, particle_grid
from sciml.domains.grids import AbstractGrid, scattered_grid, uniform_grid
from sciml.errors import FileError, OptionError, SciMLError
from sciml.family import ProblemFamily
from sciml.problem import Problem
from sciml.solver import AbstractSolver

POINTS = {1: 1001, 2: 201, 3: 51, 4: 21, 5: 11}
"""Test points along each coordinate of a user's own problem, by the number of coordinates."""
INSTANTS = 21
"""Times at which errors of a user's own bodies in motion are taken."""
SCATTERED = 20_000
"""Test points of a user's own problem with more coordinates than that."""


@final
@dataclass(frozen=True)
class Library:
    """Names and what they mean.

    Attributes:
        cases: returns every case by name.
        solvers: `module:class` by name; the module is imported when its solver is asked for.
        suites: returns every benchmark suite by name.
        families: returns every family of problems by name.
    """

    cases: Callable[[], Mapping[str, Case]]
    solvers: Mapping[str, str]
    suites: Callable[[], Mapping[str, Any]]
    families: Callable[[], Mapping[str, ProblemFamily]] = dict

    def case(self, name: str) -> Case:
        """A case by its name, or `path/to/file.py:function`.

        Raises:
            OptionError: there is none.
            FileError: the file cannot be read or run.
        """
        if is_place(name):
            return case_of(load(name), name)
        cases = self.cases()
        if name in cases:
            return cases[name]
        raise unknown("case", name, cases, "`sciml zoo` lists all")

    def family(self, name: str) -> ProblemFamily:
        """A family by its name.

        Raises:
            OptionError: there is none.
        """
        families = self.families()
        if name in families:
            return families[name]
        raise unknown("family", name, families, f"choose one of {', '.join(families)}")

    def solver_class(self, name: str) -> type[AbstractSolver]:
        """The class of a solver by its name, or `path/to/file.py:Class`.

        Raises:
            OptionError: there is none, or not in this version.
        """
        if is_place(name):
            own = load(name)
            if not (isinstance(own, type) and issubclass(own, AbstractSolver)):
                raise OptionError(f"{name} as a solver", "a class derived from AbstractSolver", "name the class")
            return own
        if name not in self.solvers:
            raise unknown("solver", name, self.solvers, f"choose one of {', '.join(self.solvers)}")
        found = self._class(name)
        if found is None:
            available = ", ".join(n for n in self.solvers if self._class(n) is not None)
            raise OptionError(f"solver {name!r}, which is not in this version", f"one of {available}", "choose another")
        return found

    def _class(self, name: str) -> type[AbstractSolver] | None:
        """The class of a known name; None where its package, or the class in it, does not exist yet."""
        module_name, _, class_name = self.solvers[name].partition(":")
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as missing:
            if missing.name is None or not f"{module_name}.".startswith(f"{missing.name}."):
                raise
            return None
        return getattr(module, class_name, None)

    def make_solver(self, name: str, options: Mapping[str, Any]) -> AbstractSolver:
        """A solver with some hyperparameters.

        Raises:
            OptionError: an unknown name, or a hyperparameter that it does not have.
        """
        solver_class = self.solver_class(name)
        known = inspect.signature(solver_class).parameters
        for option in options:
            if option not in known:
                raise unknown(f"hyperparameter of {name}", option, known, f"choose one of {', '.join(known)}")
        return solver_class(**options)


def unknown(what: str, name: str, known: Mapping[str, Any], todo: str) -> OptionError:
    """The error for a name that is not known, with the names that resemble it."""
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return OptionError(f"{what} {name!r}", f"perhaps {' or '.join(close)}" if close else "a known name", todo)


def is_place(name: str) -> bool:
    """Whether a name is `path/to/file.py:name`."""
    return name.rpartition(":")[0].endswith(".py")


def load(place: str) -> Any:
    """What `path/to/file.py:name` names; running that file is what the user asked for.

    Raises:
        FileError: no such file, one that fails, or one without that name.
    """
    text, _, name = place.rpartition(":")
    path = Path(text)
    if not path.is_file():
        raise FileError(f"{text}, which is not a file", "path/to/file.py:function", "check the path")
    module = _run(path)
    if not hasattr(module, name):
        known = ", ".join(n for n, v in vars(module).items() if inspect.isfunction(v) or inspect.isclass(v))
        raise FileError(f"no {name!r} in {text}", f"one of {known}" if known else "a function", "check the name")
    return getattr(module, name)


def _run(path: Path) -> ModuleType:
    name = f"sciml_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileError(f"{path}", "a Python file", "give it the ending .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    with _Refused(path):
        spec.loader.exec_module(module)
    return module


class _Refused:
    """Turns an exception raised in a user's file into a sentence that names the line."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, SciMLError) or not isinstance(error, Exception):
            return
        lines = [frame.lineno for frame in traceback.extract_tb(trace) if Path(frame.filename).name == self.path.name]
        at = f"{self.path}:{error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else '?'}"
        raise FileError(f"{type(error).__name__} in {at}: {error}", "a file that runs", "mend it") from error


def case_of(function: Any, place: str) -> Case:
    """A case made of a function that returns a problem.

    Raises:
        OptionError: it is no function, or returns something else.
    """
    if not callable(function):
        raise OptionError(
            f"{place} of type {type(function).__name__}", "a function that returns a Problem", "write one"
        )

    def build(**values: Any) -> Problem:
        with _Refused(Path(place.rpartition(":")[0])):
            problem = function(**values)
        if not isinstance(problem, Problem):
            raise OptionError(f"{type(problem).__name__} returned by {place}", "a Problem", "return the problem")
        return problem

    build.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    build.__doc__, build.__annotations__ = function.__doc__, inspect.get_annotations(function, eval_str=False)
    return Case(place, build, points=0, rule=_grid)


def _grid(box: Any, points: Any, *, fixed: Mapping[str, float]) -> AbstractGrid:
    if isinstance(box, Bodies):
        return particle_grid(box, INSTANTS, fixed=fixed)
    coordinates = len(box.coordinates)
    if coordinates in POINTS:
        return uniform_grid(box, POINTS[coordinates], fixed=fixed)
    return scattered_grid(box, SCATTERED, fixed=fixed)

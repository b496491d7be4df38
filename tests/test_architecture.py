"""The rules of docs/architecture.md that a parser can check, and proof that each check can fail."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("sciml", "pde_zoo", "solvers", "benchmarks")
COMPOSITION_ROOT = "sciml.cli"

FORBIDDEN_IMPORTS = {
    "sciml": {"pde_zoo", "solvers", "benchmarks", "tests"},
    "pde_zoo": {"solvers", "benchmarks", "tests"},
    "solvers": {"pde_zoo", "benchmarks", "tests"},
    "benchmarks": {"tests"},
}
FORBIDDEN_CALLS = {"breakpoint", "eval", "exec", "input", "print"}
FORBIDDEN_FORMATS = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
VAGUE_NAMES = {"common", "helpers", "misc", "util", "utils"}
EQUATION_NAMES = re.compile(
    r"allen.?cahn|black.?scholes|burgers|fokker.?planck|ginzburg|gray.?scott|klein.?gordon|korteweg|kuramoto|sine.?gordon",
    re.IGNORECASE,
)
MAX_MODULE_LINES = 450
MAX_FUNCTION_LINES = 70


@dataclass(frozen=True)
class Module:
    """A source file under its dotted name; a package has the name of its folder."""

    name: str
    source: str
    is_package: bool = False

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]


def modules() -> Iterator[Module]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            yield Module(".".join(parts[:-1] if is_package else parts), path.read_text("utf-8"), is_package)


def imported_names(module: Module) -> set[str]:
    """Dotted names that the module imports anywhere in its text, relative imports and import_module resolved."""
    names: set[str] = set()
    for node in ast.walk(module.tree):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(level=0):
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
            case ast.ImportFrom():
                parts = module.name.split(".")
                climbed = parts[: len(parts) - node.level + module.is_package]
                origin = ".".join([*climbed, *([node.module] if node.module else [])])
                names |= {f"{origin}.{alias.name}" for alias in node.names}
            case ast.Call(args=[ast.Constant(value=str(target)), *_]) if called_name(node) in {
                "__import__",
                "import_module",
            }:
                names.add(target)
    return names


def called_name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def docstring_nodes(tree: ast.Module) -> set[ast.AST]:
    """The constants of statements that are only a string."""
    return {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def wrong_direction(module: Module) -> list[str]:
    """pde_zoo -> sciml <- solvers; only the composition root sees the siblings."""
    forbidden = FORBIDDEN_IMPORTS[module.package]
    if module.name == COMPOSITION_ROOT:
        forbidden = {"tests"}
    return [f"imports {name}" for name in sorted(imported_names(module)) if name.partition(".")[0] in forbidden]


def crossed_solvers(module: Module) -> list[str]:
    """A solver subpackage imports no other: what two of them need belongs in sciml."""
    parts = module.name.split(".")
    if parts[0] != "solvers" or len(parts) == 1:
        return []
    own = f"solvers.{parts[1]}"
    return [
        f"imports {name}"
        for name in sorted(imported_names(module))
        if name.partition(".")[0] == "solvers" and name != own and not name.startswith(own + ".")
    ]


def unsafe_code(module: Module) -> list[str]:
    """No evaluated text, no pickled objects, no output behind the command line's back."""
    found = [f"imports {name}" for name in imported_names(module) if name.partition(".")[0] in FORBIDDEN_FORMATS]
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
                found.append(f"line {node.lineno} calls {name}")
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
                found.append(f"line {node.value.lineno} allows pickle")
    return found


def named_equations(module: Module) -> list[str]:
    """Neither the language nor a solver knows an equation by name, but in a docstring's example."""
    if module.package not in ("sciml", "solvers") or module.name == COMPOSITION_ROOT:
        return []
    tree = module.tree
    documentation = docstring_nodes(tree)
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=text) | ast.Attribute(attr=text) | ast.arg(arg=text) | ast.keyword(arg=str(text)):
                pass
            case ast.FunctionDef(name=text) | ast.ClassDef(name=text):
                pass
            case ast.Constant(value=str(text)) if node not in documentation:
                pass
            case _:
                continue
        if EQUATION_NAMES.search(text):
            found.append(f"names an equation: {text!r}")
    return found


def too_long(module: Module) -> list[str]:
    """A long module or function is two; a docstring does not count as length of a function."""
    lines = module.source.count("\n")
    found = [f"has {lines} lines, more than {MAX_MODULE_LINES}"] if lines > MAX_MODULE_LINES else []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            length = (node.end_lineno or node.lineno) - body[0].lineno + 1 if body else 0
            if length > MAX_FUNCTION_LINES:
                found.append(f"{node.name} has {length} lines, more than {MAX_FUNCTION_LINES}")
    return found


def vague_or_unfinished(module: Module) -> list[str]:
    """A module's name says its idea, and nothing is left for later."""
    found = [f"is named {module.name}"] if module.name.rpartition(".")[2] in VAGUE_NAMES else []
    return found + [f"says {word}" for word in re.findall(r"\b(?:TODO|FIXME|XXX)\b", module.source)]


def half_open_classes(module: Module) -> list[str]:
    """Every public class of a solver is abstract or final."""
    if module.package != "solvers":
        return []
    return [
        f"line {node.lineno}: class {node.name} is neither abstract nor @final"
        for node in module.tree.body
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and not (is_final(node) or is_abstract(node))
    ]


def is_final(node: ast.ClassDef) -> bool:
    return any(ast.unparse(decorator).rpartition(".")[2] == "final" for decorator in node.decorator_list)


def is_abstract(node: ast.ClassDef) -> bool:
    bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}
    declared = any(ast.unparse(keyword.value).endswith("ABCMeta") for keyword in node.keywords)
    return node.name.startswith("Abstract") or bool(bases & {"ABC", "Protocol"}) or declared


Rule = Callable[[Module], list[str]]
RULES: tuple[Rule, ...] = (
    wrong_direction,
    crossed_solvers,
    unsafe_code,
    named_equations,
    too_long,
    vague_or_unfinished,
    half_open_classes,
)


@pytest.mark.parametrize("rule", RULES)
def test_packages_keep_the_rule(rule: Rule) -> None:
    assert [f"{module.name}: {violation}" for module in modules() for violation in rule(module)] == []


def test_every_package_is_read() -> None:
    assert {module.package for module in modules()} == set(PACKAGES)


BROKEN: list[tuple[Rule, Module]] = [
    (wrong_direction, Module("sciml.solve", "import solvers.pinn")),
    (wrong_direction, Module("sciml.solve", "def f():\n    from pde_zoo import heat")),
    (wrong_direction, Module("sciml.expr.nodes", "from ...solvers import PINN")),
    (wrong_direction, Module("sciml.solve", "import importlib\nimportlib.import_module('solvers')")),
    (wrong_direction, Module("sciml.cli", "import tests.strategies")),
    (wrong_direction, Module("pde_zoo.heat", "from solvers.classical import Spectral")),
    (wrong_direction, Module("solvers.pinn.train", "from pde_zoo import heat")),
    (wrong_direction, Module("benchmarks.runner", "from tests import strategies")),
    (crossed_solvers, Module("solvers.pinn.train", "from solvers.gp import KroneckerGP")),
    (crossed_solvers, Module("solvers.pinn.train", "from ..gp import KroneckerGP")),
    (crossed_solvers, Module("solvers.pinn", "from .. import gp", True)),
    (crossed_solvers, Module("solvers.pinn.train", "import solvers")),
    (crossed_solvers, Module("solvers.pinn.train", "from solvers.pinn_extra import loss")),
    (unsafe_code, Module("sciml.io", "import pickle")),
    (unsafe_code, Module("sciml.io", "from pickle import loads")),
    (unsafe_code, Module("sciml.io", "value = eval(text)")),
    (unsafe_code, Module("sciml.io", "exec(text)")),
    (unsafe_code, Module("sciml.io", "print(1)")),
    (unsafe_code, Module("sciml.io", "numpy.load(path, allow_pickle=True)")),
    (named_equations, Module("solvers.gp.gram", "if name == 'Burgers':\n    pass")),
    (named_equations, Module("sciml.problem", "def allen_cahn(): ...")),
    (named_equations, Module("sciml.problem", "f(burgers=1)")),
    (too_long, Module("sciml.problem", "x = 1\n" * (MAX_MODULE_LINES + 1))),
    (too_long, Module("sciml.problem", "def f():\n" + "    x = 1\n" * (MAX_FUNCTION_LINES + 1))),
    (vague_or_unfinished, Module("solvers.gp.utils", "x = 1")),
    (vague_or_unfinished, Module("solvers.gp.gram", "x = 1  # TODO: y")),
    (half_open_classes, Module("solvers.gp.gram", "class Gram: ...")),
    (half_open_classes, Module("solvers.gp.gram", "@dataclass(frozen=True)\nclass Gram(AbstractSolver): ...")),
]

SOUND: list[tuple[Rule, Module]] = [
    (wrong_direction, Module("sciml.cli", "import benchmarks, pde_zoo, solvers")),
    (wrong_direction, Module("pde_zoo.heat", "from sciml import Field\nfrom .suites import case")),
    (wrong_direction, Module("sciml.expr", "from .solvers_of_trees import f", True)),
    (crossed_solvers, Module("solvers", "from .gp import KroneckerGP\nfrom .pinn import PINN", True)),
    (crossed_solvers, Module("solvers.pinn", "from .train import fit", True)),
    (crossed_solvers, Module("solvers.pinn.train", "from . import network\nfrom solvers.pinn.network import MLP")),
    (unsafe_code, Module("sciml.io", "numpy.load(path, allow_pickle=False)\ntree.eval(x)\nconsole.print(x)")),
    (named_equations, Module("solvers.gp.gram", '"""Burgers is one."""\ndef f():\n    "Allen-Cahn is another."')),
    (named_equations, Module("pde_zoo.burgers", "def burgers(): ...")),
    (too_long, Module("sciml.problem", 'def f():\n    """' + "\n" * (MAX_FUNCTION_LINES + 1) + '"""\n    return 1')),
    (half_open_classes, Module("solvers.gp.gram", "@typing.final\nclass Gram(AbstractSolver): ...")),
    (
        half_open_classes,
        Module("solvers.gp.gram", "class Kernel(abc.ABC): ...\nclass Law(Protocol[T]): ...\nclass _Own: ..."),
    ),
]


def label(value: object) -> str | None:
    return value.source.strip()[:40] if isinstance(value, Module) else getattr(value, "__name__", None)


@pytest.mark.parametrize(("rule", "module"), BROKEN, ids=label)
def test_rule_finds_a_violation(rule: Rule, module: Module) -> None:
    assert len(rule(module)) == 1


@pytest.mark.parametrize(("rule", "module"), SOUND, ids=label)
def test_rule_lets_sound_code_pass(rule: Rule, module: Module) -> None:
    assert rule(module) == []

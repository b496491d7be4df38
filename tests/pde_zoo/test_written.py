"""Every case can be shown, and written as text, LaTeX, words and JSON, and read back from them."""

from __future__ import annotations

import json

import pytest
from matplotlib.mathtext import MathTextParser

from pde_zoo.catalogue import CASES
from sciml import Problem, from_tokens, latex, parse, tokens
from sciml.problem_json import is_writable


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore::sciml.ProblemWarning")
def test_case_is_written_and_read_back(name: str) -> None:
    problem = CASES[name].problem()
    statements = [*problem.equations, *(c.equation for c in problem.conditions)]
    for statement in statements:
        assert parse(repr(statement), problem) == statement
        words = tokens(statement.residual)
        assert tokens(from_tokens(words, problem)) == words
        MathTextParser("path").parse(f"${latex(statement, environments=False)}$")
    assert "not classified" not in repr(problem)
    assert problem._repr_html_().count("$$") == 2 * len(problem.equations)
    written = problem if is_writable(problem.reference) else problem.replace(reference=None)
    back = Problem.from_json(json.loads(json.dumps(written.to_json(), allow_nan=False)))
    assert back.content == written.content
    assert type(back.reference) is type(written.reference)

"""A problem written to JSON and read back is the same problem, in every process; nothing else is read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml import (
    Box,
    Coefficient,
    ComputedReference,
    Cubic,
    ExactReference,
    Field,
    FileError,
    FunctionReference,
    Law,
    Parameter,
    ParseError,
    Problem,
    VectorField,
    at,
    coordinates,
    div,
    dot,
    exp,
    grad,
    integral,
    laplacian,
    pi,
    sin,
)
from sciml.storable import storable
from tests.strategies import damaged

t, x, y = coordinates("t x y")
u, p = Field("u", t, x, y), Field("p", t, x, y)
v = VectorField("v", 2, t, x, y)
box = Box({t: (0, 1), x: (0, 1), y: (-1, 1 / 3)}, regions={"inlet": (x, "lower")})
wave = Parameter("c", 1.25, positive=True)
rough = Coefficient(
    "a",
    x,
    y,
    values=np.random.default_rng(3).uniform(1, 2, (4, 5)),
    points=(np.linspace(0, 1, 4), np.linspace(-1, 1 / 3, 5)),
    interpolation=Cubic(),
)


@storable("test_power_law")
class PowerLaw(eqx.Module):
    """D(u) = scale |u|^exponent."""

    scale: jax.Array
    exponent: float = eqx.field(static=True)

    def __call__(self, value):
        return self.scale * jnp.abs(value) ** self.exponent


def heat() -> Problem:
    return Problem(
        u.dt == div(rough * grad(u)) + wave,
        box,
        [
            (u == sin(pi * x)).on(box.at(t=0)),
            (u == 0).on(box.boundary["inlet"]),
            (u == 0).on(box.upper(x)),
            (u.dy == 0).on(box.boundary(y)),
        ],
        name="heat",
    ).observe(u.dx, {"t": [0.5, 1], "x": [0.1, 0.2], "y": [0, 0.3]}, [1.0, 2.0], [0.1, 0.2])


def decay() -> Problem:
    (s,) = coordinates("t")
    f, rate = Field("f", s), Parameter("rate", 2.0)
    line = Box({s: (0, 1)})
    return Problem(f.dt == -rate * f, line, [(f == 1).on(line.at(t=0))], exact={f: exp(-rate * s)})


def flow() -> Problem:
    torus = Box({t: (0, 1), x: (0, 1), y: (0, 1)}, periodic=(x, y))
    return Problem(
        [v.dt + dot(grad(v), v) == -grad(p) + laplacian(v), div(v) == 0],
        torus,
        [(v == (sin(2 * pi * y), 0)).on(torus.at(t=0)), (integral(p, x, y) == 0).on(torus)],
        reference=ComputedReference("spectral", {"points": 64, "tolerance": 1e-9}, {"points": 32}),
    )


def unknowns() -> Problem:
    rod = Box({t: (0, 1), x: (0, 1), y: (0, 1)}, periodic=(x, y))
    guess = Parameter("k", init=0.3, positive=True, prior=(0.1, 1.0))
    return Problem(u.dt == guess * laplacian(u), rod, [(u == sin(2 * pi * x)).on(rod.at(t=0))]).observe(
        "u", [[0.5, 0.5, 0.5]], [0.1], 0.02
    )


def bound() -> Problem:
    rod = Box({t: (0, 1), x: (0, 1), y: (0, 1)}, periodic=(x, y))
    law = Law("D", u)
    start = (u == sin(2 * pi * x)).on(rod.at(t=0))
    return Problem(u.dt == div(law * grad(u)), rod, [start]).bind(law, PowerLaw(jnp.asarray(1.5), 0.5))


PROBLEMS = {make.__name__: make for make in (heat, decay, flow, unknowns, bound)}


def through_text(document):
    return json.loads(json.dumps(document, allow_nan=False))


@pytest.mark.parametrize("make", PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_read_back_has_the_same_content(make) -> None:
    problem = make()
    document = through_text(problem.to_json())
    back = Problem.from_json(document)
    assert back.content == problem.content
    assert back.structure == problem.structure
    assert back.to_json() == document
    assert repr(back) == repr(problem)
    assert [c.digest for c in back.conditions] == [c.digest for c in problem.conditions]
    assert {n: (q.value, q.init, q.positive, q.prior) for n, q in back.parameters.items()} == {
        n: (q.value, q.init, q.positive, q.prior) for n, q in problem.parameters.items()
    }


def test_new_numbers_are_written_not_those_of_the_leaves() -> None:
    problem = heat().replace(c=0.1)
    back = Problem.from_json(through_text(problem.to_json()))
    assert back.parameters["c"].value == 0.1
    assert back.content == problem.content != heat().content
    forgotten = problem.forget("c")
    assert Problem.from_json(forgotten.to_json()).content == forgotten.content


def test_truths_are_kept() -> None:
    at_points = {"t": np.linspace(0, 1, 5)}
    for problem in (decay(), decay().replace(rate=3.0), decay().forget("rate").observe("f", [[0.5]], [0.4], 0.1)):
        back = Problem.from_json(through_text(problem.to_json())).reference
        assert isinstance(back, ExactReference)
        assert isinstance(problem.reference, ExactReference)
        np.testing.assert_array_equal(back(at_points)["f"], problem.reference(at_points)["f"])
    assert Problem.from_json(flow().to_json()).reference == flow().reference


def test_laws_are_kept_by_their_arrays() -> None:
    back = Problem.from_json(through_text(bound().to_json())).bindings["D"]
    assert isinstance(back, PowerLaw)
    assert back.exponent == 0.5
    assert back(jnp.asarray(4.0)) == 3.0


def test_places_and_names_of_the_box_are_kept() -> None:
    back = Problem.from_json(through_text(heat().to_json())).box
    assert back.bounds == box.bounds
    assert back.boundary["inlet"].places == box.boundary["inlet"].places
    seam = Problem(
        u.dxx + u.dyy == 0,
        Box({t: (0, 1), x: (0, 1), y: (0, 1)}),
        [(at(u, x=0) == at(u, x=1)).on(box), (at(u.dx, x=0) == at(u.dx, x=1)).on(box), (u == 0).on(box.boundary(y))],
    )
    assert Problem.from_json(seam.to_json()).content == seam.content


def test_functions_are_refused_by_name() -> None:
    def hill(a_, b_):
        return jnp.exp(-(a_**2) - b_**2)

    torus = Box({t: (0, 1), x: (0, 1), y: (0, 1)}, periodic=(x, y))
    start = (u == 1).on(torus.at(t=0))
    source = Problem(u.dt == Coefficient("b", x, y, function=hill), torus, [start])
    with pytest.raises(FileError, match=r"coefficient 'b'.*hill"):
        source.to_json()
    law = Law("D", u)
    diffusion = Problem(u.dt == law * u.dxx, torus, [start]).bind(law, lambda value: value**2)
    with pytest.raises(FileError, match="bound to law 'D'"):
        diffusion.to_json()
    truth = Problem(u.dt == u.dxx, torus, [start], reference=FunctionReference(lambda points: {}, 0.0, "none"))
    with pytest.raises(FileError, match=r"FunctionReference.*reference=None"):
        truth.to_json()
    assert Problem.from_json(truth.replace(reference=None).to_json()).content == truth.content


def test_another_process_reads_the_same_content(tmp_path: Path) -> None:
    file = tmp_path / "problem.json"
    file.write_text(json.dumps(heat().to_json()))
    code = (
        "import json, sys; from sciml import Problem; "
        "sys.stdout.write(Problem.from_json(json.load(open(sys.argv[1]))).content.hex())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == heat().content.hex()


def test_newer_and_foreign_documents_are_refused() -> None:
    with pytest.raises(ParseError, match="newer"):
        Problem.from_json({**decay().to_json(), "version": 2})
    for foreign in (None, [], "problem", {}, {"format": "sciml expression", "version": 1}, {"format": "sciml problem"}):
        with pytest.raises(ParseError):
            Problem.from_json(foreign)


def test_unknown_classes_are_refused_with_advice() -> None:
    document = bound().to_json()
    document["bindings"]["D"]["$"] = "from_elsewhere"
    with pytest.raises(ParseError, match="no installed package"):
        Problem.from_json(document)


@given(st.sampled_from(["decay", "bound", "unknowns"]).flatmap(lambda name: damaged(PROBLEMS[name]().to_json())))
@settings(max_examples=150)
@pytest.mark.filterwarnings("ignore::sciml.ProblemWarning")
def test_damaged_documents_are_read_or_refused(document) -> None:
    try:
        problem = Problem.from_json(document)
    except ParseError:
        return
    assert isinstance(problem, Problem)

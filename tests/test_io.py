"""Solutions on disk: what was saved is loaded, and anything else is refused without executing it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import subprocess
import sys
from enum import Enum
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml import (
    RESULTS,
    AbstractRepresentation,
    Box,
    Estimate,
    Field,
    FileError,
    FunctionReference,
    Parameter,
    ParseError,
    Problem,
    Solution,
    Stats,
    coordinates,
    load,
    pi,
    sin,
)
from sciml.io import ARRAYS, DOCUMENT, FORMAT, VERSION, checksum
from sciml.storable import Reader, Writer, storable
from tests.strategies import damaged, expressions

t, x = coordinates("t x")
u = Field("u", t, x)


@storable("test_side")
class Side(Enum):
    """An option of a representation."""

    LEFT = 1
    RIGHT = 2


@storable("test_layer")
class Layer(eqx.Module):
    """One affine map."""

    weight: jax.Array
    bias: jax.Array


@storable("test_network")
class Network(AbstractRepresentation):
    """A small network with fields of every storable kind."""

    layers: tuple[Layer, ...]
    table: np.ndarray
    scales: dict[str, float]
    side: Side = eqx.field(static=True)
    names: frozenset[str] = eqx.field(static=True)
    bound: float = eqx.field(static=True)
    source: object = eqx.field(static=True)

    def __call__(self, points):
        z = jnp.stack([points["t"], points["x"]])
        for layer in self.layers:
            z = jnp.tanh(layer.weight @ z + layer.bias[:, None])
        return {"u": self.scales["u"] * z[0]}


def network() -> Network:
    keys = jax.random.split(jax.random.key(0), 2)
    layers = tuple(Layer(jax.random.normal(k, (2, 2)), jnp.arange(2.0)) for k in keys)
    table = np.arange(6, dtype=np.float32).reshape(2, 3)
    return Network(layers, table, {"u": 1 / 3}, Side.RIGHT, frozenset({"t", "x"}), float("inf"), sin(pi * x))


def problem(**parts) -> Problem:
    box = Box({t: (0, 1), x: (0, 1)})
    start, walls = (u == sin(pi * x)).on(box.at(t=0)), (u == 0).on(box.boundary(x))
    return Problem(u.dt == Parameter("nu", 0.1) * u.dxx, box, [start, walls], name="heat", **parts)


def solution(**parts) -> Solution:
    given_ = {
        "problem": problem(),
        "solver": "Method(width=2)",
        "representation": network(),
        "result": RESULTS.stagnated,
        "parameters": {"nu": Estimate(0.1, 0.02), "fixed": Estimate(2.0)},
        "stats": Stats(compile=1.5, iterations=3, extra={"own": 1e-9, "worst": float("nan")}),
        "history": {"step": np.arange(3), "loss": np.array([1.0, 0.1, np.inf])},
    }
    return Solution(**{**given_, **parts})


def test_a_loaded_solution_is_the_saved_one(tmp_path: Path) -> None:
    saved = solution(deviation=network())
    assert saved.save(tmp_path / "run") == tmp_path / "run"
    assert sorted(f.name for f in (tmp_path / "run").iterdir()) == [ARRAYS, DOCUMENT]
    back = load(tmp_path / "run")
    assert back.problem.content == saved.problem.content
    assert (back.solver, back.result, back.parameters) == (saved.solver, saved.result, saved.parameters)
    assert dataclasses.replace(back.stats, extra={}) == dataclasses.replace(saved.stats, extra={})
    assert back.stats.extra["own"] == 1e-9
    assert np.isnan(back.stats.extra["worst"])
    for name, values in saved.history.items():
        np.testing.assert_array_equal(back.history[name], values)
        assert back.history[name].dtype == values.dtype
    points = {"t": np.linspace(0, 1, 7), "x": np.linspace(0, 1, 7)}
    np.testing.assert_array_equal(back(**points), saved(**points))
    np.testing.assert_array_equal(back.std(**points), saved.std(**points))
    assert jax.tree.structure(back.representation) == jax.tree.structure(saved.representation)


def test_every_field_of_a_representation_comes_back(tmp_path: Path) -> None:
    back = load(solution().save(tmp_path)).representation
    assert isinstance(back, Network)
    assert isinstance(back.layers, tuple)
    assert isinstance(back.layers[0].weight, jax.Array)
    assert type(back.table) is np.ndarray
    assert back.table.dtype == np.float32
    assert back.side is Side.RIGHT
    assert back.names == frozenset({"t", "x"})
    assert back.bound == float("inf")
    assert back.source == sin(pi * x)
    assert back.scales == {"u": 1 / 3}


def test_saving_again_replaces_and_leaves_other_files(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"png")
    solution().save(tmp_path)
    solution(solver="Other()").save(tmp_path)
    assert load(tmp_path).solver == "Other()"
    assert sorted(f.name for f in tmp_path.iterdir()) == [ARRAYS, "picture.png", DOCUMENT]


def test_a_truth_that_is_a_function_is_left_out(tmp_path: Path) -> None:
    truth = FunctionReference(lambda points: {"u": points["x"]}, 1e-12, "a formula")
    back = load(solution(problem=problem(reference=truth)).save(tmp_path))
    assert back.problem.reference is None
    assert back.problem.content == problem().content


class Wild(AbstractRepresentation):
    """Not storable."""

    def __call__(self, points):
        return {"u": points["x"]}


@storable("test_holder")
class Holder(AbstractRepresentation):
    """Holds something that may not be storable."""

    inside: object

    def __call__(self, points):
        return {"u": points["x"]}


@pytest.mark.parametrize(
    ("representation", "message"),
    [
        (Wild(), r"the representation, which is of class .*Wild.*@storable"),
        (Holder(np.sin), r"the representation\.inside"),
        (Holder((1, {"f": lambda z: z})), r"the representation\.inside\[1\]\['f'\], which is the function .*lambda"),
        (Holder({1: 2}), r"keys that are not strings"),
        (Holder(jax.random.key(0)), "PRNG key"),
        (Holder(np.array(["a"])), "array of <U1"),
        (Holder({1, 2}), r"\.inside, which is of class set"),
    ],
    ids=lambda value: None if isinstance(value, str) else type(value).__name__,
)
def test_what_cannot_be_written_is_named_and_nothing_is_left(tmp_path: Path, representation, message: str) -> None:
    with pytest.raises(FileError, match=message):
        solution(representation=representation).save(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_unwritable_places_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(FileError, match="choose another path"):
        solution().save(tmp_path / "file")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    folder = solution().save(tmp_path_factory.mktemp("saved"))
    return (folder / DOCUMENT).read_bytes(), (folder / ARRAYS).read_bytes()


def refused(folder: Path, document: bytes, arrays: bytes) -> str:
    """The sentence with which `load` refuses two files."""
    folder.mkdir(exist_ok=True)
    (folder / DOCUMENT).write_bytes(document)
    (folder / ARRAYS).write_bytes(arrays)
    with pytest.raises(FileError) as caught:
        load(folder)
    assert caught.value.needed
    assert caught.value.todo
    return str(caught.value)


def test_missing_foreign_damaged_and_newer_files_are_refused(tmp_path: Path, saved) -> None:
    document, arrays = saved
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(FileError, match=f"no solution in {path}"):
            load(path)
    assert "damaged" in refused(tmp_path / "a", b"not json", arrays)
    assert "not a sciml solution" in refused(tmp_path / "a", b"{}", arrays)
    assert "not a sciml solution" in refused(tmp_path / "a", b"[1, 2]", arrays)
    assert "damaged" in refused(tmp_path / "a", b"\xff\xfe", arrays)
    assert "damaged" in refused(tmp_path / "a", b"[" * 100_000, arrays)
    newer = json.dumps({**json.loads(document), "version": 2}).encode()
    assert "newer sciml" in refused(tmp_path / "a", newer, arrays)
    assert f"{ARRAYS} with a wrong checksum" in refused(tmp_path / "a", document, arrays[:-10])
    assert f"{ARRAYS} with a wrong checksum" in refused(tmp_path / "a", document, b"")
    changed = document.replace(b"Method(width=2)", b"Method(width=3)")
    assert f"{DOCUMENT} with a wrong checksum" in refused(tmp_path / "a", changed, arrays)


def rechecked(body, arrays: bytes) -> bytes:
    """A document around a body whose checksums hold: what a forger would write."""
    return json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "solution": body,
            "solution_sha256": checksum(body),
            "arrays_sha256": hashlib.sha256(arrays).hexdigest(),
        }
    ).encode()


def test_pickles_in_arrays_are_not_executed(tmp_path: Path, saved) -> None:
    body = json.loads(saved[0])["solution"]
    mark = tmp_path / "mark"

    class Mark:
        def __reduce__(self):
            return (Path.touch, (mark,))

    np.savez(tmp_path / "evil.npz", a0=np.array([Mark()], dtype=object), allow_pickle=True)
    evil = (tmp_path / "evil.npz").read_bytes()
    assert "damaged" in refused(tmp_path / "a", rechecked(body, evil), evil)
    plain = pickle.dumps(Mark())
    assert "damaged" in refused(tmp_path / "a", rechecked(body, plain), plain)
    assert not mark.exists()


def test_unknown_classes_are_refused(tmp_path: Path, saved) -> None:
    body = json.loads(saved[0])["solution"]
    body["representation"]["$"] = "somebody_elses"
    message = refused(tmp_path / "a", rechecked(body, saved[1]), saved[1])
    assert "'somebody_elses'" in message
    assert "no installed package" in message


def test_a_fresh_process_loads_once_the_class_is_imported(tmp_path: Path) -> None:
    solution().save(tmp_path / "run")
    code = (
        "import sys; import sciml\n"
        "try:\n    sciml.load(sys.argv[1])\nexcept sciml.FileError as error:\n    sys.stdout.write(str(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run")], capture_output=True, text=True, check=True
    )
    assert "the class 'test_network'" in done.stdout


@given(st.data())
@settings(max_examples=150, deadline=None)
@pytest.mark.filterwarnings("ignore::sciml.ProblemWarning")
def test_forged_documents_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, saved, data) -> None:
    body = data.draw(damaged(json.loads(saved[0])["solution"]))
    folder = tmp_path_factory.getbasetemp() / "forged"
    folder.mkdir(exist_ok=True)
    (folder / DOCUMENT).write_bytes(rechecked(body, saved[1]))
    (folder / ARRAYS).write_bytes(saved[1])
    try:
        assert isinstance(load(folder), Solution)
    except FileError:
        return


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), expressions(1),
    st.sampled_from(list(Side)), st.frozensets(st.text(max_size=3), max_size=3),
)  # fmt: skip


def containers(inner):
    lists = st.lists(inner, max_size=3)
    return st.one_of(lists, lists.map(tuple), st.dictionaries(st.text(max_size=3), inner, max_size=3))


values = st.recursive(LEAVES, containers, max_leaves=8)


@given(values)
@settings(max_examples=200)
def test_plain_values_come_back_with_their_types(value) -> None:
    back = Reader().read(json.loads(json.dumps(Writer().write(value, "it"), allow_nan=False)))
    assert type(back) is type(value)
    assert back == value


@pytest.mark.parametrize(
    "array",
    [
        np.array(3.5), np.arange(4, dtype=np.int32), np.zeros((0, 2)), np.array([np.nan, -np.inf, -0.0]),
        np.array([[True], [False]]), np.array([1 + 2j]), np.arange(6.0).reshape(2, 3).T, np.arange(3, dtype=">f8"),
        jnp.arange(3.0), jnp.asarray(2, dtype=jnp.float32),
    ],
    ids=lambda a: f"{type(a).__name__} {a.dtype.str} {a.shape}",
)  # fmt: skip
def test_arrays_come_back_bit_by_bit(array) -> None:
    back = Reader().read(json.loads(json.dumps(Writer().write(array, "it"))))
    assert isinstance(back, jax.Array) == isinstance(array, jax.Array)
    assert back.shape == array.shape
    assert back.dtype == np.asarray(array).dtype.newbyteorder("=")
    assert np.asarray(back).tobytes() == np.asarray(array).astype(back.dtype).tobytes()


def test_arrays_of_objects_are_not_read() -> None:
    stored = {"$": "array", "library": "numpy", "dtype": "|O", "shape": [1], "base64": "AAAAAAAAAAA="}
    with pytest.raises(ParseError, match="numbers"):
        Reader().read(stored)


def test_names_of_classes_are_taken_once() -> None:
    with pytest.raises(FileError, match="two classes"):
        storable("test_side")(Layer)
    with pytest.raises(FileError, match="a dataclass"):
        storable("test_plain")(type("Plain", (), {}))
    assert storable("test_side")(Side) is Side  # a module that is loaded again may repeat itself

"""Families of problems: everything comes from one tree, and the data are what an independent integrator gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner
from scipy.integrate import solve_ivp

from pde_zoo.families import FAMILIES
from pde_zoo.families.ode import THREE_DIMENSIONAL
from sciml import OptionError, ParseError, Problem, SolveError, UnsupportedProblemError, solve
from sciml.cli import main
from sciml.distributions import Around, GaussianField, Uniform, UniformStates, Waves, rounded
from sciml.expr.tokens import from_tokens, number_words, tokens
from sciml.family import SEPARATOR, Split
from sciml.rates import Rates, no_rates
from sciml.trajectories import Trajectories
from solvers.classical import Spectral
from solvers.pinn import PINN


def lorenz(t, u, sigma, rho, beta):
    return [sigma * (u[1] - u[0]), u[0] * (rho - u[2]) - u[1], u[0] * u[1] - beta * u[2]]


def chen_lee(t, u, a, d):
    return [a * u[0] - u[1] * u[2], -10 * u[1] + u[0] * u[2], d * u[2] + u[0] * u[1] / 3]


BY_HAND = {"lorenz": lorenz, "chen_lee": chen_lee}


@pytest.mark.parametrize("name", BY_HAND)
def test_rates_are_those_written_by_hand(name: str) -> None:
    family = FAMILIES[name]
    numbers, start = family.sample(jax.random.key(1), 7)
    made = family.rates(0.0, start.T, numbers)
    np.testing.assert_allclose(made, jnp.stack(BY_HAND[name](0.0, start.T, **numbers)), rtol=1e-13)


@pytest.mark.parametrize("name", BY_HAND)
def test_trajectories_are_those_of_an_independent_integrator(name: str) -> None:
    made = FAMILIES[name].trajectories(jax.random.key(2), 4)
    for k in range(4):
        numbers = {n: v[k] for n, v in made.parameters.items()}
        other = solve_ivp(
            lambda t, u, p=numbers: BY_HAND[name](t, u, **p), (0, 6), made.states[k, 0], "DOP853", made.times,
            rtol=1e-11, atol=1e-11,
        )  # fmt: skip
        assert np.linalg.norm(other.y.T - made.states[k]) < 1e-5 * np.linalg.norm(other.y)


def test_halving_the_step_changes_nothing_that_counts() -> None:
    for family in (FAMILIES["double_pendulum"], FAMILIES["rabinovich_fabrikant"], FAMILIES["roessler"]):
        made = family.trajectories(jax.random.key(0), 16)
        numbers = {n: jnp.asarray(v) for n, v in made.parameters.items()}
        finer = np.asarray(family.integrate(numbers, made.states[:, 0], 2 * family.substeps))
        error = np.linalg.norm(finer - made.states, axis=(1, 2)) / np.linalg.norm(finer, axis=(1, 2))
        assert error.max() < 1e-5


def test_a_field_on_a_circle_is_that_of_another_solver() -> None:
    family = replace(FAMILIES["logistic_reaction_1d"], samples=5, points=64)
    numbers, start = family.sample(jax.random.key(3), 1)
    states = np.asarray(family.integrate(numbers, start))
    problem = family.problem({n: float(v[0]) for n, v in numbers.items()}, start[0])
    solution = solve(problem, Spectral(resolution=64))
    t, x = np.meshgrid(family.times, family.nodes, indexing="ij")
    # the initial data pass through a cubic interpolant
    np.testing.assert_allclose(solution(t=t, x=x), states[0, :, 0], atol=2e-3)


def test_a_linear_equation_on_a_circle_has_its_exact_solution() -> None:
    family = replace(FAMILIES["wave_1d"], samples=9, points=32, substeps=16)
    x = family.nodes
    start = jnp.asarray(np.sin(2 * np.pi * x)[None, None])
    states = np.asarray(family.integrate({"b": jnp.array([0.5])}, start))
    exact = np.cos(np.pi * family.times)[:, None] * np.sin(2 * np.pi * x)
    np.testing.assert_allclose(states[0, :, 0], exact, atol=1e-6)


def test_a_drawn_problem_has_its_numbers_in_place() -> None:
    family = FAMILIES["thomas"]
    made = family.trajectories(jax.random.key(4), 1)
    problem = family.problem({n: v[0] for n, v in made.parameters.items()}, made.states[0, 0])
    assert isinstance(problem, Problem)
    assert problem.unknown_parameters == ()
    assert PINN().check(problem) == []
    rates = Rates.of(problem)
    np.testing.assert_allclose(rates(0.0, made.states[0].T, {}), family.rates(0.0, made.states[0].T, made.parameters))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda f: f.name)
def test_words_say_the_equations(family) -> None:
    words = family.words()
    parts = " ".join(words).split(f" {SEPARATOR} ")
    assert len(parts) == len(family.right_hand_sides)
    symbols = [*family.template.symbols, *family.rates.unknowns]
    for part, side in zip(parts, family.right_hand_sides, strict=True):
        again = from_tokens(part, symbols)
        assert tokens(again) == part.split() == tokens(side)
    centre = family.words(family.centre)
    assert not set(family.parameters) & set(centre)
    first = float(next(iter(family.centre.values())))
    assert " ".join(number_words(first)) in " ".join(centre)


def test_numbers_are_decimals_of_three_digits() -> None:
    numbers, _ = FAMILIES["aizawa"].sample(jax.random.key(0), 200)
    for value in np.concatenate([np.asarray(v) for v in numbers.values()]):
        assert value == float(f"{value:.2e}")
    x = np.array([0.0, -9.996e-4, 9.994, 123456.0, 1e-9])
    np.testing.assert_array_equal(rounded(jnp.asarray(x)), [float(f"{v:.2e}") for v in x])


def test_splits_share_no_number() -> None:
    family = FAMILIES["halvorsen"]
    drawn = {s: np.asarray(family.sample(jax.random.key(0), 300, s)[0]["a"]) for s in Split if s is not Split.ALL}
    sets = [set(v.tolist()) for v in drawn.values()]
    assert all(len(v) == 300 for v in drawn.values())
    assert sets[0] & sets[1] == sets[0] & sets[2] == sets[1] & sets[2] == set()


def test_escaping_trajectories_are_replaced_and_counted() -> None:
    made = FAMILIES["sprott_linz_f"].trajectories(jax.random.key(0), 50)
    assert made.states.shape == (50, 192, 3)
    assert np.abs(made.states).max() < 1e3
    assert made.rejected > 10
    with pytest.raises(SolveError, match="0 bounded trajectories of 2"):
        replace(FAMILIES["lorenz"], limit=1e-3, samples=4).trajectories(jax.random.key(0), 2)


def test_the_same_key_gives_the_same_data() -> None:
    a, b = (FAMILIES["thomas"].trajectories(jax.random.key(9), 3) for _ in range(2))
    np.testing.assert_array_equal(a.states, b.states)


def test_noise_has_the_level_that_was_asked() -> None:
    made = FAMILIES["thomas"].trajectories(jax.random.key(0), 4)
    noise = made.noisy(jax.random.key(1), 0.02) - made.states
    ratio = np.linalg.norm(noise, axis=(1, 2)) / np.linalg.norm(made.states, axis=(1, 2))
    np.testing.assert_allclose(ratio, 0.02, rtol=1e-10)


def test_files_give_back_what_was_written(tmp_path: Path) -> None:
    made = replace(FAMILIES["heat_1d"], samples=4, points=16).trajectories(jax.random.key(0), 3)
    back = Trajectories.load(made.save(tmp_path / "heat.npz"))
    np.testing.assert_array_equal(back.states, made.states)
    np.testing.assert_array_equal(back.nodes, made.nodes)
    assert (back.family, back.rejected, list(back.parameters)) == ("heat_1d", 0, ["c"])
    (tmp_path / "broken.npz").write_bytes(b"nothing")
    with pytest.raises(ParseError):
        Trajectories.load(tmp_path / "broken.npz")


def test_initial_data_are_periodic_and_in_range() -> None:
    angles = 2 * jnp.pi * jnp.arange(64) / 64
    waves = Waves(4).sample(jax.random.key(0), 50, 1, angles)
    assert (waves.min(), waves.max()) == (0.0, 1.0)
    assert np.abs(np.fft.rfft(waves, axis=-1)[..., 5:]).max() < 1e-12
    field = GaussianField(0.1, deviation=2.0).sample(jax.random.key(0), 4000, 1, angles)
    assert abs(float(field.std()) - 2) < 0.05


def test_wrong_families_are_refused() -> None:
    template = FAMILIES["lorenz"].template
    with pytest.raises(OptionError, match="one for each unknown parameter: beta, rho, sigma"):
        replace(FAMILIES["lorenz"], parameters={"sigma": Around(10)})
    with pytest.raises(OptionError, match="a centre that is not 0"):
        Around(0.0)
    with pytest.raises(OptionError, match="low < high"):
        Uniform(1, 1)
    with pytest.raises(OptionError, match="use UniformStates"):
        Waves().sample(jax.random.key(0), 1, 1, None)
    assert no_rates(template) == []
    with pytest.raises(UnsupportedProblemError):
        Rates.of(_walls())


def _walls() -> Problem:
    from pde_zoo import burgers

    return burgers()


def test_rates_of_second_order_in_time_name_velocities() -> None:
    rates = FAMILIES["klein_gordon_1d"].rates
    assert [repr(u) for u in rates.unknowns] == ["u", "u_rate"]


def test_uniform_states_stay_in_their_box() -> None:
    states = UniformStates(-1, 3).sample(jax.random.key(0), 1000, 2, None)
    assert states.shape == (1000, 2)
    assert -1 <= float(states.min()) < -0.9 < 2.9 < float(states.max()) <= 3


def test_the_command_shows_a_family(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["family", "thomas", "--plot", str(tmp_path / "t.png")])
    assert shown.exit_code == 0, shown.output
    for word in (
        "D(u_0, t) == sin(u_1) - b*u_0",
        "0.17 ± 10%",
        "sub sin u_1 mul b u_0 |",
        "8 trajectories at 192 times",
    ):
        assert word in shown.output
    assert (tmp_path / "t.png").stat().st_size > 1000
    listed = CliRunner().invoke(main, ["family"])
    assert all(f.name in listed.output for f in THREE_DIMENSIONAL)
    wrong = CliRunner().invoke(main, ["family", "lorentz"])
    assert wrong.exit_code == 2
    assert "perhaps lorenz" in wrong.output

"""Every seed that the command line promises works, in each place where a library draws from it."""

from __future__ import annotations

import ast
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import search_spaces
from results.design import Design
from search_spaces.likely import with_likely
from trainable.seeds import LIBRARY_SEEDS, SEEDS
from tuner import confirm
from tuner.campaign.trial_end import TrialEnd
from tuner.campaign.trials import Ledger
from tuner.cli import options
from tuner.confirm import ROOM, ROUND_SEEDS, Confirmation, first_fresh_seed
from tuner.proposals import replay_plan
from tuner.proposals.optuna_samplers import tpe
from tuner.proposals.replay_plan import Replay
from tuner.proposals.sampler import LIKELY_TRIALS, Sampler
from tuner.proposals.warm_start import Point, Prior

ROOT = Path(__file__).parents[2]
ANY_SEED = st.one_of(
    st.integers(0, SEEDS - 1),
    st.sampled_from([0, 2**31 - 1, 2**32 - 9, 2**32 - 8, 2**32 - 1, 2**32, 2**53 + 1, SEEDS - 2, SEEDS - 1]),
)


def first_points(space, base_values, seed: int, earlier: int, prior: Prior | None) -> list[dict]:
    past = [TrialEnd(dict(base_values), "completed", 1.0)] * earlier
    sampler = Sampler(space, base_values, seed, earlier=past, prior=prior)
    found = []
    for number in range(3):
        suggestion = sampler.ask()
        found.append(suggestion.values)
        sampler.tell(suggestion.number, "completed", float(number))
    return found


@settings(max_examples=25, deadline=None)
@given(seed=ANY_SEED)
@pytest.mark.parametrize("earlier", [0, 3])
@pytest.mark.parametrize("warm", [False, True])
def test_a_sampler_takes_every_seed(toy_space, toy_base, seed, earlier, warm) -> None:
    space = with_likely(toy_space, ["optimizer.matrix_lr=0.02..0.1"])
    base_values = space.values_of(toy_base)
    prior = Prior((Point("recorded", "H1", base_values, 1.0, 1.1),)) if warm else None
    assert len(first_points(space, base_values, seed, earlier, prior)) == 3


def test_a_sampler_is_resumed_after_ten_thousand_trials(toy_space, toy_base, monkeypatch) -> None:
    values = toy_space.values_of(toy_base)
    monkeypatch.setattr(Sampler, "add", lambda self, *ends: None)  # what is told is not asked here
    past = [TrialEnd(dict(values), "completed", 1.0)] * 10_000
    for seed in (1337, 2**32, SEEDS - 1):
        assert Sampler(toy_space, values, seed, earlier=past).ask().values


def test_optuna_numpy_and_python_take_the_largest_seed_that_is_derived() -> None:
    largest = LIBRARY_SEEDS - 1
    optuna.create_study(sampler=tpe(largest)).ask().suggest_float("x", 0, 1)
    assert np.random.RandomState(largest).random_sample() < 1
    assert random.Random(largest).random() < 1


def test_two_seeds_that_differ_beyond_32_bits_are_two_searches(toy_space, toy_base) -> None:
    values = toy_space.values_of(toy_base)
    one, other = (first_points(toy_space, values, seed, 0, None)[1:] for seed in (5, 5 + 2**32))
    assert one[0] != other[0] and one[1] != other[1]


@given(ANY_SEED)
def test_confirmations_of_a_campaign_of_any_seed_have_fresh_seeds(seed) -> None:
    first = first_fresh_seed(seed, [])
    assert 0 <= first <= SEEDS - ROOM and not first <= seed < first + ROOM
    assert first == seed + 1 or seed >= SEEDS - ROOM


def test_confirmations_near_the_largest_seed_train_on_valid_and_distinct_seeds(make_bench, play) -> None:
    bench = make_bench("top")
    base = replace(bench.base, seed=SEEDS - 2)
    first = first_fresh_seed(base.seed, [])
    ledger = Ledger(bench.store(), bench.space, base, "data", "made-up-version")
    for start in (first, None):  # None: a campaign that an earlier version began
        stages = Confirmation(ledger, Design(3, 3, 9), first_seed=start)
        seeds = [stages._seed(number, index) for number in range(3) for index in range(ROUND_SEEDS)]
        assert len(set(seeds)) == len(seeds) and base.seed not in seeds
        assert all(replace(base, seed=s).seed == s for s in seeds)


def test_fresh_seeds_above_all_that_can_be_are_drawn_anew_from_all_that_were_seen() -> None:
    places = {confirm.place_in(SEEDS - ROOM, "fresh seeds", seen) for seen in ([5, SEEDS - 1], [6, SEEDS - 1])}
    assert len(places) == 2


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_replay_says_at_once_which_seed_leaves_room_for_its_seeds(seeds) -> None:
    space = search_spaces.load("parameter_golf")
    chosen = replay_plan.choose(space, Replay(("H1",), "as_run", seeds))
    most = SEEDS - seeds
    planned = replay_plan.plan(space, "proxy", "as_run", chosen, {"seed": most})
    assert [p.config.seed for p in planned] == list(range(most, SEEDS))
    if seeds > 1:
        with pytest.raises(ValueError, match=f"--seed {most + 1} must be at most {most}: H1 takes {seeds} seeds"):
            replay_plan.plan(space, "proxy", "as_run", chosen, {"seed": most + 1})


@pytest.mark.parametrize("seed", [0, LIKELY_TRIALS, SEEDS - 1])
def test_the_command_line_takes_the_seeds_that_it_promises(seed) -> None:
    assert options.parse(["--space", "parameter_golf", "--seed", str(seed)]).spec.seed == seed


# --- one function makes seeds ----------------------------------------------------------------------------------------

MAKERS = {"manual_seed", "default_rng", "Random", "RandomState", "TPESampler", "RandomSampler", "GPSampler", "tpe"}
MAKERS |= {"CmaEsSampler", "likely_point", "random_sampler"}
OF_ITS_OWN = {  # where another argument is right, and why
    "trainable/data/epochs.py": "numpy's Generator takes any whole number; recorded replays keep their order of texts",
    "trainable/seeds.py": "it is the function",
    "trainable/data/hacker_news.py": "the contest's own seed, by which its titles are shuffled",
    "trainable/data/smollm_mixture.py": "the campaign's own seed, by which its texts are shuffled",
    "trainable/evaluation/core_prompts.py": "the published seeds of CORE's questions and examples",
    "results/fidelity.py": "numpy's Generator; a constant is the default, and no campaign's seed is known there",
}


def seeded(file: Path) -> list[tuple[int, ast.expr]]:
    """The line and seed of each call that seeds a generator, but in a function that is itself one of the makers."""
    found = []
    nodes: list[ast.AST] = [ast.parse(file.read_text())]
    while nodes:
        node = nodes.pop()
        if not (isinstance(node, ast.FunctionDef) and node.name in MAKERS):
            nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given_seed = [k.value for k in node.keywords if k.arg == "seed"] + node.args[-1:]
            if name in MAKERS and given_seed:
                found.append((node.lineno, given_seed[0]))
    return found


def is_derived(seed: ast.expr) -> bool:
    """Whether it is a constant, or made by one of the functions of trainable/seeds.py."""
    if isinstance(seed, ast.Constant):
        return True
    names = {n.func.id for n in ast.walk(seed) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    return bool(names & {"derived", "for_torch"})


@pytest.mark.parametrize("package", ["tuner", "trainable", "search_spaces", "results"])
def test_every_generator_is_seeded_by_the_function_that_derives_seeds(package) -> None:
    wrong = []
    for file in sorted((ROOT / package).rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        if name in OF_ITS_OWN:
            continue
        wrong += [f"{name}:{line}: {ast.unparse(seed)}" for line, seed in seeded(file) if not is_derived(seed)]
    assert not wrong


def test_the_check_sees_a_seed_that_was_added_up(tmp_path) -> None:
    (tmp_path / "x.py").write_text("tpe(seed + 1)\ntpe(seed=derived(seed, 'x'))\ntorch.manual_seed(0)\n")
    assert sorted((line, is_derived(seed)) for line, seed in seeded(tmp_path / "x.py")) == [
        (1, False), (2, True), (3, True),
    ]  # fmt: skip

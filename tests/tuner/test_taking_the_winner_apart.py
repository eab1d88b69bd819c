from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from results.design import Design
from search_spaces.domains import Integer, LogUniform
from search_spaces.space import Knob
from tests.tuner.conftest import Bench
from tests.tuner.ledger_without_ray import RATE, Book, best_at
from trainable.config import TrainConfig
from trainable.schedules import Constant
from tuner.cli.live_display import refused_line

ONE = Design(1, 3, 5)
CHANGES = {"schedule": "Constant", "matrix_lr": 0.1, "encoder_layers": 2}
PATHS = ("schedule", "optimizer.matrix_lr", "model.encoder_layers")
DEPTH, ENCODER = "model.num_layers", "model.encoder_layers"


@pytest.fixture
def book(bench) -> Book:
    return Book(bench)


@pytest.fixture
def deep(make_bench) -> Book:
    """The same without the schedule, and with a depth that the layers of the encoder must fit into."""
    bench: Bench = make_bench("deep")
    knobs = (
        Knob(RATE, LogUniform(0.01, 0.3), "a rate"),
        Knob(DEPTH, Integer(1, 9), "layers"),
        Knob(ENCODER, Integer(0, 9), "at most as many"),
    )
    return Book(Bench(bench.folder, replace(bench.space, knobs=knobs), bench.base))


def won(book: Book, **changes) -> TrainConfig:
    """The config of the only candidate, which is the winner."""
    book.searched(9.0)
    config = book.searched(1.0, **changes).config
    assert isinstance(config, TrainConfig)
    return config


def undone(entries) -> Counter:
    return Counter(tuple(json.loads(e.row["undone"])["undone"]) for e in entries if e.stage == "ablate")


def test_a_winner_is_taken_apart_only_where_that_is_asked_for(book) -> None:
    config = won(book, **CHANGES)
    stages = book.stages(ONE)
    book.train(stages, best_at(0.1))
    assert stages.over and not stages.ablated and not stages.minimal
    assert stages.found() == config and (stages.num_changes, stages.num_parts) == (3, 3)
    assert not book.stages(ONE, ablate=True).over


def test_each_change_is_undone_on_the_first_seeds_of_the_round_and_what_is_left_on_the_thirty_after_them(book) -> None:
    config = won(book, **CHANGES)
    stages = book.stages(ONE, ablate=True)
    entries = [entry for entry in book.train(stages, best_at(0.1)) if entry.stage == "ablate"]
    seed, left = book.bench.base.seed, ("schedule", "model.encoder_layers")
    assert undone(entries) == {**{(path,): 3 for path in PATHS}, PATHS: 3, (): 3, left: 3}
    seeds = {group: set[int]() for group in undone(entries)}
    for entry in entries:
        seeds[tuple(json.loads(entry.row["undone"])["undone"])].add(entry.row["seed"])
        assert json.loads(entry.row["undone"])["changes"] == list(PATHS) and entry.row["round"] == 0
    assert all(seeds[path,] == {seed + 1, seed + 2, seed + 3} for path in PATHS)
    assert all(seeds[group] == {seed + 31, seed + 32, seed + 33} for group in (PATHS, (), left))
    assert stages.over and stages.ablated and stages.minimal and (stages.num_changes, stages.num_parts) == (3, 3)
    assert stages.found() == replace(config, schedule=book.bench.base.schedule, model=book.bench.base.model)
    labels = Counter(entry.label.split(" on seed ")[0] for entry in entries)
    assert labels == {"the winner with changes undone": 12, "the base": 3, "trial 1": 3}


def test_changes_are_undone_on_the_first_seeds_also_where_it_took_more_to_find_the_winner(book) -> None:
    won(book, **CHANGES)
    seed = book.bench.base.seed

    def uneven(config: TrainConfig) -> float:
        whole = config.optimizer.matrix_lr == 0.1 and config.model.encoder_layers == 2
        return {1: 0.02, 2: -0.02}.get(config.seed - seed, 0.0) if whole else 0.0

    stages = book.stages(ONE, ablate=True)
    confirmed = book.train(stages, best_at(0.1, but=uneven), most=8)
    assert {entry.row["seed"] for entry in confirmed} == {seed + n for n in (1, 2, 3, 4)}
    wanted = stages.wanted()
    assert {training.columns["stage"] for training in wanted} == {"ablate"} and len(wanted) == 9
    assert {training.config.seed for training in wanted} == {seed + n for n in (1, 2, 3)}


def test_runs_of_an_ablation_that_have_ended_are_not_wanted_again(book) -> None:
    won(book, **CHANGES)
    first = book.train(book.stages(ONE, ablate=True), best_at(0.1), most=6 + 4)
    stages = book.stages(ONE, ablate=True)
    assert len(stages.wanted()) == 5 and not stages.ablated
    second = book.train(stages, best_at(0.1), most=5 + 4)
    assert len(book.stages(ONE, ablate=True).wanted()) == 5
    third = book.train(book.stages(ONE, ablate=True), best_at(0.1))
    keys = [entry.key for entry in (*first, *second, *third)]
    assert len(keys) == len(set(keys)) == 6 + 9 + 9


def test_the_winner_stays_whole_where_what_is_left_of_it_does_not_stand(book) -> None:
    """Two changes that do no harm when either is undone, and all of it when both are."""

    def both(config: TrainConfig) -> float:
        gone = config.schedule != Constant() and config.model.encoder_layers == 1
        return 5.0 if gone and config.optimizer.matrix_lr == 0.1 else 0.0

    config = won(book, **CHANGES)
    stages = book.stages(ONE, ablate=True)
    book.train(stages, best_at(0.1, but=both))
    assert stages.over and stages.ablated and not stages.minimal and stages.found() == config


def test_a_winner_whose_every_change_matters_is_not_trained_again_as_a_whole(book) -> None:
    def each(config: TrainConfig) -> float:
        return 0.5 * (config.schedule != Constant()) + 0.5 * (config.model.encoder_layers == 1)

    config = won(book, **CHANGES)
    stages = book.stages(ONE, ablate=True)
    entries = book.train(stages, best_at(0.1, but=each))
    assert undone(entries) == {(path,): 3 for path in PATHS}
    assert stages.over and stages.ablated and not stages.minimal and stages.found() == config


def test_a_change_that_cannot_be_undone_alone_is_written_down_once_and_the_others_go_on(deep) -> None:
    won(deep, num_layers=5, encoder_layers=5, matrix_lr=0.1)
    stages = deep.stages(ONE, ablate=True)
    lines: list[str] = []
    deep.ledger.refused.append(lambda entry: lines.append(refused_line(entry, 5.0)))
    deep.train(stages, best_at(0.1), most=6)
    wanted = stages.wanted()
    assert len(lines) == 1 and lines[0].startswith(
        f"[0:05] ablate: trial 1 without {DEPTH} infeasible before training: "
    )
    assert stages.num_wanted == len(wanted) == len({training.config for training in wanted}) == 6
    refused = [entry for entry in deep.ledger.entries.values() if entry.status == "infeasible"]
    assert [json.loads(entry.row["undone"])["undone"] for entry in refused] == [[DEPTH]]
    (row,) = (entry.row for entry in refused)
    assert (row["stage"], row["round"], row["design"], row["seed"]) == ("ablate", 0, "1x3..5 own", None)
    assert "encoder_layers" in row["reason"]
    entries = deep.train(stages, best_at(0.1))
    assert undone(entries) == {(RATE,): 3, (ENCODER,): 6, (RATE, DEPTH, ENCODER): 3, (): 3}
    assert stages.over and stages.ablated and stages._won()[2].decision.kept == (RATE, DEPTH)
    assert stages.found().model.num_layers == 5 and stages.found().model.encoder_layers == 1


def test_no_ablation_begins_while_a_later_round_is_under_way(book) -> None:
    won(book, **CHANGES)
    book.train(book.stages(ONE), best_at(0.1))
    book.searched(0.5, matrix_lr=0.2)
    stages = book.stages(ONE, ablate=True)
    assert stages.round.number == 1 and {training.columns["stage"] for training in stages.wanted()} == {"confirm"}
    entries = book.train(stages, best_at(0.1))
    assert undone(entries) and {e.row["round"] for e in entries if e.stage == "ablate"} == {1}
    assert stages.over and stages.minimal


def test_without_a_winner_nothing_is_taken_apart(book) -> None:
    won(book, **CHANGES)
    stages = book.stages(ONE, ablate=True)
    entries = book.train(stages, best_at(0.1, but=lambda config: 3.0 * (config.optimizer.matrix_lr == 0.1)))
    assert not undone(entries) and stages.over and stages.found() is None
    assert not (stages.ablated or stages.minimal or stages.num_changes or stages.num_parts)


def test_changes_that_go_with_another_are_counted_but_are_no_parts(book) -> None:
    won(book, schedule="Tidal", warmup_frac=0.3, matrix_lr=0.1)
    stages = book.stages(ONE)
    book.train(stages, best_at(0.1))
    assert (stages.num_changes, stages.num_parts) == (3, 2)

"""A run that cannot give what is searched for is refused before it begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

import search_spaces
from search_spaces import objectives, recorded
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from trainable.data.characters import CharacterCounter

ARTIFACT = {"artifact": "Artifact"}
TARGET = {"target.loss": 6.7}


@pytest.mark.parametrize(
    ("objective", "changes", "message"),
    [
        ("val_bpb_quantised", {}, "val_bpb_quantised needs an artifact: --set artifact=Artifact"),
        ("val_loss_quantised", {}, "val_loss_quantised needs an artifact"),
        ("val_mainrun_loss", {}, "needs evaluation.mainrun_rows, which is null"),
        ("time_to_target", {}, "needs a target: --set target.loss=NUMBER"),
        (
            "time_to_target",
            TARGET,
            "needs a budget in seconds alone.*: --set budget.seconds=NUMBER and null the",
        ),
        ("time_to_target", TARGET | {"budget.seconds": 9.0}, "a budget in seconds alone.*: null the other limits"),
        ("train_minutes", {"budget.seconds": 9.0, "budget.steps": None}, "needs a budget in another unit"),
        ("core_error", {}, "core_error needs the questions of CORE: --set evaluation.core=Core"),
    ],
)
def test_an_objective_that_a_config_cannot_give_says_what_to_set(
    tiny: TrainConfig, objective, changes, message
) -> None:
    with pytest.raises(ValueError, match=f"the objective .*{message}"):
        objectives.check(objective, with_values(tiny, changes))


@pytest.mark.parametrize(
    ("objective", "changes"),
    [
        ("val_bpb", {}),
        ("val_bpb_quantised", ARTIFACT),
        ("val_loss_quantised", ARTIFACT),
        ("val_mainrun_loss", {"evaluation.mainrun_rows": 2}),
        ("time_to_target", TARGET | {"budget.seconds": 9.0, "budget.steps": None}),
        ("train_minutes", {"budget.seconds": 9.0}),
        ("core_error", {"evaluation.core": "Core"}),
    ],
)
def test_what_the_message_says_is_enough(tiny: TrainConfig, objective, changes) -> None:
    objectives.check(objective, with_values(tiny, changes))


@pytest.mark.parametrize("objective", objectives.BY_CHARACTER)
def test_shards_have_no_characters_which_shows_once_the_data_are_there(tiny: TrainConfig, dataset, objective) -> None:
    config = with_values(tiny, {"evaluation.mainrun_rows": 2, "data.source": "my/shards"})
    objectives.check(objective, config)
    with pytest.raises(ValueError, match=f"the objective {objective} needs a source of text, and 'my/shards'"):
        objectives.check(objective, config, dataset)
    letters = CharacterCounter(dataset.bytes_of.base_bytes)
    objectives.check(objective, config, replace(dataset, characters=letters))


def test_every_objective_is_a_number_of_the_report(tiny: TrainConfig, run_to_end) -> None:
    report = run_to_end(tiny).last
    assert all(hasattr(report, name) for name in objectives.OBJECTIVES)


def test_recorded_runs_have_their_core_as_an_error_too() -> None:
    runs = {run.id: run for run in recorded.load(search_spaces.load("nanochat"))}
    assert runs["run6"].score("core_error") == 1 - runs["run6"].metrics["core"] == pytest.approx(0.737366)
    assert runs["run6"].score("val_bpb") == 0.718 and runs["gate"].score("core_error") is None


def test_one_objective_or_two_are_read_from_text() -> None:
    assert objectives.parse("val_loss") == ("val_loss", None)
    assert objectives.parse("val_bpb, train_seconds") == ("val_bpb", "train_seconds")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("val_bbp", "unknown objective 'val_bbp': .*val_bpb"),
        ("train_seconds", "unknown objective 'train_seconds'"),
        ("val_bpb,train_second", "unknown second objective 'train_second': .*train_seconds"),
        ("val_bpb,", "'val_bpb,' has an empty name"),
        ("val_bpb,val_bpb", "the two objectives are both val_bpb"),
        ("core", "the objective core is better when larger: take core_error, which is 1 - core"),
    ],
)
def test_a_mistake_in_the_objectives_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        objectives.parse(text)


def test_a_cost_that_all_trials_share_or_that_nothing_measures_is_no_objective(tiny: TrainConfig) -> None:
    for name in ("train_seconds", "train_minutes"):
        objectives.check_second(name, tiny)
        with pytest.raises(ValueError, match=f"{name} needs a budget in another unit"):
            objectives.check_second(name, with_values(tiny, {"budget.seconds": 9.0, "budget.steps": None}))
    with pytest.raises(ValueError, match="artifact_bytes needs an artifact"):
        objectives.check_second("artifact_bytes", tiny)

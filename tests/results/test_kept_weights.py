"""The line of the report about weights: whose they are, and the command that exports them."""

from __future__ import annotations

import io

import pytest

from results import Store, load
from results.ending import print_weights
from results.kept_weights import name_in_commands, weights_line
from results.report import main
from storage.location import location
from terminal.console import Console
from tests.results.conftest import KNOBS


def test_the_trials_that_have_weights_are_named_and_more_are_counted(store: Store, make_trial) -> None:
    assert weights_line(load(store.folder), store.folder) is None
    for number in range(7):
        row = make_trial(number, "completed", 2.0 - number, is_base=not number)
        store.write_trial({**row, "weights": f"weights/k{number}/a1.safetensors" if number in (0, 4) else None})
    command = f"python -m tuner.export {store.folder}"
    assert weights_line(load(store.folder), store.folder) == (
        f"Weights of trial 0 (the base), trial 4: {command} --trial 0 writes out those of trial 0 (others: --trial N)"
    ), "the winner, trial 6, has none"
    command += " writes out those of trial 6 (others: --trial N)"
    store.write_trial({**store.trials()[6], "weights": "weights/k/a1.safetensors"})
    assert (
        weights_line(load(store.folder), store.folder) == f"Weights of trial 0 (the base), trial 4, trial 6: {command}"
    )
    for row in store.trials():
        store.write_trial({**row, "weights": "weights/k/a1.safetensors"})
    assert weights_line(load(store.folder), store.folder) == f"Weights of 7 trials: {command}"
    file = io.StringIO()
    print_weights(Console(file=file, width=400), load(store.folder), store.folder)
    assert file.getvalue() == f"Weights of 7 trials: {command}\n"


def test_runs_after_the_search_are_no_trials_of_it(store: Store, make_trial) -> None:
    def keep(numbers: range, stage: str) -> None:
        for number in numbers:
            row = make_trial(number, "completed", 2.0 - number, is_base=number in (0, 3))
            row |= {"weights": f"weights/k{number}/a1.safetensors", "stage": stage}
            undone = '{"changes": [], "undone": []}'
            later = {"round": 1, "arm": f"k{number}", "seed": number, "design": "1x3", "undone": undone}
            store.write_trial(row | ({} if stage == "search" else later))

    keep(range(3, 5), "confirm")
    whose = "trial 3 (the base, on a fresh seed), trial 4 (on a fresh seed)"
    assert str(weights_line(load(store.folder), store.folder)).startswith(f"Weights of {whose}: ")
    keep(range(5, 9), "ablate")
    assert str(weights_line(load(store.folder), store.folder)).startswith("Weights of 6 runs after the search: ")
    keep(range(3), "search")
    assert load(store.folder).trials.shape[0] == 3, "as the head of the report counts them"
    line = str(weights_line(load(store.folder), store.folder))
    assert line.startswith("Weights of 3 trials and 6 runs after the search: ")


def test_one_that_is_alone_is_written_without_a_word_on_others(store: Store, make_trial) -> None:
    store.write_trial({**make_trial(0, "completed", 2.0, is_base=True), "weights": "weights/k0/a1.safetensors"})
    said = f"Weights of trial 0 (the base): python -m tuner.export {store.folder}"
    assert weights_line(load(store.folder), store.folder) == f"{said} writes them out"
    store.write_trial(make_trial(1, "completed", 1.0))
    assert weights_line(load(store.folder), store.folder) == f"{said} --trial 0 writes them out"


def test_of_two_objectives_the_command_names_a_trial_of_the_front(tmp_path, make_trial) -> None:
    two = {"space": "parameter_golf", "scale": "proxy", "objectives": ["val_bpb", "train_seconds"], "data": "made-up"}
    store = Store.create(tmp_path / "two", two, KNOBS)
    for number in range(3):
        row = make_trial(number, "completed", 2.0 - number / 10, is_base=not number, train_seconds=9.0 - number)
        store.write_trial({**row, "weights": f"weights/k{number}/a1.safetensors"})
    line = str(weights_line(load(store.folder), store.folder))
    assert line.endswith(f"tuner.export {store.folder} --trial 2 writes out those of trial 2 (others: --trial N)")


def test_the_report_prints_it(store: Store, make_trial, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    store.write_trial({**make_trial(0, "completed", 2.0, is_base=True), "weights": "weights/k/a1.safetensors"})
    assert main([str(store.folder), "--no-page"]) == 0
    assert "\nWeights of trial 0 (the base): python -m tuner.export " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("results/runs/night", "night"),
        ("s3://bucket/runs/night", "s3://bucket/runs/night"),
        ("/a b/night", "/a b/night"),
    ],
)
def test_a_command_calls_a_campaign_by_what_finds_it(folder, said) -> None:
    assert name_in_commands(location(folder)) == said

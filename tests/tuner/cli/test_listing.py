from __future__ import annotations

import io
import json
import re

import pytest

import search_spaces
from results import load
from results.design import Design
from results.tally import tally_of
from search_spaces.own_space import looked_at
from terminal.console import Console
from tests.tuner.test_confirm import better
from tuner.cli import listing


@pytest.fixture
def listed(tmp_path):
    def text(name: str | None = None) -> str:
        console = Console(file=io.StringIO(), width=60)
        listing.show(console, None if name is None else looked_at(name, ()), tmp_path)
        return console.file.getvalue()

    return text


def test_every_space_is_listed_with_its_question_and_scales(listed) -> None:
    lines = listed().splitlines()
    assert len(lines) == len(search_spaces.names())
    for name, line in zip(search_spaces.names(), lines, strict=True):
        space = search_spaces.load(name)
        assert line.startswith(f"{name}: {space.question}") and all(scale in line for scale in space.scales)


def test_every_knob_of_a_space_is_one_unbroken_line(listed) -> None:
    lines = listed("parameter_golf").splitlines()
    space = search_spaces.load("parameter_golf")
    for knob in space.knobs:
        (line,) = [line for line in lines if line.split()[0] == knob.path]
        assert str(knob.domain) in line and knob.why in line
    (line,) = [line for line in lines if line.split()[0] == "optimizer.head_lr"]
    assert "if model.tie_embeddings is false" in line


def test_no_list_of_knobs_has_words_of_python(listed) -> None:
    for name in search_spaces.names():
        settings = listed(name).replace("#", " ").split()
        assert not {"None", "True", "False"} & set(settings), name


def test_an_unknown_space_is_answered_with_the_nearest_one(listed) -> None:
    with pytest.raises(ValueError, match="unknown space 'parameter_gulf': did you mean 'parameter_golf'"):
        listed("parameter_gulf")


def test_campaigns_are_listed_with_their_counts(listed, make_bench, play) -> None:
    play(make_bench("first").search(trials=3, stopper="none")).run()
    make_bench("second").search(trials=3)
    lines = listed().splitlines()
    (first,) = [line for line in lines if line.strip().startswith("first:")]
    assert first.startswith("  first: 3 completed")
    assert "  second: no trials yet" in lines


def test_runs_after_a_search_are_no_trials_of_it(listed, make_bench, play) -> None:
    search = make_bench("first").search(trials=9, seed=2, confirm=Design(2, 3, 5))
    play(search, curve=better).run()
    later, trials = len(load(search.folder).confirmations), tally_of(load(search.folder).trials)
    (line,) = [line for line in listed().splitlines() if line.startswith("  first:")]
    assert line == f"  first: {trials.in_words}; confirmation: {later} completed" and trials.trials == 9 <= later


def test_runs_after_a_search_say_how_they_ended_and_the_search_how_many_are_left(listed, make_bench, play) -> None:
    bench = make_bench("first")
    tune = play(bench.search(trials=3, stopper="none", confirm=Design(1, 2, 2)))
    while not any(row["stage"] == "confirm" for row in bench.rows()):
        tune.run(1)
    bench.search(trials=3, confirm=Design(1, 2, 2)).abandon()
    about = json.loads((bench.folder / "campaign.json").read_text())
    (bench.folder / "campaign.json").write_text(json.dumps(about | {"trials": 5}))
    (line,) = [line for line in listed().splitlines() if line.startswith("  first:")]
    assert line.startswith("  first: 3 completed, of 5 asked for; ")
    assert re.search(r"; confirmation: (1|2) interrupted, of 4$", line)


def test_a_damaged_campaign_does_not_hide_the_others(listed, make_bench) -> None:
    damaged = make_bench("damaged").search(trials=3)
    make_bench("whole").search(trials=3)
    (damaged.folder / "trials" / "0-empty.parquet").write_bytes(b"no parquet")
    lines = listed().splitlines()
    (line,) = [line for line in lines if line.startswith("  damaged:")]
    assert "0-empty.parquet cannot be read" in line
    assert "  whole: no trials yet" in lines

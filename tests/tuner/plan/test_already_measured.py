"""A limit is held against what the base of a reused or resumed campaign has measured."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from search_spaces.constraints import parse_all
from tuner.plan.already_measured import already_measured
from tuner.proposals.reuse import Library

DATA = "made-up-data"


@pytest.fixture
def asked(toy_space, toy_base):
    """Makes the question of a search of the toy with such limits."""

    def make(*limits: str):
        return SimpleNamespace(space=replace(toy_space, constraints=parse_all(limits)), base=toy_base)

    return make


def test_the_base_of_a_reused_campaign_tells(make_bench, play, asked) -> None:
    old = make_bench("old")
    play(old.search(trials=2, stopper="none")).run()
    base = next(row for row in old.rows() if row["is_base"])
    library, question = Library([old.folder]), asked("train_seconds<=1e6", "artifact_bytes<=1e9")
    assert already_measured(question, None, library, DATA) == {}, "not reused: it lacks a number"
    question = asked("train_seconds<=1e6")
    (found,) = already_measured(question, None, library, DATA).values()
    assert (found.value, found.of) == (base["train_seconds"], "of the base in old")
    assert already_measured(question, None, library, "other data") == {}
    assert already_measured(question, None, library, None) == {} == already_measured(question, None, None, DATA)
    assert already_measured(asked(), None, library, DATA) == {}


def test_a_resumed_campaign_tells_by_its_base_or_by_the_median_of_what_ended(make_bench, play, asked) -> None:
    bench = make_bench("night")
    play(bench.search(trials=4, stopper="none")).run()
    store, question = bench.store(), asked("train_seconds<=1e6")
    assert already_measured(question, store, None, DATA)["train_seconds"].of == "of the base"
    others = [{**row, "is_base": False, "train_seconds": float(n)} for n, row in enumerate(store.trials())]
    store = SimpleNamespace(trials=lambda: others)
    ended = [row["train_seconds"] for row in others if row["status"] == "completed"]
    assert len(ended) > 1
    found = already_measured(question, store, None, DATA)["train_seconds"]
    assert min(ended) < found.value < max(ended) and found.of == f"in the median of {len(ended)} trials that ended"

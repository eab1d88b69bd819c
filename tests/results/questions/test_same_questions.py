"""One campaign by two doors: what results.load and tuner.load offer, and that their answers are the same."""

from __future__ import annotations

import pandas as pd
import pytest

import tuner
from results import load
from results.loaded import Loaded
from results.questions.catalogue import QUESTIONS
from tuner.python.campaign import Campaign

ONLY_TUNER = {  # name -> why results.load, which loads nothing that trains, has none
    "best": "its config is an object of the code that trains",
    "resume": "it trains",
    "spec": "the settings of a campaign are tuner's",
    "folder": "where a campaign that goes on is; of one that was loaded it is store.folder",
}
ONLY_RESULTS = {  # name -> why tuner.load, which reads the files anew for each question, has none
    "campaign": "a moment of campaign.json",
    "rows": "trials and confirmations in one frame, of one moment",
    "store": "the files that it was read from",
    "worked_out": "answers that take long, of one moment",
    "once": "how they are worked out",
    "each_curve": "the curves as the page needs them, of one moment",
}


def members(kind: type) -> set[str]:
    fields = set(getattr(kind, "__dataclass_fields__", ()))
    return {name for name in {*dir(kind), *fields} if not name.startswith("_")}


def test_both_doors_offer_the_same_but_for_what_one_cannot_have() -> None:
    # instances of a Campaign have folder, which no dir of its class names
    by_tuner, by_results = members(Campaign) | {"folder"}, members(Loaded)
    assert by_tuner - by_results == ONLY_TUNER.keys()
    assert by_results - by_tuner == ONLY_RESULTS.keys()
    assert QUESTIONS.keys() <= by_tuner & by_results


@pytest.mark.parametrize("question", QUESTIONS)
def test_both_doors_give_the_same_answer(question, confirmed, searched, written) -> None:
    there = written(searched, objectives=["val_bpb", "train_seconds"]) if question == "pareto" else confirmed()
    other = tuner.load(there.store.folder)
    one, two = (getattr(door, question)() for door in (load(there.store.folder), other))
    pd.testing.assert_frame_equal(one, two)
    assert len(one) or question in ("importance", "edges", "transfer")


def test_the_front_has_the_whole_rows_of_its_trials(searched, written) -> None:
    there = written(searched, objectives=["val_bpb", "train_seconds"])
    front = load(there.store.folder).front()
    assert set(front["key"]) == set(there.pareto()["key"]) and list(front) == list(there.trials)


def test_the_verdicts_are_those_of_the_latest_confirmation(confirmed, written, searched) -> None:
    found = confirmed().verdicts()
    assert found["trial"].tolist() == [3, 1] and found["better"].tolist() == [True, True]
    assert found["verdict"].tolist() == ["established: better"] * 2
    empty = written(searched, name="before").verdicts()
    assert empty.empty and list(empty) == list(found)

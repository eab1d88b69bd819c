"""Every question, asked of campaigns of every kind: each gives its columns, and nothing else goes wrong."""

from __future__ import annotations

import pytest

from results import load
from results.questions.catalogue import QUESTIONS, ROW_FRAMES, answers
from results.questions.methods import Questions
from tests.results.conftest import START

OWN = {
    "objective": "-accuracy",
    "own_train": {"name": "loss", "fingerprint": "abc", "source": "", "maximise": True, "domains": {"lr": "0 .. 1"}},
}
KINDS = ("empty", "one trial", "failures only", "two objectives", "running", "own train", "replay", "confirmed")


@pytest.fixture(params=KINDS)
def campaign(request, ended, searched, written, confirmed):
    running = [*searched[:3], ended(3, "running", 1.8, {"model.tied": False}, ended_at=None)]
    report = {"key": running[-1]["key"], "attempt": 1, "step": 20, "at": START}
    failed = [ended(0, "crashed"), ended(1, "diverged", None, {"model.tied": False})]
    own = [
        ended(n, "completed", -0.5 - n / 10, objective="-accuracy", tokens=None, eval_seconds=None, overrides=changes)
        for n, changes in enumerate(("{}", '{"lr": 0.5}'))
    ]
    made = {
        "empty": lambda: written([]),
        "one trial": lambda: written(searched[:1]),
        "failures only": lambda: written(failed),
        "two objectives": lambda: written(searched, objectives=["val_bpb", "train_seconds"]),
        "running": lambda: written(running, [report]),
        "own train": lambda: written(own, **OWN),
        "replay": lambda: load("results/recorded/ngpt"),
        "confirmed": lambda: confirmed(ablated=True),
    }
    return request.param, made[request.param]()


def test_every_question_has_an_answer_with_the_same_columns_whatever_there_is(campaign, searched, written) -> None:
    kind, found = campaign
    answered = answers(found)
    whole = answers(written(searched, name="whole"))
    unfit = {"two objectives": {"winner"}}.get(kind, {"pareto"})
    assert answered.keys() == (QUESTIONS.keys() | set(ROW_FRAMES)) - unfit
    for name in (QUESTIONS.keys() - unfit) & whole.keys():
        if name != "leaderboard":  # which has a column a knob
            assert list(answered[name]) == list(whole[name]), name
            assert (answered[name].dtypes == whole[name].dtypes).all(), name
    if kind in ("empty", "failures only"):
        assert answered["winner"].empty and answered["effects"].empty and answered["noise"].empty
    else:
        assert len(answered["progression"]) and len(answered["time"]) and len(answered["leaderboard"])


def test_each_function_says_which_question_it_answers() -> None:
    for ask in QUESTIONS.values():
        first = (ask.__doc__ or "").partition("\n")[0]
        assert "?" in first, ask.__name__
    assert all("?" in (getattr(Questions, name).__doc__ or "") for name in QUESTIONS)

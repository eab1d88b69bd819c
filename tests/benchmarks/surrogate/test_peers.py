"""Samplers of other tools, by a stand-in of the process that has them."""

from __future__ import annotations

import sys

import pytest

from benchmarks.surrogate import peers, peers_worker
from benchmarks.surrogate.device import Device, Outcome

WORKER = """
import json, sys
first = json.loads(sys.stdin.readline())
print("true", flush=True)
told = []
for line in sys.stdin:
    question = json.loads(line)
    if "ask" in question:
        values = {knob["path"]: first["base"].get(knob["path"], 0) for knob in first["knobs"]}
        answer = {"number": len(told), "values": values}
    else:
        told.append(question["value"])
        answer = told
        if len(told) == 3:
            sys.exit(7)
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def peer(small, made_up, tmp_path, monkeypatch):
    (tmp_path / "worker.py").write_text(WORKER)
    monkeypatch.setattr(peers, "WORKER", tmp_path / "worker.py")
    made = peers.Peer(Device(small, made_up, "trees"), 0, "SMAC3", sys.executable)
    yield made
    made.close()


def test_points_come_back_as_values_of_the_knobs_that_act(peer, small) -> None:
    number, values = peer.ask()
    assert number == 0 and values == small.space.values_of(small.base)


def test_a_run_that_failed_is_told_as_the_worst_end_so_far_and_a_worker_that_ends_is_said(peer) -> None:
    peer.tell(0, Outcome("completed", 1.0, (3.0,)))
    assert peer.answer({"tell": 1, "value": 0}) == [3.0, 0]
    with pytest.raises(RuntimeError, match="ended with exit code 7"):
        peer.tell(2, Outcome("out of memory", 0.1))


def test_knobs_are_described_in_words_that_need_no_import(small) -> None:
    described = {knob["path"]: knob for knob in peers.described(small.space)}
    assert described["model.num_layers"]["kind"] == "integer" and described["model.mlp_mult"]["kind"] == "number"
    assert described["model.model_dim"] == {
        "path": "model.model_dim",
        "when": {},
        "kind": "choice",
        "count": 4,
        "ordered": True,
    }
    conditional = next(knob for knob in small.space.knobs if knob.when)
    (on, labels), *_ = conditional.when.items()
    options = small.space.knob(on).domain.labels
    assert [options[at] for at in described[conditional.path]["when"][on]] == list(labels)


def test_the_other_side_has_every_method_that_can_be_asked_for() -> None:
    assert tuple(peers_worker.MAKERS) == peers.METHODS

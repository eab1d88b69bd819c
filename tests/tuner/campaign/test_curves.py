"""Training curves in a campaign: the driver writes what a trial says of itself, whole, and nobody else writes any."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pandas as pd
import pytest

import tuner
from results import load
from results.store.curves import TrainingCurve
from storage.location import location
from trainable.worker.attempt import Attempt
from tuner.campaign import layout, running_curves
from tuner.proposals.reuse import Library
from tuner.search_loop import Search

WORKER_DIED = "ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task."


def said(step: int, height: float = 1.0) -> dict[str, Any]:
    """The curve of a trial at a step, as its worker sends it."""
    steps = list(range(1, step + 1, 10))
    return {
        "steps": steps,
        "tokens": [64 * at for at in steps],
        "values": {"loss": [height / at for at in steps], "learning_rate.all": [0.5] * len(steps)},
        "units": {"loss": "nats/token", "learning_rate.all": "factor"},
    }


@pytest.fixture
def with_curves(play) -> type[Any]:
    """The executor that plays Ray, of trials with curves."""

    class Player(play):  # type: ignore[misc]
        height = 1.0

        def _train(self, request: Any) -> Any:
            for result in super()._train(request):
                yield {**result, "curve": said(result["step"], self.height)}

    return Player


def test_every_trial_that_trained_has_the_curve_that_it_said_last(bench, with_curves) -> None:
    search = bench.search(trials=9)
    with_curves(search).run()
    search.abandon()
    found, store = load(bench.folder), bench.store()
    trained = found.trials[found.trials["steps"].notna()]
    assert len(trained) == 9 and set(trained["status"]) >= {"completed", "stopped"}
    assert set(found.curves["key"]) == set(trained["key"])
    for key, steps in zip(trained["key"], trained["steps"], strict=True):
        assert store.curve(key) == TrainingCurve(**said(steps)), "also of one that was stopped: to where it came"
    layout.check(bench.folder)


def test_python_has_them_as_a_frame_that_can_be_plotted(bench, with_curves) -> None:
    with_curves(bench.search(trials=3)).run(steps=12)  # while it runs
    found = tuner.load(bench.folder).curves
    assert list(found.columns) == ["number", "step", "tokens", "loss", "learning_rate.all"]
    reached = found.groupby("number")["step"].max().to_dict()
    ran = {row["number"]: row["steps"] for row in bench.rows() if row["steps"]}
    assert reached == {number: list(range(1, steps + 1, 10))[-1] for number, steps in ran.items()} != {}
    losses = found.pivot(index="step", columns="number", values="loss")  # as docs/python.md draws it
    assert losses.iloc[0].eq(1.0).all()


@pytest.fixture
def written_each_time(monkeypatch) -> None:
    """Trials that are long beside the least time between two writes."""
    monkeypatch.setattr(running_curves, "LEAST_SECONDS", 0.0)


def test_it_is_there_after_each_report_and_replaced_by_the_next(bench, with_curves, written_each_time) -> None:
    search, lengths = bench.search(trials=1, slots=1, reports=3), []
    with_curves(search, on_report=lambda key: lengths.append(len(bench.store().curve(key).steps))).run()
    assert lengths == sorted(lengths) and lengths[-1] == 24 and len(lengths) >= 4


def test_on_the_way_it_is_written_once_a_second_and_whole_at_the_end(bench, with_curves, monkeypatch) -> None:
    search, now, written = bench.search(trials=6, slots=1, reports=5), [0.0], list[tuple[str, bool]]()
    monkeypatch.setattr(search.ledger._curves, "now", lambda: now[0])
    real = search.ledger.store.write_curve

    def write_curve(key: str, number: int, curve: Any, durable: bool = True) -> bool:
        written.append((key, durable))
        return real(key, number, curve, durable)

    monkeypatch.setattr(search.ledger.store, "write_curve", write_curve)
    play = with_curves(search)
    play.step(), play.step()
    assert not written, "they have run for no time"
    now[0] = 1.5
    play.step(), play.step()
    assert written == [(bench.base_key, False)], "a second is over for the first of both reports"
    play.run()
    search.abandon()
    ends = [key for key, durable in written if durable]
    trained = {row["key"]: row for row in bench.rows() if row["steps"]}
    assert sorted(ends) == sorted(trained), "each once"
    assert all(bench.store().curve(key) == TrainingCurve(**said(row["steps"])) for key, row in trained.items())


def test_what_was_not_written_on_the_way_is_there_once_a_trial_dies(bench, with_curves) -> None:
    search = bench.search(trials=1, slots=1, reports=5)
    play = with_curves(search)
    for _ in range(3):
        play.step()
    (key,) = search.live
    search.die(key, WORKER_DIED)
    (row,) = bench.rows()
    assert row["steps"] and bench.store().curve(key) == TrainingCurve(**said(row["steps"]))


def test_an_attempt_that_begins_again_leaves_nothing_of_the_one_before(bench, with_curves, written_each_time) -> None:
    search = bench.search(trials=1, slots=1, reports=3)
    first = with_curves(search)
    while not (bench.folder / "curves" / f"{bench.base_key}.parquet").exists():
        first.step()
    search.die(bench.base_key, WORKER_DIED)  # no checkpoint: from the first step again
    del first.running[bench.base_key]
    again = with_curves(search)
    again.height = 2.0
    again.step(), again.step()
    (row,) = (row for row in bench.rows() if row["is_base"])
    assert row["attempt"] == 2
    assert bench.store().curve(bench.base_key) == TrainingCurve(**said(row["steps"], 2.0))


def test_a_worker_that_was_cut_off_writes_no_curve(bench, with_curves) -> None:
    """It has only the campaign's folder: what it may write there are checkpoints, of its own attempt."""
    search = bench.search(trials=1, slots=1)
    request = search.next()
    search.start(request.key)
    late: Attempt = request.begun()
    search.die(request.key, WORKER_DIED)
    search.start(search.next().key)
    assert not late.in_force()
    late.save({"position": 1.0, "curve": said(10)})
    assert not (bench.folder / "curves" / f"{request.key}.parquet").exists()


def test_one_that_is_refused_is_said_and_costs_no_trial(bench, with_curves) -> None:
    search = bench.search(trials=2, slots=1, reports=4)
    real = search.report
    search.report = lambda key, result: real(key, {**result, "curve": {**said(10), "steps": [3, 2]}})
    with_curves(search).run()
    search.abandon()
    trained = [row for row in bench.rows() if row["config"] != "null"]
    assert {row["status"] for row in trained} == {"completed"}
    assert sorted(note[: note.index(":")] for note in search.notes) == sorted(
        f"the curve of trial {row['key']!r} was not written" for row in trained
    ), "each once"
    assert load(bench.folder).curves.empty


@pytest.mark.parametrize(
    "sent", [{}, {"steps": [1]}, {**said(10), "more": 1}, [], "text", 7, {**said(10), "values": None}]
)
def test_what_is_no_curve_at_all_costs_no_trial_either(sent, bench, with_curves) -> None:
    search = bench.search(trials=1, slots=1)
    real = search.report
    search.report = lambda key, result: real(key, {**result, "curve": sent})
    with_curves(search).run()
    search.abandon()
    (row,) = bench.rows()
    assert row["status"] == "completed"
    assert len(search.notes) == 1 and "the curve of trial" in search.notes[0]


# --- reuse ------------------------------------------------------------------------------------------------------------


def reusing(bench: Any, folder: Any) -> Search:
    found: Search = bench.search(trials=10, slots=2, library=Library([folder]))
    return found


def test_a_reused_trial_brings_its_curve_under_the_number_that_it_has_here(make_bench, with_curves) -> None:
    old, new = make_bench("old"), make_bench("new")
    with_curves(old.search(trials=10, stopper="none")).run()
    search = reusing(new, old.folder)
    with_curves(search).run()
    search.abandon()
    reused = [row for row in new.rows() if row["reused_from"]]
    numbers = {row["key"]: row["number"] for row in old.rows()}
    assert len(reused) >= 2
    for row in reused:
        assert new.store().curve(row["key"]) == old.store().curve(row["key"]) is not None
    found = load(new.folder).curves.drop_duplicates("key").set_index("key")["number"]
    assert all(found[row["key"]] == row["number"] for row in reused)
    assert numbers.keys() >= {row["key"] for row in reused}


def test_one_of_a_campaign_without_curves_is_reused_without(make_bench, play) -> None:
    old, new = make_bench("old"), make_bench("new")
    play(old.search(trials=1)).run()
    assert reusing(new, old.folder).next() is not None
    (row,) = (row for row in new.rows() if row["is_base"])
    assert row["reused_from"] == "old" and new.store().curve(row["key"]) is None


def test_a_damaged_curve_is_said_before_anything_is_reused(make_bench, with_curves) -> None:
    old = make_bench("old")
    with_curves(old.search(trials=1)).run()
    file = old.folder / "curves" / f"{old.base_key}.parquet"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=f"{file} cannot be read"):
        Library([old.folder])


# --- object stores ----------------------------------------------------------------------------------------------------


def test_in_an_object_store_they_are_those_of_a_disk(make_bench, with_curves) -> None:
    disk, store = make_bench("disk"), make_bench("store")
    store.folder = location(f"memory://{uuid.uuid4().hex}/runs/night")
    for bench in (disk, store):
        with_curves(bench.search(trials=6), seed=1).run(14)  # killed without a word
        search = bench.search(trials=6)
        with_curves(search, seed=2).run()
        search.abandon()
    frames = [load(bench.folder).curves for bench in (disk, store)]
    pd.testing.assert_frame_equal(*frames)
    assert frames[0]["key"].nunique() >= 6
    pd.testing.assert_frame_equal(pd.read_parquet(f"{store.folder}/curves"), frames[1])


# --- resuming ---------------------------------------------------------------------------------------------------------


def test_a_resume_sets_a_damaged_one_aside_and_goes_on(bench, with_curves) -> None:
    search = bench.search(trials=6)
    with_curves(search).run(steps=12)
    search.stop("interrupted")
    with_curves(search).run()
    search.abandon()
    file = next(file for file in (bench.folder / "curves").iterdir() if file.stem != "0-empty")
    file.write_bytes(b"PAR1")
    store, aside = bench.store(), []
    store.set_damaged_aside(lambda place, why: aside.append(place.name))
    assert aside == [f"{file.name}"]
    again = bench.search(trials=6)
    with_curves(again).run()
    again.abandon()
    assert len({row["key"] for row in bench.rows() if row["steps"]} - set(load(bench.folder).curves["key"])) <= 1
    assert json.loads((bench.folder / "campaign.json").read_text())["space"] == "toy"

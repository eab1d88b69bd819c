"""Which weights stay of all that trials leave: as each ends, once the campaign is over, and after a kill -9."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from results import Store
from results.design import Design
from results.store.statuses import CONFIRM, SEARCH
from storage import files, inside
from storage.location import location
from trainable.worker import kept_weights
from tuner.proposals.reuse import Library


def there(bench) -> set[str]:
    """Keys of the trials whose weights lie in the folder, each with its config beside them."""
    keys = set(files.names(bench.folder / kept_weights.FOLDER))
    for key in keys:
        names = files.names(bench.folder / kept_weights.FOLDER / key)
        assert len(names) == 2 and kept_weights.CONFIG in names, names
    return keys


def named(bench, rows: list[dict] | None = None) -> set[str]:
    """The same by the rows, which name files that are there."""
    rows = [row for row in rows or bench.rows() if row["weights"]]
    assert all(files.is_file(bench.folder / row["weights"]) for row in rows)
    return {row["key"] for row in rows}


def best_of(bench, count: int = 1, rows: list[dict] | None = None) -> list[str]:
    rows = [r for r in rows or bench.rows() if r["status"] == "completed" and not r["is_base"] and r["stage"] == SEARCH]
    return [row["key"] for row in sorted(rows, key=lambda row: (row["value"], row["key"]))][:count]


def played(bench, play, **asked):
    search = bench.search(**asked)
    play(search).run()
    search.abandon()
    return search


def test_nothing_is_written_without_keep(bench, play) -> None:
    played(bench, play, keep="none")
    assert not (bench.folder / kept_weights.FOLDER).exists() and named(bench) == set()


def test_all_keeps_every_trial_that_completed(bench, play) -> None:
    played(bench, play, keep="all")
    completed = {row["key"] for row in bench.rows() if row["status"] == "completed"}
    assert there(bench) == named(bench) == completed and len(completed) > 2


@pytest.mark.parametrize("keep", ["best", "confirmed"])
def test_without_a_confirmation_the_best_and_the_base_stay_and_what_is_overtaken_goes_at_once(
    bench, play, keep
) -> None:
    search = bench.search(keep=keep, stopper="none")
    played_by, seen = play(search), set()
    while played_by.step():
        here, rows = there(bench), bench.rows()
        seen |= here
        completed = {row["key"] for row in rows if row["status"] == "completed"}
        assert here == named(bench, rows) == {bench.base_key, *best_of(bench, rows=rows)} & completed
    search.abandon()
    assert there(bench) == {bench.base_key, *best_of(bench)} and len(seen) > 3


def test_the_config_beside_the_weights_is_that_of_the_trial(bench, play) -> None:
    played(bench, play, keep="best")
    for row in bench.rows():
        if row["weights"]:
            kept = json.loads((bench.folder / kept_weights.config_path(row["key"])).read_text())
            assert kept == {"key": row["key"], "data": row["data"], "config": json.loads(row["config"])}


def test_candidates_stay_until_the_confirmation_is_over_and_then_the_winner_and_the_base(bench, play) -> None:
    search = bench.search(keep="confirmed", confirm=Design(2, 2, 2), stopper="none")
    tune = play(search)
    while not any(row["stage"] == CONFIRM for row in bench.rows()):
        assert tune.step()
    assert there(bench) == named(bench) == {bench.base_key, *best_of(bench, 2)}
    tune.run()
    assert {bench.base_key, *best_of(bench, 2)} == there(bench), "runs on fresh seeds leave none: their trials have"
    search.abandon()
    won = search.confirmation.winner or best_of(bench)[0]
    assert there(bench) == named(bench) == {bench.base_key, won}


def test_a_winner_that_the_search_has_left_no_weights_of_leaves_those_of_its_first_fresh_seed(bench, play) -> None:
    played(bench, play, keep="none", stopper="none")
    search = played(bench, play, keep="confirmed", confirm=Design(2, 2, 2), stopper="none")
    rows = {row["key"]: row for row in bench.rows()}
    won = search.confirmation.winner or best_of(bench)[0]
    assert {rows[key]["stage"] for key in there(bench)} == {CONFIRM} and there(bench) == named(bench)
    assert {rows[key]["arm"] for key in there(bench)} == {bench.base_key, won}


def test_a_resume_may_ask_for_less_and_for_more(bench, play) -> None:
    played(bench, play, keep="all")
    assert len(there(bench)) > 2
    bench.search(keep="best").abandon()
    assert there(bench) == named(bench) == {bench.base_key, *best_of(bench)}
    before = there(bench)
    played(bench, play, keep="all", trials=12)
    assert before < there(bench)
    bench.search(keep="none", trials=12).abandon()
    assert there(bench) == named(bench) == set()


def test_of_two_objectives_the_front_and_the_base_stay(make_bench, toy_space, play, toy_curve) -> None:
    bench = make_bench(space=replace(toy_space, second_objective="train_seconds"))
    played(bench, play, keep="confirmed", stopper="none")
    rows = [row for row in bench.rows() if row["status"] == "completed"]
    lowest = min(rows, key=lambda row: row["value"])
    assert {lowest["key"], bench.base_key} <= there(bench) == named(bench), (
        "all take as long: the lowest value is first"
    )


def test_an_infeasible_trial_leaves_no_weights(bench, play) -> None:
    search = bench.search(keep="all", trials=1)
    request = search.next()
    search.start(request.key)
    tune = play(search)
    result = list(tune._train(request))[-1] | {"violation": "artifact 17 > 16 bytes"}
    search.report(request.key, result)
    search.end(request.key, result)
    assert bench.rows()[0]["status"] == "infeasible" and there(bench) == named(bench) == set()


def test_after_a_kill_between_row_and_file_the_next_start_removes_what_no_row_names(bench, play, monkeypatch) -> None:
    search = bench.search(keep="best", stopper="none")

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(kept_weights, "remove", killed)
    with pytest.raises(KeyboardInterrupt):
        play(search).run()
    monkeypatch.undo()
    assert there(bench) > named(bench)
    bench.search(keep="best", stopper="none")
    assert there(bench) == named(bench)


def test_weights_of_a_trial_whose_row_is_damaged_stay(bench, play) -> None:
    played(bench, play, keep="best")
    row = next(row for row in bench.rows() if row["weights"] and not row["is_base"])
    (bench.folder / "trials" / f"{row['key']}.parquet").write_bytes(b"torn")
    Store.open(bench.folder).set_damaged_aside(lambda place, why: None)
    for _ in range(2):  # at the next start, and at the one after it
        bench.search(keep="best").abandon()
        assert files.is_file(bench.folder / row["weights"]) and row["key"] in there(bench)


def test_a_late_writer_is_taken_for_nobody(bench, play) -> None:
    """A worker that was cut off writes its weights after the trial has ended by another attempt."""
    played(bench, play, keep="best")
    row = next(row for row in bench.rows() if row["weights"])
    inside.write(bench.folder, kept_weights.path_of(row["key"], 99), b"late")
    inside.write(bench.folder, kept_weights.path_of("0123456789abcdef", 1), b"of a trial that is none")
    mine = bench.folder / kept_weights.FOLDER / row["key"] / "my.safetensors"
    mine.write_bytes(b"somebody's")
    bench.search(keep="best").abandon()
    mine.unlink()
    assert there(bench) == named(bench) and files.is_file(bench.folder / row["weights"])


def test_it_is_the_same_in_a_bucket(make_bench, toy_space, toy_base, play, tmp_path) -> None:
    bench = make_bench()
    bench.folder = location("memory://bucket/keeping/campaign")
    played(bench, play, keep="best", stopper="none")
    assert there(bench) == named(bench) == {bench.base_key, *best_of(bench)}
    bench.search(keep="none").abandon()
    assert there(bench) == set()


def test_what_is_reused_has_no_weights_here(make_bench, play) -> None:
    earlier, bench = make_bench("earlier"), make_bench("later")
    played(earlier, play, keep="all", stopper="none")
    played(bench, play, keep="all", stopper="none", library=Library([earlier.folder]))
    reused = {row["key"] for row in bench.rows() if row["reused_from"]}
    assert reused and not reused & named(bench)

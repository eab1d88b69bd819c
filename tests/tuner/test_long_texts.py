"""An error's text of any size ends up as a file and a line of a limited one, which say what was cut."""

from __future__ import annotations

import pytest

from tuner import failures
from tuner.failures import LONGEST_CELL, LONGEST_NOTE, LONGEST_TEXT, MOST_NOTES, reason_of, without_middle

HUGE = "x" * 10_000_000


def test_a_long_text_keeps_its_two_ends_and_says_what_was_cut() -> None:
    found = without_middle(f"begin {'x' * 1_000_000} end", 1_000)
    assert 998 <= len(found) <= 1_000 and found.startswith("begin x") and found.endswith("x end")
    assert "999,010 or more characters are left out" in found
    assert without_middle("x" * 1_000, 1_000) == "x" * 1_000


def test_a_trial_whose_message_has_10_mb_is_one_crashed_trial(bench, play, toy_curve) -> None:
    def curve(config, milestone):
        if config == bench.base:
            return toy_curve(config, milestone)
        raise ValueError(f"{config.seed} {config.optimizer.matrix_lr} {HUGE}")

    search = bench.search(trials=2, slots=1)
    seen: list[str] = []
    search.events.append(lambda entry: seen.append(str(entry.row["reason"])))
    play(search, curve).run()
    search.abandon()
    (row,) = (row for row in bench.rows() if row["status"] == "crashed")
    assert "characters are left out ... x" in row["reason"] and max(map(len, seen)) <= failures.LONGEST_REASON
    kept = bench.folder / "errors" / f"{row['key']}.txt"
    assert kept.stat().st_size <= LONGEST_TEXT and b"characters are left out" in kept.read_bytes()


@pytest.mark.parametrize("where", ["note", "reason"])
def test_what_a_trial_says_of_itself_is_limited(where, bench, play) -> None:
    search = bench.search(trials=1, slots=1)
    real, end = search.report, search.end
    search.report = lambda key, result: real(key, {**result, where: HUGE})
    search.end = lambda key, result: end(key, {**result, where: HUGE})
    play(search).run()
    search.abandon()
    (row,) = (row for row in bench.rows() if row["is_base"])
    assert row["status"] == "completed" and LONGEST_CELL - 2 <= len(row[where]) <= LONGEST_CELL
    assert "characters are left out" in row[where]


def test_a_reason_that_names_a_file_by_half_characters_is_written(bench) -> None:
    search = bench.search()
    search.start(key := search.next().key)
    search.fail(key, "FileNotFoundError: no file '/data/\udcff.txt'\n")
    assert bench.rows()[0]["reason"] == "FileNotFoundError: no file '/data/\\udcff.txt'" and not search.notes


def test_the_reason_for_values_that_make_no_config_is_limited(bench) -> None:
    search = bench.search()
    search.ledger.refuse({"optimizer.matrix_lr": 0.1}, HUGE, None)
    (row,) = bench.rows()
    assert row["status"] == "infeasible" and "characters are left out" in row["reason"]


def test_the_campaigns_notes_are_limited_each_and_in_number(bench) -> None:
    search = bench.search()
    search.notes += map(str, range(2 * MOST_NOTES))
    search.note(HUGE)
    assert len(search.notes[-1]) <= LONGEST_NOTE
    first, second, *others, last = (bench.folder / "errors" / "notes.txt").read_text().splitlines()
    assert (first, second, len(others)) == ("1,001 earlier notes are left out", "1001", MOST_NOTES - 2)
    assert last == search.notes[-1] and "characters are left out" in last


def test_the_last_line_is_the_reason_however_long_it_is() -> None:
    assert reason_of(f"a\nValueError: {HUGE}").startswith("ValueError: xxx")

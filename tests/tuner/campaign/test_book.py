from __future__ import annotations

from collections import Counter

import pytest

from results.design import Design
from results.store.statuses import ENDED
from tuner.campaign.book import Book
from tuner.early_stopping import Predictive

DESIGN = Design(2, 2, 3)


def walked(self, *rest):
    raise AssertionError("a decision looks at every trial of the campaign")


@pytest.mark.parametrize("stopper", ["predictive", "asha", "none"])
def test_no_decision_of_a_campaign_looks_at_all_of_its_trials(bench, play, monkeypatch, stopper) -> None:
    search = bench.search(trials=12, slots=2, confirm=DESIGN, stopper=stopper, keep="confirmed", ablate=True)
    with monkeypatch.context() as patch:
        for name in ("__iter__", "keys", "items"):
            patch.setattr(Book, name, walked, raising=False)
        patch.setattr(Book, "values", lambda book: OnlyTheLast(book), raising=False)
        play(search, seed=1).run()
        assert search.over and search.confirmation.round is not None
    assert any(row["stage"] == "confirm" for row in bench.rows())


class OnlyTheLast:
    """The values of a book, of which only the last may be looked at: its number is one less than the next one's."""

    def __init__(self, book: Book) -> None:
        self.book = book

    __iter__ = __len__ = walked

    def __reversed__(self):
        return (self.book[key] for key in dict.__reversed__(self.book))


def test_what_the_book_counts_is_what_its_trials_say_after_every_event(bench, play) -> None:
    search = bench.search(trials=10, slots=3, confirm=DESIGN, stopper="predictive")
    played, events, versions = play(search, seed=2, checkpoint_chance=0.5), 0, set()
    while played.step():
        events += 1
        book, entries = search.ledger.entries, list(search.ledger.entries.values())
        versions.add(book.version)
        assert book.counts() == Counter(entry.status for entry in entries)
        assert book.counts(of_search=True) == Counter(e.status for e in entries if e.stage == "search")
        assert book.counts(of_search=False) == Counter(e.status for e in entries if e.stage != "search")
        assert sum(book.counts(trials_only=True).values()) == book.num_trials == sum(e.is_trial for e in entries)
        assert book.num_ended == sum(entry.status in ENDED for entry in entries)
        completed = [e for e in entries if e.is_trial and e.status == "completed"]
        assert list(book.ranked()) == sorted(completed, key=lambda e: (e.value, e.key))
        assert book.best() is min(completed, key=lambda e: e.value, default=None)
        assert list(book.after_search.values()) == [e for e in entries if e.stage != "search"]
        assert list(book.bases.values()) == [e for e in entries if e.stage == "search" and e.row["is_base"]]
        assert book.with_weights == {e.key: e for e in entries if e.row["weights"]}
    assert events > 40 and len(versions) > 20


def test_of_equal_trials_the_first_is_the_best_and_a_trial_that_is_taken_out_no_longer_counts(bench) -> None:
    ledger = bench.search(trials=3).ledger
    values = [ledger.base_values | {"optimizer.matrix_lr": rate} for rate in (0.1, 0.2, 0.3)]
    entries = [ledger.open(value, bench.space.config(bench.base, value), None) for value in values]
    for entry, value in zip(entries, (2.0, 1.0, 1.0), strict=True):
        entry.row.update({"status": "completed", "value": value})
        ledger.entries.changed(entry.key)
    assert ledger.best() is entries[1] and ledger.entries.num_trials == 3
    version = ledger.entries.version
    ledger.entries.changed(entries[0].key)
    assert ledger.entries.version == version, "nothing has changed"
    del ledger.entries[entries[1].key]
    assert ledger.best() is entries[2] and ledger.entries.num_trials == 2 and ledger.entries.version > version
    assert list(ledger.entries.ranked()) == [entries[2], entries[0]]


def test_the_line_of_a_rung_is_laid_through_all_ends_while_they_are_few_and_then_through_all_but_a_hundredth() -> None:
    rule = Predictive([1.0])
    for number in range(450):
        rule.record(str(number), 1.0, float(number % 37))
        rule.finished(str(number), number % 37 + number % 5 / 10 + 100 / (number + 1), True)
        known = number + 1 if number < 199 else number + 1 - (number + 1) % ((number + 1) // 100)
        assert len(rule.pairs(1.0)) == known >= 0.99 * (number + 1)
        line = rule.line(1.0)
        assert line is None or line.best == min(rule.ends.values()), "the best is always that of now"
    before = rule.line(1.0)
    rule.forget("7")
    assert len(rule.pairs(1.0)) == 449 - 449 % 4 and rule.line(1.0) != before

"""A winner's changes have one number: the leaderboard's. What an ablation can undo alone may be fewer."""

from __future__ import annotations

import json

from results import load
from results.design import Design
from results.ending import _which_matter
from results.questions.taking_apart import parts_of
from tests.tuner.test_confirm import better
from tuner.campaign.record import ranges_of


def test_the_changes_of_a_winner_are_those_that_the_leaderboard_lists(bench, play) -> None:
    search = bench.search(trials=9, seed=2, confirm=Design(2, 3, 5))
    play(search, curve=better).run()
    confirmation = search.confirmation
    won = next(row for row in bench.rows() if row["key"] == confirmation._won()[1].key)
    assert confirmation.num_changes == len(json.loads(won["overrides"])) >= confirmation.num_parts > 1
    search.ledger.store.revise({"ranges": ranges_of(bench.space.knobs)})
    said = _which_matter(load(search.folder), "9 runs")
    assert f"Which of its {confirmation.num_changes} changes matter?" in said
    assert len(parts_of(load(search.folder), won["key"])) == confirmation.num_parts, "as the record alone tells it"
    fewer = f"{confirmation.num_parts} can be undone alone, the others with them"
    assert (fewer in said) == (confirmation.num_parts < confirmation.num_changes)

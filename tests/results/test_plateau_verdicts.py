"""A confirmation in which some runs stay on a plateau: every place that tells of verdicts says which of two differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from results import Store, load
from results.page.confirmed import confirmations
from results.page.verdict import sentence_of
from results.plain_rows import plain_rows
from results.questions.compare_text import _short_verdict, winner_verdict
from results.questions.effects import effects
from results.questions.next_steps import next_steps
from results.statistics.confirmation import rounds
from results.verdicts import verdict_lines
from tests.results.conftest import KNOBS
from tuner.campaign.notify import verdict_of
from tuner.cli.live_block import interval_lines

JITTER = (0.002, -0.002, 0.001, -0.001, 0.0)
CHANGES = ({}, {"optimizer.matrix_lr": 0.06}, {"model.tied": False})
Make = Callable[..., Any]


@pytest.fixture
def confirmed(tmp_path, make_trial) -> Make:
    """A confirmation of two candidates; ``stuck`` gives by arm the seeds on which it stays on the plateau."""

    def make(stuck: dict[int, tuple[int, ...]], design: str, seeds: int = 4, name: str = "lottery", **ends: str) -> Any:
        store = Store.create(tmp_path / name, {"space": "parameter_golf", "objective": "val_bpb"}, KNOBS)
        rows = [make_trial(n, "completed", 1.9 - 0.1 * n, CHANGES[n]) for n in range(3)]
        for n in range(3):
            for place in range(seeds):
                columns = {"stage": "confirm", "arm": rows[n]["key"], "round": 0, "design": design, "seed": 50 + place}
                is_stuck, status = place in stuck.get(n, ()), ends.get("status", "completed")
                value = 9.0 - 2 * n + JITTER[place % 5] * (-1) ** n - 7.0 if not is_stuck else 900.0 + place
                gone = is_stuck and status != "completed"
                rows.append(
                    make_trial(
                        10 + seeds * n + place,
                        status if gone else "completed",
                        None if gone else value,
                        CHANGES[n],
                        **columns,
                    )
                )
        for row in rows:
            store.write_trial(row)
        return load(store.folder)

    return make


def test_the_values_of_those_that_escaped_are_told_apart_and_their_chances_are_not(confirmed) -> None:
    results = confirmed({0: (0,), 2: (2,)}, "2x4..9 own")
    found = rounds(plain_rows(results.rows))
    report, page = "\n".join(verdict_lines(results)), sentence_of(results, results.rows, found).sentence
    both = "2 of 12 runs stayed on a plateau (above 2.00"
    assert both in report and both in page and "judged by itself" in report
    said = "established: better; chance of escaping not told apart (3 of 4, the base 3 of 4; "
    assert said in report and results.winner().iloc[0]["verdict"].startswith(said)
    again = "in new runs, corrected for a winner's luck: the best of several is lucky, and so is the look that ends it."
    assert again in report and again in page
    row = results.verdicts().set_index("trial").loc[2]
    assert (row["escaped"], row["of_runs"], row["base_escaped"], row["of_base_runs"]) == (3, 4, 3, 4)
    assert row["chance_low"] < row["chance_difference"] == 0 < row["chance_high"] and row["better"]
    assert row["difference"] < row["corrected"] < 0
    assert results.winner().iloc[0]["corrected"] == row["corrected"]
    assert effects(results).iloc[1]["verdict"].startswith(said) and effects(results).iloc[1]["better"]
    (told,) = confirmations(found, plain_rows(results.rows))
    assert any(arm.get("said", "").startswith(said) for arm in told["arms"])


def test_a_winner_by_its_chance_of_escaping_alone_is_named_everywhere(confirmed) -> None:
    """The base diverges on every seed, one candidate on one: no pair of values, but the chances are far apart."""
    results = confirmed({0: tuple(range(30)), 2: (1,)}, "2x30 own", seeds=30, status="diverged")
    found = rounds(plain_rows(results.rows))
    won = found[-1].judgement.winner
    assert won is not None and won.escapes_more and won.difference is None
    said = "established: escapes more often (30 of 30, the base 0 of 30)"
    report, page = "\n".join(verdict_lines(results)), sentence_of(results, results.rows, found).sentence
    assert said in report and said in page and "31 of 90 runs diverged" in report
    verdict, number, difference = verdict_of(Store.open(results.store.folder))
    assert (number, difference) == ("1", "") and said in verdict
    (row,) = results.winner().to_dict("records")
    assert row["confirmed"] and row["trial"] == 1 and pd.isna(row["difference"]) and said in row["verdict"]
    assert not {"confirm", "more seeds"} & set(next_steps(results)["step"]), "it is settled"
    assert interval_lines(found[-1], {}) == []
    assert winner_verdict(row) == f"{said}; no value to compare"
    assert _short_verdict(row) == "established: escapes more often"


def test_a_round_from_before_is_judged_as_it_was(confirmed) -> None:
    """The same rows without "own" in their design: one on a plateau hides everything, as it did."""
    results = confirmed({0: (0,), 2: (2,)}, "2x4..9")
    found = rounds(plain_rows(results.rows))[0]
    assert not found.design.own_noise and found.judgement.winner is None and found.judgement.plateau is None
    assert results.verdicts()["escaped"].isna().all() and not results.verdicts()["established"].any()
    assert "plateau" not in "\n".join(verdict_lines(results))

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from results import Store, load
from results.design import Design
from results.page.data import page_data
from results.page.verdict import sentence_of
from results.plain_rows import plain_rows
from results.report import print_leaderboard
from results.statistics.ablation import Ablation, Decision, PairedDifference
from results.statistics.confirmation import rounds
from results.statistics.leaderboard import ESTABLISHED
from results.verdicts import _ablated, verdict_lines
from terminal.console import Console
from tests.results.conftest import KNOBS

CHANGE = {"optimizer.matrix_lr": 0.06}
JITTER = (0.001, -0.001, 0.0005)


@pytest.fixture
def confirmed(tmp_path, make_trial):
    """A folder with a search of three trials and a confirmation of the two that are not the base."""

    def make(better: float, other: float, seeds: int = 3, design: str = "2x3..5", name: str = "sure") -> Path:
        store = Store.create(tmp_path / name, {"space": "parameter_golf"}, KNOBS)
        searched = [
            make_trial(0, "completed", 1.9),
            make_trial(1, "completed", 1.8, CHANGE),
            make_trial(2, "completed", 1.85, {"model.tied": False}),
        ]
        rows, number = list(searched), 10
        for seed in range(seeds):
            arms = searched[: 1 + Design.of_row(design).candidates]
            for trial, value in zip(arms, (1.9, better, other), strict=False):
                noisy = value + JITTER[seed] * (-1) ** number + 0.2 * seed
                changes = json.loads(trial["overrides"])
                columns = {"stage": "confirm", "arm": trial["key"], "round": 0, "design": design, "seed": 7 + seed}
                rows.append(make_trial(number, "completed", noisy, changes, **columns))
                number += 1
        for row in rows:
            store.write_trial(row)
        return store.folder

    return make


def printed(folder: Path) -> str:
    console = Console(file=io.StringIO(), width=100)
    print_leaderboard(console, load(folder))
    return console.file.getvalue()


def test_the_report_gives_each_candidate_its_verdict_and_names_the_winner(confirmed) -> None:
    text = printed(confirmed(1.7, 1.9))
    assert "3 trials: 3 completed" in text, "runs of the confirmation are no trials"
    assert "the verdicts are below" in text and "not yet a finding" not in text
    better, other = text.partition("verdict\n")[2].splitlines()[:2]
    assert better.split()[0] == "1" and better.endswith("established: better") and " 3  " in better
    assert other.split()[0] == "2" and "not established" in other
    assert "Winner: trial 1, -0.2" in text


MEANING = "2x3..5: the best 2 and the base on 3 fresh seeds, to 5 where undecided: 9 to 15 runs."


def test_a_leaderboard_ranks_the_search_alone(confirmed) -> None:
    head = printed(confirmed(1.0, 1.9)).partition("Each difference")[0]
    assert "1.8000" in head and "1.0000" not in head


def test_a_campaign_in_which_nothing_is_better_says_so(confirmed) -> None:
    lines = verdict_lines(load(confirmed(2.1, 2.2)))
    assert lines[-1] == "No candidate is established to be better than the base."
    assert sum("established: worse" in line for line in lines) == 2


def test_a_confirmation_that_has_just_begun_gives_no_verdict(confirmed) -> None:
    lines = verdict_lines(load(confirmed(1.7, 1.9, seeds=2)))
    assert lines == ["Confirming 2x3..5: 6 of at least 9 runs ended.", MEANING]


def test_a_confirmation_of_one_length_says_no_at_least(confirmed) -> None:
    assert verdict_lines(load(confirmed(1.7, 1.9, seeds=1, design="1x2")))[0] == "Confirming 1x2: 2 of 4 runs ended."


def test_differences_are_not_said_to_have_verdicts_before_a_look(confirmed) -> None:
    text = printed(confirmed(1.7, 1.9, seeds=2))
    assert "Confirming 2x3..5" in text and "verdicts are below" not in text
    assert "single runs of one seed: the confirmation has no verdicts yet." in text


def test_one_candidate_is_spoken_of_as_one(confirmed) -> None:
    results = load(confirmed(2.1, 1.9, design="1x3"))
    said, found = "The one candidate is not established to be better than the base", rounds(plain_rows(results.rows))
    lines = verdict_lines(results)
    assert lines[-1] == f"{said}." and sentence_of(results, results.rows, found).sentence.startswith(f"{said} on fresh")
    assert "1x3: the best one and the base on 3 fresh seeds: 6 runs." in lines
    several = load(confirmed(2.1, 2.2, design="2x3", name="several"))
    found = rounds(plain_rows(several.rows))
    none = "None of 2 candidates is established to be better than the base on fresh seeds."
    assert sentence_of(several, several.rows, found).sentence.startswith(none)


def test_the_luck_of_one_candidate_is_that_of_its_last_look(confirmed) -> None:
    (line,) = (x for x in verdict_lines(load(confirmed(1.7, 1.9, design="1x2..3..30 own"))) if x.startswith("Expect "))
    assert line.endswith(" in new runs, corrected for luck: the look that ends it is a lucky one.")


def test_the_letters_of_a_design_are_explained_where_they_stand(confirmed) -> None:
    folder = confirmed(1.7, 1.9)
    assert MEANING in verdict_lines(load(folder))
    (last,) = page_data(load(folder), folder)["confirmations"]
    assert f"{last['design']}: {last['meaning']}." == MEANING


def test_a_campaign_without_confirmation_is_reported_as_before(campaign) -> None:
    assert verdict_lines(load(campaign)) == []
    assert "not yet a finding" in printed(campaign)


@pytest.mark.parametrize(
    ("kept", "loss", "said"),
    [
        (("a",), 0.0, "Minimal winner: 1 of 3 changes that can be undone alone, on fresh seeds vs base -0.1000"),
        (("a",), 0.2, "The change that is left does not hold by itself (vs base -0.1000"),
        (("a", "b"), 0.2, "The 2 changes that are left do not hold by themselves (vs base -0.1000"),
        (("a", "b", "c"), 0.0, "Each of the winner's 3 changes that can be undone alone is missed"),
    ],
)
def test_what_is_left_of_a_winner_is_the_minimal_one_only_where_it_holds_by_itself(kept, loss, said) -> None:
    base, winner = (PairedDifference(by, 0.05, 3, ESTABLISHED if by else "not established") for by in (-0.1, loss))
    found = Ablation(
        "arm", ("a", "b", "c"), Decision({("b",): PairedDifference(0.0, 0.05, 3, "x")}, kept, ()), base, winner
    )
    text = "\n".join(_ablated(found))
    assert said in text and ("the whole winner stands" in text) == (loss > 0)


def test_effects_below_each_other_have_one_number_of_digits() -> None:
    tried = {("a",): PairedDifference(-1.43e-05, 0.0136, 2, ""), ("b",): PairedDifference(0.1, 0.02, 2, ESTABLISHED)}
    lines = _ablated(Ablation("arm", ("a", "b"), Decision(tried, ("b",), ())))
    assert "  -0.00001 (-0.01361 .. +0.01359, no difference established)  without a" in lines
    assert "  +0.10000 (+0.08000 .. +0.12000, worse)  without b" in lines

"""The plan of a resume: it knows the confirmation that is over, the winner and its changes, as the next steps do."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from results.design import Design
from results.questions.pace import RecordedPace
from results.statistics.runs_to_come import NO_ABLATION, NO_CONFIRMATION, AblationToCome, ConfirmationToCome
from terminal.console import Console
from tuner.cli.search_times import SearchTimes, print_later
from tuner.plan.cost import plan_search
from tuner.plan.left import Left
from tuner.plan.wall_time import NOTHING

DESIGN = Design(3, 3, 9)


@pytest.fixture
def said(toy_base):
    def say(confirmation, ablation, pace=None, trials=0, ablate=True) -> list[str]:
        spec = SimpleNamespace(confirm=DESIGN, ablate=ablate)
        question = SimpleNamespace(spec=spec, space=SimpleNamespace(knobs=(0,) * 24), trials=trials)
        plan = plan_search(toy_base, 1, 2, "none", 1e4)
        console = Console(file=(stream := io.StringIO()), width=200)
        left = Left(question, question, confirmation, ablation, 24, pace)
        print_later(console, SearchTimes(plan, plan, NOTHING), left, 2)
        return stream.getvalue().splitlines()

    return say


def test_a_confirmation_that_is_over_is_said_to_be(said) -> None:
    assert said(NO_CONFIRMATION, NO_ABLATION, ablate=False)[:1] == ["confirmation: no more runs"]


def test_an_ablation_has_the_winner_its_time_and_its_part_of_all(said) -> None:
    pace = RecordedPace(40.0, 20.0, 2)
    lines = said(NO_CONFIRMATION, AblationToCome(33, 99, 22, 19), pace)
    assert lines[1].startswith("ablation: 33 to 99 runs more, ") and lines[1].endswith(
        ": the winner, trial 22, changes 19 knobs"
    )
    alone = said(NO_CONFIRMATION, NO_ABLATION, pace)
    assert lines[2].startswith("in all: about ") and lines[2] != alone[2]
    assert lines[3] == "by this campaign's own runs so far: about 11 min to 33 min with 2 slots"


def test_a_new_round_that_may_not_come_is_said_to_be_so(said) -> None:
    most = Design(4, 3, 9)
    lines = said(ConfirmationToCome(None, most), NO_ABLATION, trials=24, ablate=False)
    why = "none where the best trials stay the same"
    assert lines[0].startswith(f"confirmation: 0 to 45 runs more on fresh seeds ({why}), ")
    lines = said(ConfirmationToCome(None, most, beside_winner=True), NO_ABLATION, trials=24, ablate=False)
    assert f"({why}, most where the winner takes part again), " in lines[0]

from __future__ import annotations

import json

import pytest

from results.statistics.ablation import (
    Ablation,
    Decision,
    PairedDifference,
    ablation,
    decide,
    num_runs,
    paired_difference,
)
from results.statistics.confirmation import rounds
from results.statistics.judgement import EndedRun
from results.statistics.leaderboard import ESTABLISHED, NOT_ESTABLISHED, Noise

CHANGES = tuple("abcdefghijklm")


def needing(*needed: str, together: tuple[str, ...] = ()):
    """Undoing any of ``needed`` is missed, and undoing all of ``together`` at once."""

    def tried(group):
        worse = bool(set(group) & set(needed)) or (bool(together) and set(together) <= set(group))
        return PairedDifference(1.0 if worse else 0.0, 0.5, 3, ESTABLISHED if worse else NOT_ESTABLISHED)

    return tried


@pytest.mark.parametrize("needed", [("a",), ("m",), ("c", "k"), ("a", "b", "c"), CHANGES])
def test_what_is_missed_stays_and_the_rest_falls_off(needed) -> None:
    decision = decide(CHANGES, needing(*needed))
    assert decision.kept == needed and decision.wanted == ()


def test_one_change_that_matters_is_found_with_fewer_comparisons_than_changes() -> None:
    decision = decide(CHANGES, needing("h"))
    assert len(decision.tried) < len(CHANGES)
    fewest, most = num_runs(len(CHANGES), 3)
    assert fewest <= (len(decision.tried) + 3) * 3 <= most
    assert (len(decide(CHANGES, needing(*CHANGES)).tried) + 3) * 3 == most


def test_changes_that_are_missed_only_together_all_stay() -> None:
    decision = decide(CHANGES[:6], needing(together=("a", "c")))
    assert decision.kept == ("a", "b", "c")


def test_parts_are_wanted_while_their_effects_are_not_known() -> None:
    assert decide(CHANGES, lambda group: None).wanted == (CHANGES[:6], CHANGES[6:])
    known = {CHANGES[:6]: needing("a")(("a",))}
    assert decide(CHANGES, known.get).wanted == (CHANGES[6:], CHANGES[:3], CHANGES[3:6])


def test_the_only_change_of_a_winner_stays() -> None:
    assert decide(("a",), lambda group: None).kept == ("a",)


def test_a_run_that_failed_is_worse_whatever_the_others_were() -> None:
    arm = {1: EndedRun(0.0), 2: EndedRun(None, "diverged")}
    found = paired_difference(arm, {1: EndedRun(1.0), 2: EndedRun(1.0)}, Noise(0.1, 6))
    assert found.worse and not found.better and found.reason == "diverged on seed 2"


def rows(left: float) -> list[dict]:
    """A winner with changes a and b, of which b does nothing by itself; what is left has the value ``left``."""
    found, jitter = [], (0.01, -0.01, 0.0)
    plan = lambda *undone: json.dumps({"changes": ["a", "b"], "undone": undone})  # noqa: E731

    def add(arm: str, seeds: tuple[int, ...], value: float, **columns: object) -> None:
        for seed in seeds:
            noise = jitter[(seed + len(arm)) % 3]
            found.append({"arm": arm, "seed": seed, "value": value + noise, "number": len(found), "round": 0})
            found[-1] |= {"status": "completed", "design": "1x3", "is_base": arm == "base"} | columns

    add("base", (1, 2, 3), 2.0, stage="confirm")
    add("won", (1, 2, 3), 1.0, stage="confirm")
    add("without a", (1, 2, 3), 1.9, stage="ablate", undone=plan("a"))
    add("without b", (1, 2, 3), 1.0, stage="ablate", undone=plan("b"))
    add("base", (7, 8, 9), 2.0, stage="ablate", undone=plan("a", "b"))
    add("won", (7, 8, 9), 1.0, stage="ablate", undone=plan())
    add("without b", (7, 8, 9), left, stage="ablate", undone=plan("b"))
    return found


def test_what_is_left_stands_if_it_beats_the_base_on_fresh_seeds_and_is_no_worse_than_the_winner() -> None:
    (round_,) = rounds(rows(1.0))
    found = ablation(round_, rows(1.0))
    assert found is not None and found.decision.kept == ("a",) and found.stands
    broken = ablation(round_, rows(1.5))
    assert broken is not None and broken.stands is False and broken.versus_base is not None
    assert broken.versus_base.better, "it beats the base, but is worse than the winner"


def test_an_ablation_in_progress_does_not_say_what_is_left_stands() -> None:
    cut = rows(1.0)[:-1]
    (round_,) = rounds(cut)
    found = ablation(round_, cut)
    assert found is not None and found.stands is None
    nothing = [row for row in cut if row["stage"] == "confirm"]
    assert ablation(round_, nothing) is None
    begun = ablation(round_, nothing, ["a", "b"])
    assert begun is not None and begun.decision.wanted == (("a",), ("b",))


# --- each of these fails for a change of one sign, limit or argument (docs/mutations.md) ------------------------------


def test_groups_of_up_to_three_are_taken_apart_at_once_and_larger_ones_halved() -> None:
    assert decide(CHANGES[:3], lambda group: None).wanted == (("a",), ("b",), ("c",))
    assert decide(CHANGES[:4], lambda group: None).wanted == (("a", "b"), ("c", "d"))


@pytest.mark.parametrize("number", range(1, 14))
def test_the_runs_of_an_ablation_are_those_that_its_decisions_take(number) -> None:
    changes = CHANGES[:number]
    tried = [len(decide(changes, needing(change)).tried) for change in changes]
    assert num_runs(number, 5) == ((min(tried) + 3) * 5, (len(decide(changes, needing(*changes)).tried) + 3) * 5)


@pytest.mark.parametrize(
    ("difference", "finding", "reason", "worse", "better"),
    [
        (1.0, ESTABLISHED, "", True, False),
        (-1.0, ESTABLISHED, "", False, True),
        (0.5, NOT_ESTABLISHED, "", False, False),
        (-0.5, NOT_ESTABLISHED, "", False, False),
        (0.0, ESTABLISHED, "", False, False),
        (None, ESTABLISHED, "", False, False),
        (None, "", "diverged on seed 1", True, False),
        (-1.0, ESTABLISHED, "diverged on seed 1", True, False),
    ],
)
def test_only_what_is_established_or_failed_is_worse(difference, finding, reason, worse, better) -> None:
    found = PairedDifference(difference, 0.1, 3, finding, reason)
    assert (found.worse, found.better) == (worse, better)


def test_a_comparison_is_of_the_seeds_that_both_completed_and_has_the_width_of_their_number() -> None:
    arm, other = (
        {1: EndedRun(1.0), 2: EndedRun(2.0), 3: EndedRun(3.0)},
        {2: EndedRun(1.5), 3: EndedRun(2.0), 4: EndedRun(9.0)},
    )
    noise = Noise(0.1, 6)
    found = paired_difference(arm, other, noise)
    assert (found.pairs, found.difference) == (2, 0.75) and found.half_width == noise.smallest_difference(2, 2)
    assert paired_difference(arm, other, None).half_width is None
    assert paired_difference(arm, {}, noise) == PairedDifference(None, None, 0, "", "the other completed on no seed")


def test_what_is_left_stands_only_once_it_is_known_against_both() -> None:
    good = PairedDifference(-1.0, 0.1, 3, ESTABLISHED)
    decision = Decision({}, ("a",), ())
    assert Ablation("won", ("a", "b"), decision, good).stands is None
    assert Ablation("won", ("a", "b"), decision, None, good).stands is None
    assert Ablation("won", ("a", "b"), decision, good, good).stands is True


def test_while_the_winner_is_not_trained_on_the_fresh_seeds_nothing_is_said_of_what_is_left() -> None:
    cut = [row for row in rows(1.0) if not (row["arm"] == "won" and row["seed"] == 9)]
    (round_,) = rounds(cut)
    found = ablation(round_, cut)
    assert found is not None and found.decision.kept == ("a",)
    assert found.stands is None and found.versus_base is None


def test_groups_are_paired_with_the_winner_on_the_first_seeds_of_a_confirmation_that_took_more() -> None:
    more = [dict(row, design="1x3..5") for row in rows(1.0)]
    for number, (arm, value) in enumerate((arm, value) for _ in (4, 5) for arm, value in (("base", 2.0), ("won", 1.0))):
        later = {"arm": arm, "seed": 4 + number // 2, "value": value + number / 100, "number": 100 + number, "round": 0}
        more.append(later | {"status": "completed", "design": "1x3..5", "is_base": arm == "base", "stage": "confirm"})
    (round_,) = rounds(more)
    assert round_.seeds == (1, 2, 3, 4, 5)
    found = ablation(round_, more)
    assert found is not None and found.decision.wanted == () and found.decision.kept == ("a",)
    assert found.decision.tried[("a",)].pairs == 3


def test_a_group_that_makes_no_valid_config_stays_and_its_plan_alone_tells_the_changes() -> None:
    confirmed = [row for row in rows(1.0) if row["stage"] == "confirm"]
    refused = {"stage": "ablate", "round": 0, "seed": None, "arm": None, "status": "infeasible", "reason": "no heads"}
    refused |= {"number": 50, "undone": json.dumps({"changes": ["a", "b"], "undone": ["a"]})}
    (round_,) = rounds(confirmed)
    found = ablation(round_, [*confirmed, refused])
    assert found is not None and found.changes == ("a", "b") and found.decision.wanted == (("b",),)
    assert found.decision.tried == {("a",): PairedDifference(None, None, 0, "", "no heads")}

from __future__ import annotations

import json

import pytest

from results.ablation import Comparison, ablation, compare, decide, num_runs
from results.analysis import ESTABLISHED, NOT_ESTABLISHED, Noise
from results.confirmation import Run, rounds

CHANGES = tuple("abcdefghijklm")


def needing(*needed: str, together: tuple[str, ...] = ()):
    """Undoing any of ``needed`` is missed, and undoing all of ``together`` at once."""

    def tried(group):
        worse = bool(set(group) & set(needed)) or (bool(together) and set(together) <= set(group))
        return Comparison(1.0 if worse else 0.0, 0.5, 3, ESTABLISHED if worse else NOT_ESTABLISHED)

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
    arm = {1: Run(0.0), 2: Run(None, "diverged")}
    found = compare(arm, {1: Run(1.0), 2: Run(1.0)}, Noise(0.1, 6))
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

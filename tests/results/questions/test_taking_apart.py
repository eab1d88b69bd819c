"""The changes of a winner that can be undone alone."""

from __future__ import annotations

from results.questions.taking_apart import parts_of

RANGES = {
    "schedule": {"domain": "Cosine | Warmdown", "why": "", "when": None},
    "schedule.warmdown_frac": {"domain": "0.1 .. 1", "why": "", "when": {"schedule": ["Cosine"]}},
}


def test_a_change_whose_knob_no_longer_acts_goes_with_another_one(ended, written) -> None:
    changes = {"schedule": "Cosine", "schedule.warmdown_frac": 0.2, "model.tied": False}
    campaign = written(
        [ended(0, "completed", 2.0, **{"schedule.warmdown_frac": None}), ended(1, "completed", 1.0, changes)],
        ranges=RANGES,
    )
    assert list(parts_of(campaign, f"{1:016x}")) == ["schedule", "model.tied"]
    assert list(parts_of(campaign, f"{0:016x}")) == [] == list(parts_of(campaign, "none"))


def test_without_a_base_every_change_counts(ended, written) -> None:
    changes = {"schedule": "Cosine", "schedule.warmdown_frac": 0.2}
    campaign = written([ended(1, "completed", 1.0, changes, is_base=False)], ranges=RANGES)
    assert list(parts_of(campaign, f"{1:016x}")) == list(changes)

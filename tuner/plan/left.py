"""The part of a campaign that a plan of its resume is about: whatever has not ended yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from results.statistics.ablation import num_runs
from results.statistics.runs_to_come import NO_ABLATION, NO_CONFIRMATION, AblationToCome, ConfirmationToCome
from results.store.campaign_folder import Store
from results.store.row_types import NEVER_A_TRIAL
from results.store.statuses import ENDED, SEARCH
from tuner.question import Question

if TYPE_CHECKING:
    from results.questions.pace import RecordedPace
    from tuner.plan.already_measured import AsMeasured


@dataclass(frozen=True)
class Left:
    """A question with the trials that are left of it, and the runs after them."""

    question: Question  # with the trials that are left alone
    whole: Question  # with all trials, for what is kept of the campaign
    confirmation: ConfirmationToCome
    ablation: AblationToCome
    ended: int = 0  # trials
    pace: RecordedPace | None = None  # of the campaign's own runs; None of a new one
    measured: Mapping[str, AsMeasured] = field(
        default_factory=dict
    )  # measures that are limited, as trials have had them


def left_of(question: Question, store: Store | None) -> Left:
    """All of a new campaign; of the one in ``store``, what its rows do not have."""
    design, knobs = question.spec.confirm or None, len(question.space.knobs)
    ablates = design is not None and question.spec.ablate
    if store is None:
        design = None if design is None else design.among(question.trials - 1)
        most = num_runs(knobs, design.first)[1] if design is not None and ablates and knobs > 1 else 0
        return Left(question, question, ConfirmationToCome(design, design), AblationToCome(0, most))
    rows = [row for row in store.trials() if row["status"] in ENDED and row["config"] != NEVER_A_TRIAL]
    searched = [row for row in rows if (row["stage"] or SEARCH) == SEARCH]
    if question.replay is not None:
        done = {(row["recorded_id"], row["seed"]) for row in searched}
        planned = tuple(p for p in question.planned if (p.recorded_id, p.config.seed) not in done)
        left = replace(question, planned=planned, trials=len(planned))
        return Left(left, question, NO_CONFIRMATION, NO_ABLATION, question.trials - len(planned))
    from results.questions.pace import recorded_pace  # with pandas, which the plan of a new campaign does without
    from results.questions.to_come import ablation_to_come, confirmation_to_come
    from results.store.frames import results_of

    trials, results = max(0, question.trials - len(searched)), results_of(store)
    later, apart = confirmation_to_come(results, design, trials), NO_ABLATION
    if design is not None and ablates:
        apart = ablation_to_come(results, design.first, knobs, another=bool(trials or later.runs[1]))
    return Left(replace(question, trials=trials), question, later, apart, len(searched), recorded_pace(results))

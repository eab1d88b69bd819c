"""Measures that a search asked for, its objectives and its limits, of an exported trial: as trained, and read again.

What weights and artifact hold is computed from the files again. Minutes, seconds and memory are of the training, and
no file holds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from results.questions.framed import objectives_of
from results.unmet_limits import limits_of
from search_spaces.objectives import CORE, COSTS, MAINRUN_ROWS, OBJECTIVES, SCORES_AT_THE_END, cost_of
from trainable.evaluation.evaluate import Evaluation
from trainable.report import VALIDATION_SCORES

if TYPE_CHECKING:
    from trainable.run import Run
    from tuner.artifacts.kept_trial import KeptTrial
    from tuner.artifacts.rescored import Packed

ROUNDED_SCORES = {
    "val_loss_quantised": "loss",
    "val_bpb_quantised": "bpb",
}  # column -> field of the artifact's evaluation
ARTIFACT_BYTES = "artifact_bytes"
EVALUATED = "measured beside"  # what the search did not ask for
OF_TRAINING = "it was measured in training, and no file holds it"
OF_CORE = "the questions of CORE are not asked again"
OF_OTHER_ARTIFACT = "the search's artifact has other settings than this one"


@dataclass(frozen=True)
class AskedMeasure:
    """One measure: what the search asks of it, its value there, and the one of the files."""

    name: str
    asked_as: str  # objective, limit NAME<=NUMBER, or both; or that the evaluation alone has it
    in_the_search: float | None
    again: float | None
    why_not_again: str  # empty where it is

    @property
    def line(self) -> str:
        """Say it in a line."""
        name = self.name if self.asked_as == EVALUATED else f"{self.name} ({self.asked_as})"
        if self.why_not_again:
            return f"{name}: {_said(self.in_the_search)} in the search; {self.why_not_again}"
        return f"{name}: {compared(self.again, self.in_the_search)}"

    @property
    def facts(self) -> dict[str, Any]:
        """Give it as JSON data."""
        found: dict[str, Any] = {"asked_as": self.asked_as, "in_the_search": self.in_the_search, "again": self.again}
        return {**found, "why_not_again": self.why_not_again} if self.why_not_again else found


def evaluated_measures(trial: KeptTrial, run: Run, score: Evaluation, small: Packed) -> list[AskedMeasure]:
    """The measures of the trial's evaluation that the search did not ask for; those that this run has."""
    asked, found = _asked(trial), []
    for name in (*VALIDATION_SCORES, *ROUNDED_SCORES, CORE):
        known = cost_of(name, trial.row)
        if name not in asked and known is not None:
            again, why_not = _again(name, trial, run, score, small)
            found.append(AskedMeasure(name, EVALUATED, known, again, why_not))
    return found


def how_to_get_more(trial: KeptTrial) -> str | None:
    """Say how a trial of mainrun gets the number that its contest is judged by; None where it has it."""
    if trial.row["space"] != "mainrun" or cost_of("val_mainrun_loss", trial.row) is not None:
        return None
    return (
        "val_mainrun_loss, by which the contest judges, was not measured: begin a search with "
        f"--set evaluation.mainrun_rows={MAINRUN_ROWS} (the contest's batch)"
    )


def compared(again: float | None, was: float | None) -> str:
    """Say a value that was read again beside the one in the search."""
    difference = "" if again is None or was is None else f"{again - was:+.3g}: computed on another device?"
    same = "the same to the last digit" if again == was else difference or "not known in one of them"
    return f"{_said(again)} when read again, {_said(was)} in the search: {same}"


def _said(value: float | None) -> str:
    """Write a value to its last digit, a count with its thousands apart."""
    return f"{value:,}" if isinstance(value, int) else repr(value)


def asked_measures(trial: KeptTrial, run: Run, score: Evaluation, small: Packed) -> list[AskedMeasure]:
    """The objectives of the trial's campaign, and what its limits are on; each measure once.

    ``run`` has the weights as they were read again, ``score`` is theirs, ``small`` their artifact.
    """
    found = []
    for name, asked_as in _asked(trial).items():
        again, why_not = _again(name, trial, run, score, small)
        found.append(AskedMeasure(name, asked_as, cost_of(name, trial.row), again, why_not))
    return found


def asked_names(trial: KeptTrial) -> list[str]:
    """The measures that the trial's campaign asks for."""
    return list(_asked(trial))


def also_of_campaign(trial: KeptTrial) -> str:
    """Say which limits on the artifact's bytes the campaign sets beside the artifact's own; empty without any."""
    limits = [one for one in limits_of(trial.results.campaign) if one.measure == ARTIFACT_BYTES and not one.of_artifact]
    return "".join(f", and of {limit.bound:,.0f} by the campaign's limit {limit.text}" for limit in limits)


def scores_of(score: Evaluation) -> dict[str, float]:
    """The scores of an evaluation by the names that the results have for them; without those that do not exist."""
    found = {name: getattr(score, field) for name, field in VALIDATION_SCORES.items()}
    return {name: value for name, value in found.items() if value is not None}


def _asked(trial: KeptTrial) -> dict[str, str]:
    """Measure -> what is asked of it."""
    asked: dict[str, list[str]] = {}
    known = {*OBJECTIVES, *COSTS, *SCORES_AT_THE_END}
    for place, name in enumerate(objectives_of(trial.results)):
        asked.setdefault(name, []).append("second objective" if place else "objective")
    for limit in limits_of(trial.results.campaign):
        asked.setdefault(limit.measure, []).append(f"limit {limit.text}")
    return {name: ", ".join(dict.fromkeys(said)) for name, said in asked.items() if name in known}


def _again(name: str, trial: KeptTrial, run: Run, score: Evaluation, small: Packed) -> tuple[float | None, str]:
    """Read the measure from the files; else None, and why not."""
    if name in VALIDATION_SCORES:
        return scores_of(score).get(name), ""
    if name == "parameters":
        return run.num_parameters, ""
    if name in (*ROUNDED_SCORES, ARTIFACT_BYTES):
        if small.settings != trial.config.artifact:
            return None, OF_OTHER_ARTIFACT
        return (getattr(small.score, ROUNDED_SCORES[name]) if name in ROUNDED_SCORES else small.total_bytes), ""
    return None, OF_CORE if name.startswith("core") else OF_TRAINING

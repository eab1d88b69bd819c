"""The runs of a submission, a seed each, with their scores before the round trip of the artifact and after it.

The competition scores what comes back from the artifact, so that is a submission's ``val_bpb``; the score of the
weights as they were trained is ``pre_quant_val_bpb``, as the competition's own files call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from results.statistics.student_t import two_sided_quantile
from results.store.row_types import TrialRow
from results.store.statuses import SEARCH
from storage import files
from terminal.counted import counted
from terminal.short import decimals
from trainable.evaluation.artifact import Artifact
from trainable.training_log import no_round_trip_line, round_trip_line, size_line
from trainable.weights import read_weights, run_with
from tuner.artifacts.export_folder import Exported
from tuner.artifacts.kept_trial import KeptTrial, fresh_seed_rows
from tuner.artifacts.rescored import Packed, packed, packed_bytes
from tuner.campaign.row_config import config_of


@dataclass(frozen=True)
class SeedScore:
    """One run: its scores as trained, and as its artifact comes back where that was measured."""

    row: TrialRow
    pre_quant_loss: float | None
    pre_quant_bpb: float | None
    loss: float | None
    bpb: float | None
    model_bytes: int | None  # of the artifact, where it was packed here

    @property
    def is_fresh(self) -> bool:
        """Tell whether the search did not choose by this run."""
        return self.row.get("stage") != SEARCH

    def log_lines(self, settings: Artifact, code_bytes: int) -> list[str]:
        """The lines of its artifact in its log."""
        if self.bpb is None and self.model_bytes is None:
            return [no_round_trip_line(settings, self.row["seed"])]
        size = [] if self.model_bytes is None else [size_line(settings, self.model_bytes, code_bytes)]
        return [*size, round_trip_line(settings, self.loss, self.bpb)]


def seed_scores(trial: KeptTrial, exported: Exported) -> list[SeedScore]:
    """The trial itself and the runs of its config on fresh seeds, in this order.

    The artifact is read again where the weights are kept, else it is what the search found of one with these settings.
    """
    row, settings = trial.row, exported.packed.settings
    found = [_packed_score(row, exported.score.loss, exported.score.bpb, exported.packed)]
    for run in fresh_seed_rows(trial.results, row.get("arm") or row["key"]):
        if run is row or run["key"] == row["key"]:
            continue
        if (small := _packed_again(trial, exported, run)) is not None:
            found.append(_packed_score(run, run["val_loss"], run["val_bpb"], small))
            continue
        known = trial.config.artifact == settings
        loss, bpb = (run["val_loss_quantised"], run["val_bpb_quantised"]) if known else (None, None)
        found.append(SeedScore(run, run["val_loss"], run["val_bpb"], loss, bpb, None))
    return found


def by_seed(scores: Sequence[SeedScore]) -> dict[str, dict[str, float | None]]:
    """The scores a seed, by the names that submission.json has for them; each name has one kind of score."""
    return {
        "val_bpb_by_seed": {str(one.row["seed"]): one.bpb for one in scores if one.bpb is not None},
        "pre_quant_val_bpb_by_seed": {str(one.row["seed"]): one.pre_quant_bpb for one in scores},
    }


def over_fresh_seeds(scores: Sequence[SeedScore]) -> str:
    """Say the mean of the runs on fresh seeds with its 95 % interval, which the seed of the search has no part in.

    It is of what is scored, after the round trip, where all of them have that.
    """
    fresh = [one for one in scores if one.is_fresh]
    before = [one.pre_quant_bpb for one in fresh if one.pre_quant_bpb is not None]
    after = [one.bpb for one in fresh if one.bpb is not None]
    complete = len(after) >= len(before)
    found = after if complete else before
    if len(found) < 2:
        return "Not yet trained on several fresh seeds: one run says little (the spread of seeds is not known)"
    half = two_sided_quantile(0.95, len(found) - 1) * stdev(found) / len(found) ** 0.5
    low, high = fmean(found) - half, fmean(found) + half
    name, of = "val_bpb", "after the round trip"
    if not complete:
        name, of = "pre_quant_val_bpb", f"before the round trip, which was measured for {len(after)} of them"
    mean = f"mean {decimals(fmean(found))}, 95 % interval {decimals(low)} .. {decimals(high)}"
    return f"{name} on {counted(len(found), 'fresh seed')} ({of}): {mean}"


def _packed_score(row: TrialRow, loss: float | None, bpb: float | None, small: Packed) -> SeedScore:
    return SeedScore(row, loss, bpb, small.score.loss, small.score.bpb, len(small.data))


def _packed_again(trial: KeptTrial, exported: Exported, row: TrialRow) -> Packed | None:
    """The artifact of a run on another seed, read again; None where its weights are not here."""
    one, config = replace(trial, row=row), config_of(row)
    if not row["weights"] or config is None or not files.is_file(one.file):
        return None
    # On the data of the trial, which are those of all its seeds.
    config = replace(config, data=trial.config.data)
    run = run_with(config, read_weights(one.file, row["key"]), exported.run.dataset, trial.runtime())
    settings = exported.packed.settings
    return packed(run, config, settings, packed_bytes(run, settings))

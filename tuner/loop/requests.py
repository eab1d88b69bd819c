"""Requests to workers: a trial's config, the milestones at which it is to report, and how it is run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from results.store.row_parts import given
from results.store.statuses import SEARCH
from storage.location import absolute
from trainable.config import Budget, TrainConfig
from trainable.monitors import ALL_MONITORS
from trainable.own.source import Source
from trainable.worker.request import Request
from tuner.campaign.entry import Entry
from tuner.campaign.row_config import to_json
from tuner.campaign.trial_files import TrialFiles
from tuner.early_stopping import Stopper, rounded
from tuner.loop.inputs import OneStart
from tuner.plan.cost import tokens_of
from tuner.spec import AT_VALIDATION, CampaignSpec

MOST_LOOKS = 200  # a second into the campaign's folder, by all trials together: each is a few requests to a file server


class Requests:
    """Makes the request of each trial, which puts a new attempt at it in force."""

    def __init__(
        self,
        spec: CampaignSpec,
        files: TrialFiles,
        stopper: Stopper,
        unit: str,
        here: OneStart,
        sources: Sequence[Source] = (),
        keeps: Callable[[Entry], bool] = lambda entry: False,
        checkpoint_at: Callable[[Entry], list[float]] = lambda entry: [],
    ) -> None:
        """``unit`` is that of the base's budget, in which the stopper's milestones are; ``keeps`` tells whether a trial
        is to leave its weights, ``checkpoint_at`` at which milestones it writes checkpoints.
        """
        self.spec, self.files, self.stopper, self.unit = spec, files, stopper, unit
        self.keeps, self.checkpoint_at = keeps, checkpoint_at
        self.here, self.sources = here, [source.to_json() for source in sources]
        self.stop_signal: str | None = None  # the name of the one that the trials are to wait for

    @property
    def look_seconds(self) -> float:
        """The least seconds between two looks of a trial into the campaign's folder."""
        return self.here.slots / MOST_LOOKS

    def make(self, entry: Entry) -> Request:
        """The request of a trial. One without a checkpoint starts from nothing, and what it reached is forgotten."""
        assert entry.config is not None, f"{entry.key} is no valid trial"
        searched = entry.stage == SEARCH
        begun = self.files.begin(entry.key, given(entry.row["attempt"]) + 1)
        request = Request(
            key=entry.key,
            config=json.dumps(to_json(entry.config)),
            data_fingerprint=str(entry.row["data"]),
            folder=absolute(self.files.folder),  # a worker may run elsewhere
            milestones=self.milestones_of(entry),
            fidelity=self.spec.fidelity if searched else "truncate",
            threads=self.here.threads,
            gpu_share=self.here.gpu_share,
            compile=bool(self.spec.compile),
            checkpoint_activations=bool(self.spec.checkpoint_activations),
            compile_blocks=self.spec.compile_blocks,
            flex_attention=self.spec.flex_attention,
            cuda_graphs=self.spec.cuda_graphs,
            look_seconds=self.look_seconds,
            stop_signal=self.stop_signal,
            stall_seconds=60 * self.spec.stall_minutes,
            train_tokens=tokens_of(entry.config) if isinstance(entry.config, TrainConfig) else None,
            attempt=begun.number,
            checkpoints=begun.names,
            sources=self.sources,
            keep=self.keeps(entry),
            checkpoint_at=self.checkpoint_at(entry),
            monitor=self.spec.monitor or ALL_MONITORS,
            checkpoint_steps=self.spec.checkpoint_every if isinstance(self.spec.checkpoint_every, int) else None,
            checkpoint_at_reports=self.spec.checkpoint_every == AT_VALIDATION,
        )
        if not begun.names:
            entry.restart()
            self.stopper.forget(entry.key)
        return request

    def milestones_of(self, entry: Entry) -> list[float]:
        """List where a trial reports before its end; empty for a run after the search, which is never stopped early."""
        return [] if entry.config is None or entry.stage != SEARCH else self.milestones(entry.config.budget)

    def milestones(self, budget: Budget) -> list[float]:
        """Rungs, and points of the curve evenly over the budget, in the budget's unit; ascending, each once."""
        assert self.spec.reports is not None, "it is settled"
        parts = self.spec.reports + 1
        between = {rounded(budget.amount * part / parts, budget.unit) for part in range(1, parts)}
        comparable = self.stopper.milestones if budget.unit == self.unit else []
        return sorted(float(m) for m in between | set(comparable) if 0 < m < budget.amount)

"""A trial as the driver asks a worker for it. Without torch and Ray: a driver of a default search loads no torch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from storage.location import location

from trainable.monitors import ALL_MONITORS
from trainable.worker.attempt import Attempt

POLL_SECONDS = 0.5  # how often a trial looks for the sign to end


@dataclass(frozen=True)
class Request:
    """One trial as the driver asks for it: plain data, sent as JSON."""

    key: str
    config: str  # JSON of a TrainConfig
    data_fingerprint: str
    folder: str  # the campaign's folder
    milestones: list[float] = field(default_factory=list)  # budget units
    fidelity: str = "truncate"  # how it is judged at them: see fidelity.py
    threads: int = 1
    gpu_share: float = 1.0  # the part of a GPU that it may take
    compile: bool = False
    checkpoint_activations: bool = False
    compile_blocks: bool = False
    flex_attention: bool = False
    cuda_graphs: bool = False
    checkpoint_seconds: float = 300.0  # least time between two checkpoints of a running trial, of these:
    checkpoint_steps: int | None = None  # a checkpoint every so many steps too
    checkpoint_at_reports: bool = False  # and one after each report
    attempt: int = 1
    checkpoints: list[str] = field(default_factory=list)  # to go on from, newest first; none is the first step
    look_seconds: float = 0.0  # least time between two looks into the campaign's folder, which all trials look into
    stop_signal: str | None = None  # its name, where the message to end comes through Ray (stop_signal.py)
    stall_seconds: float = 1800.0  # without a finished step, after which the trial counts as hanging
    sources: list[dict[str, Any]] = field(default_factory=list)  # of the user's own code (own/source.py)
    train_tokens: int | None = None  # how many it reads of its data, which limits what is downloaded; None is all
    keep: bool = False  # whether a run that completes leaves its weights
    checkpoint_at: list[float] = field(default_factory=list)  # milestones, at which it may be stopped and go on later
    monitor: str = ALL_MONITORS  # what its curve says (monitors.py)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @property
    def resume(self) -> bool:
        return bool(self.checkpoints)

    def begun(self) -> Attempt:
        """The attempt at the trial that this asks for."""
        return Attempt(location(self.folder), self.key, self.attempt, list(self.checkpoints))

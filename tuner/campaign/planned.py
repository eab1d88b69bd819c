"""Trainings that a replay has planned, before they are trials of a campaign."""

from __future__ import annotations

from dataclasses import dataclass

from trainable.config import TrainConfig


@dataclass(frozen=True)
class Planned:
    """One training of a replay: the rows that are this very computation, the first of them naming it."""

    ids: tuple[str, ...]
    reading: str
    config: TrainConfig
    data: str = ""  # fingerprint of the data that the config reads; empty until they are prepared
    inert: tuple[str, ...] | None = None  # overrides that change nothing; None if nobody asked

    @property
    def recorded_id(self) -> str:
        return self.ids[0]

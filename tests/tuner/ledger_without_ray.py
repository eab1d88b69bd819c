"""A campaign's ledger in which trials end as soon as they are asked for: confirmations are decided in milliseconds."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from results.design import Design
from tests.tuner.conftest import DATA, Bench
from trainable.config import TrainConfig
from tuner.campaign.entry import Entry
from tuner.campaign.trials import Ledger
from tuner.confirm import Confirmation

RATE = "optimizer.matrix_lr"
Value = Callable[[TrainConfig], float | None]


def best_at(rate: float, but: Value = lambda config: 0.0) -> Value:
    """A value that is lower the nearer the rate is; each seed moves all configs, each run has a little of its own."""

    def value(config: TrainConfig) -> float | None:
        own = zlib.crc32(config.key("").encode()) / 2**32 / 1000
        extra = but(config)
        far = abs(config.optimizer.matrix_lr - rate)  # type: ignore[attr-defined]
        return None if extra is None else 2 + far + config.seed % 7 / 10 + own + extra

    return value


class Book:
    """A search that is over, and what is asked of it afterwards."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.ledger = Ledger(bench.store(), bench.space, bench.base, DATA, "made-up-version")

    def searched(self, value: float | None, **changes: Any) -> Entry:
        """A trial of the search that completed with the value; ``changes`` by the last part of the knob's path."""
        paths = {knob.path.rsplit(".", 1)[-1]: knob.path for knob in self.bench.space.knobs}
        values = self.ledger.base_values | {paths[name]: there for name, there in changes.items()}
        entry = self.ledger.open(values, self.bench.space.config(self.bench.base, values), None)
        return self.end(entry, value)

    def rates(self, *rates: float) -> list[Entry]:
        """The base, and a trial for each rate, the first one the best."""
        self.searched(9.0)
        return [self.searched(1 + place / 10, matrix_lr=rate) for place, rate in enumerate(rates)]

    def stages(self, design: Design, **settings: Any) -> Confirmation:
        """A start of the campaign after its search."""
        return Confirmation(self.ledger, design, **settings)

    def train(self, stages: Confirmation, value: Value, most: int | None = None) -> list[Entry]:
        """End what is asked for, one after the other, until nothing is; the runs in the order asked for."""
        ended: list[Entry] = []
        while (most is None or len(ended) < most) and (entry := stages.next()) is not None:
            assert isinstance(entry.config, TrainConfig)
            ended.append(self.end(entry, value(entry.config)))
        return ended

    def end(self, entry: Entry, value: float | None) -> Entry:
        """The run is over: with a value, or diverged."""
        entry.row.update({"status": "diverged" if value is None else "completed", "value": value, "wall_seconds": 10.0})
        self.ledger.entries.changed(entry.key)
        return entry

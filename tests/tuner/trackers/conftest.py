"""A search whose trials have curves, and what a tracker should have of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from results.store.campaign_folder import Store
from tuner.trackers.follower import Follower, Told
from tuner.trackers.logging_to import Telling
from tuner.trackers.rows import points_of

Points = dict[str, list[tuple[int, str, float]]]  # by the name of a run: (step, name, value)


def said(step: int) -> dict[str, Any]:
    """The curve of a trial at a step, as its worker sends it."""
    steps = list(range(1, step + 1, 10))
    return {
        "steps": steps,
        "tokens": [64 * at for at in steps],
        "values": {"loss": [1.0 / at for at in steps], "learning_rate.all": [0.5] * len(steps)},
        "units": {"loss": "nats/token", "learning_rate.all": "factor"},
    }


@pytest.fixture
def with_curves(play) -> type[Any]:
    """The executor that plays Ray, of trials with curves."""

    class Player(play):  # type: ignore[misc]
        def _train(self, request: Any) -> Any:
            for result in super()._train(request):
                yield {**result, "curve": said(result["step"])}

    return Player


class Direct:
    """In place of an outbox and a process: a follower that does at once what it is told."""

    def __init__(self, store: Store, kind: Callable[..., Any], place: str | None = None, works: bool = True) -> None:
        self.now, self.said, self.works = 0.0, [], works
        self.follower = Follower(store, kind, place, self.said.append, lambda: self.now)
        self.lacking: int | None = None

    def tell(self, row: Any, until: int | None = None, arm_number: int | None = None, last: bool = False) -> None:
        self.follower.hear(Told(row["key"], dict(row), until, arm_number, last))
        if self.works and self.follower.idle_seconds == 0:
            self.follower.work()

    def poll(self) -> None:
        pass


@pytest.fixture
def follow(bench) -> Callable[..., tuple[Direct, Telling]]:
    """Follow a search by a tracker in this process."""

    def begin(search: Any, kind: Callable[..., Any], works: bool = True) -> tuple[Direct, Telling]:
        direct = Direct(bench.store(), kind, works=works)
        return direct, Telling(search, [direct])  # type: ignore[list-item]

    return begin


@pytest.fixture
def end() -> Callable[..., int]:
    """End a start of a campaign that is followed, as the driver does."""

    def over(search: Any, direct: Direct, telling: Telling, code: int = 0) -> int:
        search.abandon()
        telling.the_rest()
        return direct.follower.finish(code)

    return over


@pytest.fixture
def wanted(bench) -> Callable[[], Points]:
    """All points of the campaign's files, by the name of the run that they belong to."""

    def read() -> Points:
        store, found = bench.store(), {}
        numbers = {row["key"]: row["number"] for row in bench.rows()}
        for row in bench.rows():
            if row["config"] == "null":
                continue
            name = f"trial {row['number']}"
            if row["stage"] != "search":
                name = f"{row['stage']} {row['number']}: trial {numbers[row['arm']]} on seed {row['seed']}"
            points = points_of(store.reports(row["key"]), store.curve(row["key"]), -1, None)
            found[name] = [(p.step, name, value) for p in points for name, value in sorted(p.values.items())]
        return found

    return read

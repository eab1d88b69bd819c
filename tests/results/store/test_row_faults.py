"""A writer that is killed 250 times, at random moments of its compactions: pytest -m faults -s says by what."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from results import Store
from results.store import row_writer
from results.store.names import TRIALS_A_PART
from storage import inside
from tests.results.conftest import WHOLE

pytestmark = pytest.mark.faults
FAULTS = 250


class Killed(BaseException):
    """kill -9: nothing of the writer runs on."""


class Fates:
    """Kills before, in the middle of, or after a change of a file."""

    def __init__(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.draw, self.counts, self.calm = random.Random(seed), Counter[str](), False
        for name in ("write", "append"):
            monkeypatch.setattr(inside, name, self.maybe(name, getattr(inside, name)))

    def maybe(self, name: str, real: Callable[..., None]) -> Callable[..., None]:
        def change(folder: Path, file: str, content: bytes, **how: Any) -> None:
            if self.calm or self.draw.random() > 0.15:
                real(folder, file, content, **how)
                return
            when = self.draw.choice(["before", "in", "after"])
            self.counts[f"{when} {'an append' if name == 'append' else 'the write of ' + file.split('/')[0]}"] += 1
            if when == "after":
                real(folder, file, content)
            elif when == "in":
                cut = content[: self.draw.randrange(len(content))]
                if name == "append":
                    real(folder, file, cut)
                else:
                    left = inside._on_its_way(folder, file)
                    left.with_name(f"{left.name}.{self.draw.randrange(16**8):08x}").write_bytes(cut)
            raise Killed

        return change


def as_seen(store: Store) -> dict[str, tuple[int, list[int]]]:
    """The attempt of each trial and the steps of its reports."""
    trials, reports = store.tables()
    found = {
        str(row["key"]): (int(row["attempt"]), list[int]()) for row in trials.select(["key", "attempt"]).to_pylist()
    }
    assert len(found) == len(trials), "a trial twice"
    for row in reports.select(["key", "step"]).to_pylist():
        found[row["key"]][1].append(row["step"])
    return found


def after(now: dict[str, tuple[int, list[int]]], act: tuple[str, str, int]) -> dict[str, tuple[int, list[int]]]:
    """What is expected of a change that was made."""
    what, key, number = act
    attempt, steps = now.get(key, (0, []))
    changed = {"trial": (number, steps), "report": (attempt, [*steps, number]), "take back": (attempt, [])}
    return {**now, key: changed[what]}


def make(store: Store, act: tuple[str, str, int]) -> None:
    what, key, number = act
    if what == "trial":
        store.write_trial({**WHOLE, "key": key, "number": int(key[1:]), "attempt": number, "status": "running"})  # type: ignore[typeddict-item]
    elif what == "report":
        store.append_report({"key": key, "attempt": 1, "step": number})
    else:
        store.replace_reports(key, [])


def test_nothing_is_lost_twice_or_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_writer, "SETTLE_SECONDS", 0.0)
    store = Store.create(tmp_path / "faulty", {}, {})
    fates, now = Fates(1, monkeypatch), dict[str, Any]()
    keys = [f"k{number}" for number in (*range(6), *range(TRIALS_A_PART, TRIALS_A_PART + 6))]
    for number in range(1, 10_000):
        key = fates.draw.choice(keys)
        act = (fates.draw.choice(["trial", "report", "report", "take back"]) if key in now else "trial", key, number)
        try:
            make(store, act)
        except Killed:
            seen = as_seen(Store.open(store.folder))
            assert seen in (now, after(now, act)), f"fault {fates.counts.total()}"
            in_files = pd.read_parquet(store.folder / "trials")
            assert in_files["key"].is_unique and set(in_files["key"]) <= set(seen)
            pd.read_parquet(store.folder / "reports")
            store = Store.open(store.folder)
            try:
                store.set_damaged_aside(lambda place, why: None)  # killed too, now and then
            except Killed:
                assert as_seen(Store.open(store.folder)) == seen
                fates.calm = True
                store = Store.open(store.folder)
                store.set_damaged_aside(lambda place, why: None)
                fates.calm = False
            store.remove_half_written()
            assert as_seen(store) == seen and set(pd.read_parquet(store.folder / "trials")["key"]) == set(seen)
            assert not [name for name in (store.folder / "trials").iterdir() if name.suffix != ".parquet"]
            now = seen
        else:
            now = after(now, act)
        if fates.counts.total() >= FAULTS:
            break
    print(
        f"\n{fates.counts.total()} faults in {number} changes: "
        + ", ".join(f"{n} {k}" for k, n in fates.counts.most_common())
    )
    assert fates.counts.total() >= FAULTS and as_seen(Store.open(store.folder)) == now

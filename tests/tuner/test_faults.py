"""Faults at random moments of made-up campaigns: what is lost, done twice, unreadable or different afterwards?

The driver is killed between any two of its writes and within them, the disk fills up, workers and nodes die, signals
come, and some trials raise, hang, diverge or run out of memory. After each fault the campaign is resumed, until it
ends. A replay must then end as it does without any fault.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from results import Store
from results.store.curves import TrainingCurve
from results.store.row_kinds import ROW_KINDS
from results.store.statuses import ENDED
from storage import inside
from trainable.config import TrainConfig
from trainable.worker.attempt import STOP_FILE
from trainable.worker.watchdog import stall_file
from tuner.campaign.planned import Planned
from tuner.failures import KILLS, LOSSES
from tuner.search_loop import Search

pytestmark = pytest.mark.faults
WORKER_DIED = "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR\n"
NODE_DIED = "The actor died because its node has died. Node Id: 2c3d\n"
COMPARED = ["status", "value", "recorded_id", "config", "seed"]  # and of a trial that did not crash on its way:
COMPARED_TO_THE_END = ["last_value", "val_loss", "spent", "steps", "tokens"]
SEEDS = range(10)


class Killed(BaseException):
    """kill -9 of the driver: nothing of it runs on."""


class HangingTrialError(Exception):
    """Not raised in a real trial, which the watchdog ends."""


def cursed(seed: int, config: TrainConfig) -> str:
    """What befalls a trial in every run of the campaign, if anything does: not the base, whose crash ends a search."""
    rate = config.optimizer.matrix_lr  # type: ignore[attr-defined]
    if rate == TrainConfig().optimizer.matrix_lr:  # type: ignore[attr-defined]
        return ""
    draw = random.Random(f"{seed} {rate}")
    return draw.choice(["", "", "", "", "exception in a trial", "NaN", "out of memory", "hang"])


class Faults:
    """Decides when something happens, and counts it."""

    def __init__(self, seed: int, count: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.draw, self.count, self.full = random.Random(seed), count, False
        self.deaths: dict[tuple[str, str], int] = {}  # of a trial's worker or node, in this start
        self.left = 12  # injected at most, so that a campaign ends
        self.real, self.real_append, self.real_sync = inside.write, inside.append, inside.sync
        self.durable_size: dict[Path, int] = {}  # of files that were appended to
        self.not_durable: set[Path] = set()  # whole files
        self.emptied: set[Path] = set()  # of these, by a power cut
        self.power_was_cut = False
        monkeypatch.setattr(inside, "write", self.write)
        monkeypatch.setattr(inside, "append", self.append)
        monkeypatch.setattr(inside, "sync", self.sync)

    def now(self, chance: float) -> bool:
        return self.left > 0 and self.draw.random() < chance

    def note(self, kind: str) -> None:
        self.count.injected[kind] += 1
        self.left -= 1

    def write(self, folder: Path, name: str, content: bytes, **how: Any) -> None:
        path = folder / name
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        if not self.now(0.03):
            self.real(folder, name, content, **how)
            self.durable_size.pop(path, None)
            (self.not_durable.discard if how.get("durable", True) else self.not_durable.add)(path)
            return
        kind = self.draw.choice(["before a write", "in a write", "after a write", "disk full"])
        if kind == "disk full":
            self.note(kind)
            self.full = True
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        self.note(f"driver killed {kind}")
        if kind == "in a write":
            cut = content[: self.draw.randrange(len(content) + 1)]
            left = inside._on_its_way(folder, name)
            left.with_name(f"{left.name}.{self.draw.randrange(10**8):08}").write_bytes(cut)
        elif kind == "after a write":
            self.real(folder, name, content)
        raise Killed

    def append(self, folder: Path, name: str, content: bytes, **how: Any) -> None:
        """Change the log, or not, or half of it."""
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device", str(folder / name))
        if not self.now(0.03):
            before = (folder / name).stat().st_size
            self.real_append(folder, name, content, **how)
            if how.get("durable", True):
                self.durable_size.pop(folder / name, None)
            else:
                self.durable_size.setdefault(folder / name, before)
            return
        kind = self.draw.choice(["before", "in", "after", "power cut"])
        if kind == "power cut":
            self.cut_power()
        self.note(kind if kind == "power cut" else f"driver killed {kind} an append")
        if kind in ("in", "after"):
            end = self.draw.randrange(len(content)) if kind == "in" else len(content)
            self.real_append(folder, name, content[:end])
        raise Killed

    def sync(self, folder: Path, name: str) -> None:
        self.real_sync(folder, name)
        self.durable_size.pop(folder / name, None)
        self.not_durable.discard(folder / name)

    def cut_power(self) -> None:
        """Lose what nobody has waited for: the end of a file, or all of it."""
        self.power_was_cut = True
        for path, size in self.durable_size.items():
            with path.open("r+b") as file:
                file.truncate(self.draw.randint(size, path.stat().st_size))
        for path in self.not_durable:
            if path.exists() and self.draw.random() < 0.5:
                path.write_bytes(b"")
                self.emptied.add(path)


def curve_at(step: int) -> dict[str, Any]:
    """What every trial says of itself at a step, however often it was interrupted."""
    steps = list(range(1, step + 1, 16))
    return {"steps": steps, "tokens": None, "values": {"loss": [1 / at for at in steps]}, "units": {"loss": "s"}}


def check_curves(bench: Any) -> None:
    """Every trial that completed has its whole curve, and all of them can be read."""
    store = bench.store()
    store.curves()
    for row in store.trials():
        if row["status"] == "completed":
            assert store.curve(row["key"]) == TrainingCurve(**curve_at(row["steps"]))


def player(play: type[Any]) -> type[Any]:
    """Ray's part, with workers and nodes that die and a signal that comes."""

    class Player(play):  # type: ignore[misc]
        faults: Faults

        def _train(self, request: Any) -> Any:
            for result in super()._train(request):
                yield {**result, "curve": curve_at(result["step"])}

        def step(self) -> bool:
            running, faults = list(self.running), self.faults
            if running and faults.now(0.06):
                key, (kind, error, limit) = (
                    faults.draw.choice(running),
                    faults.draw.choice([("worker killed", WORKER_DIED, KILLS), ("node lost", NODE_DIED, LOSSES)]),
                )
                faults.deaths[key, kind] = faults.deaths.get((key, kind), 0) + 1
                if faults.deaths[key, kind] <= limit:
                    faults.note(kind)
                    self.search.die(key, error)
                    del self.running[key]
            if not self.search.stopping and faults.now(0.015):
                faults.note("SIGTERM")
                self.search.stop("interrupted")
            return super().step()

        def died(self, key: str, error: Exception) -> None:
            if not isinstance(error, HangingTrialError):
                super().died(key, error)
                return
            file = self.search.folder / stall_file(key, self.search.files.begun[key])
            file.parent.mkdir(exist_ok=True)
            file.write_text("Timeout (0:00:30)!\n")
            self.search.die(key, WORKER_DIED)
            self._gone(key)

    return Player


def with_curses(seed: int, curve: Callable[[TrainConfig, float], float]) -> Callable[[TrainConfig, float], float]:
    def value(config: TrainConfig, milestone: float) -> float:
        kind, rate = cursed(seed, config), config.optimizer.matrix_lr  # type: ignore[attr-defined]
        if milestone > 20 and kind == "exception in a trial":
            raise RuntimeError(f"made up at {rate}")
        if milestone > 20 and kind == "out of memory":
            raise MemoryError(f"made up at {rate}")
        if milestone > 20 and kind == "hang":
            raise HangingTrialError
        return float("nan") if milestone > 20 and kind == "NaN" else curve(config, milestone)

    return value


def start(bench: Any, slots: int, planned: list[Planned] | None, stopper: str) -> Search:
    (bench.folder / STOP_FILE).unlink(missing_ok=True)  # as tuner/run.py does
    return bench.search(trials=10, slots=slots, stopper=stopper, planned=planned)


def check_readable(bench: Any, count: Any, emptied: Collection[Path] = ()) -> dict[str, dict[str, Any]]:
    """The rows, by key. Every file opens, in pandas too, whatever has just happened, but the curves of trials that ran
    when the power was cut.
    """
    store = Store.open(bench.folder)
    for dataset in ROW_KINDS:
        for file in (bench.folder / dataset).glob("[!.]*.parquet"):
            try:
                pd.read_parquet(file)
            except Exception:
                count.unreadable += not (dataset == "curves" and file in emptied and not file.stat().st_size)
    return {row["key"]: row for row in store.trials()}


def campaign(bench: Any, begin: Callable[[], Search], one: type[Any], faults: Faults, curve: Any) -> None:
    """Start and resume until nothing is left to do."""
    count = faults.count
    if not (bench.folder / "campaign.json").exists():
        left, faults.left = faults.left, 0
        bench.store()
        faults.left = left
    while True:
        before = {k for k, row in check_readable(bench, count, faults.emptied).items() if row["status"] in ENDED}
        faults.full, faults.deaths, run = False, {}, None
        try:
            if faults.power_was_cut:  # as each resume does
                Store.open(bench.folder).set_damaged_aside(lambda *said: None)
                faults.power_was_cut = False
            search = begin()
            run = one(search, curve, seed=faults.draw.randrange(10**6), checkpoint_chance=0.4)
            run.faults = faults
            run.run()
            search.abandon()
            cut_short = False
        except (Killed, OSError):
            cut_short = True
        if run is None:
            continue
        ended: list[str] = []
        again = {k for k, row in check_readable(bench, count, faults.emptied).items() if row["promotions"]}
        count.twice += len(before & set(run.started) - again)
        ended += [key for key in run.ended if run.ended.count(key) > 1 and key not in again]
        count.twice += len(set(ended))
        if not cut_short and not run.search.stopping and run.search.exhausted and not run.search.live:
            return


def uninterrupted(bench: Any, begin: Callable[[], Search], play: type[Any], curve: Any) -> dict[str, dict[str, Any]]:
    class Calm(player(play)):  # type: ignore[misc]
        def step(self) -> bool:
            return play.step(self)

    while True:
        search = begin()
        Calm(search, curve).run()
        search.abandon()
        if not search.stopping:  # as it does after the same error three times in a row
            break
    return {row["key"]: row for row in bench.rows()}


def planned_trials(base: TrainConfig) -> list[Planned]:
    rates = [0.01 * 1.3**i for i in range(10)]
    configs = [base, *(replace(base, optimizer=replace(base.optimizer, matrix_lr=rate)) for rate in rates[1:])]
    return [Planned((f"R{i}",), "as_run", config, "made-up-data") for i, config in enumerate(configs)]


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_replay_ends_as_without_faults(seed, slots, make_bench, play, toy_curve, fault_count, monkeypatch) -> None:
    curve = with_curses(seed, toy_curve)
    calm, bench = make_bench("calm"), make_bench("faulty")
    plan = planned_trials(bench.base)
    expected = uninterrupted(calm, lambda: start(calm, slots, list(plan), "none"), play, curve)
    for row in expected.values():
        kind = cursed(seed, next(p.config for p in plan if p.recorded_id == row["recorded_id"]))
        fault_count.injected.update([kind] if kind else [])
    faults = Faults(seed, fault_count, monkeypatch)
    campaign(bench, lambda: start(bench, slots, list(plan), "none"), player(play), faults, curve)
    found = check_readable(bench, fault_count)
    fault_count.lost += sum(key not in found or found[key]["status"] not in ENDED for key in expected)
    differing = [
        (key, name, found.get(key, {}).get(name), expected[key][name])
        for key in expected
        for name in COMPARED + COMPARED_TO_THE_END * (expected[key]["status"] != "crashed")
        if repr(found.get(key, {}).get(name)) != repr(expected[key][name])  # NaN is NaN
    ]
    fault_count.differing += len({key for key, *_ in differing})
    assert (fault_count.lost, fault_count.twice, fault_count.unreadable, differing) == (0, 0, 0, [])
    assert found.keys() == expected.keys()
    check_curves(bench)


@pytest.mark.parametrize("stopper", ["asha", "median"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_search_loses_nothing(seed, stopper, bench, play, toy_curve, fault_count, monkeypatch) -> None:
    faults = Faults(1000 + seed, fault_count, monkeypatch)
    campaign(bench, lambda: start(bench, 2, None, stopper), player(play), faults, with_curses(seed, toy_curve))
    rows = check_readable(bench, fault_count).values()
    trials = [row for row in rows if row["config"] != "null"]
    fault_count.lost += sum(row["status"] not in ENDED for row in trials) + 10 - len(trials)
    assert (fault_count.lost, fault_count.twice, fault_count.unreadable) == (0, 0, 0)
    assert sum(row["is_base"] for row in rows) == 1
    for row in trials:
        if row["status"] == "completed":
            assert row["value"] == row["last_value"] and row["steps"] == 240 and row["checkpoint"] is None
    assert not list((bench.folder / "checkpoints").glob("*"))
    check_curves(bench)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_what_was_stopped_goes_on_and_ends_whatever_befalls_it(
    seed, bench, play, turning, fault_count, monkeypatch
) -> None:
    faults = Faults(2000 + seed, fault_count, monkeypatch)

    def begin() -> Search:
        (bench.folder / STOP_FILE).unlink(missing_ok=True)
        return bench.search(trials=20, slots=2, stopper="predictive", promote=True)

    campaign(bench, begin, player(play), faults, turning)
    rows = check_readable(bench, fault_count).values()
    trials = [row for row in rows if row["config"] != "null"]
    fault_count.lost += sum(row["status"] not in ENDED for row in trials) + 20 - len(trials)
    assert (fault_count.lost, fault_count.twice, fault_count.unreadable) == (0, 0, 0)
    again = [row for row in trials if row["promotions"]]
    assert again, "some go on"
    for row in again:
        whole = row["status"] == "completed"
        assert not whole or (row["steps"] == 240 and row["rung"] is None and row["value"] == row["last_value"])
    assert not any(row["checkpoint"] for row in rows) and not list((bench.folder / "checkpoints").glob("*"))
    check_curves(bench)

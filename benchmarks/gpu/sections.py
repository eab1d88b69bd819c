"""The sections of the check, and their run: each on its own, with all figures so far written down after each."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gpu.attention import attention_kernels
from benchmarks.gpu.checkpointed import checkpointed
from benchmarks.gpu.compiled import compiled
from benchmarks.gpu.context import Context
from benchmarks.gpu.curves import curves
from benchmarks.gpu.environment import environment
from benchmarks.gpu.evaluation import evaluation
from benchmarks.gpu.every_component import each_component
from benchmarks.gpu.figures import Figures, attempt
from benchmarks.gpu.graphs import graphs
from benchmarks.gpu.memory import no_memory, steps_that_stay
from benchmarks.gpu.packing import packing
from benchmarks.gpu.resuming import resuming
from benchmarks.gpu.reused_process import reused_actor
from benchmarks.gpu.right import models, optimizers
from benchmarks.gpu.shared import shared
from benchmarks.gpu.spaces import every_space
from benchmarks.gpu.speed import speed_full, speed_proxy
from benchmarks.gpu.stacked import stacked
from benchmarks.gpu.waiting import waiting
from benchmarks.gpu.ways import ways
from terminal.nearest import nearest


@dataclass(frozen=True)
class Section:
    """A part of the check, and the least seconds that are worth starting it with."""

    run: Callable[[Context], Figures]
    least_seconds: float


SECTIONS = {  # in the order in which they run
    "environment": Section(environment, 5),
    "models": Section(models, 10),
    "optimizers": Section(optimizers, 10),
    "each_component": Section(each_component, 30),
    "waiting": Section(waiting, 5),
    "resuming": Section(resuming, 15),
    "no_memory": Section(no_memory, 10),
    "steps_that_stay": Section(steps_that_stay, 5),
    "attention_kernels": Section(attention_kernels, 10),
    "speed_full": Section(speed_full, 90),
    "speed_proxy": Section(speed_proxy, 60),
    "graphs": Section(graphs, 20),
    "evaluation": Section(evaluation, 30),
    "packing": Section(packing, 70),
    "stacked": Section(stacked, 20),
    "curves": Section(curves, 40),
    "every_space": Section(every_space, 40),
    "checkpointed": Section(checkpointed, 40),
    "shared": Section(shared, 120),
    "compiled": Section(compiled, 60),
    "reused_actor": Section(reused_actor, 60),
    "ways": Section(ways, 120),
}


def chosen(only: Sequence[str], skip: Sequence[str]) -> list[str]:
    """Names of the sections to run, in their order: all unless some are given, without those to skip."""
    for name in (*only, *skip):
        if name not in SECTIONS:
            raise ValueError(f"there is no section {name!r}: {nearest(name, SECTIONS, 'sections')}")
    names = [name for name in SECTIONS if name in (only or SECTIONS) and name not in skip]
    if not names:
        raise ValueError(f"no section is left: --sections {','.join(only)} without --skip {','.join(skip)}")
    return names


@dataclass(frozen=True)
class Check:
    """A run of sections until a deadline."""

    context: Context
    begun: float  # time.perf_counter() then
    deadline_seconds: float
    out: Path | None
    say: Callable[[str], None]  # given a line after each section

    def run(self, names: Sequence[str]) -> Figures:
        """The figures of every section; an OSError where they cannot be written."""
        found: Figures = {"device": self.context.device, "quick": self.context.quick, "seconds": {}}
        self._write(found)
        for name in names:
            section = SECTIONS[name]
            left = self.deadline_seconds - self._seconds()
            if left < section.least_seconds:
                found[name] = {"skipped": f"{left:.0f} s left"}
                continue
            began = time.perf_counter()
            found[name] = attempt(section.run, self.context)
            with suppress(RuntimeError):  # of a device that a section has left in disorder
                self.context.fresh()
            found["seconds"][name] = round(time.perf_counter() - began, 1)
            self.say(f"[{self._seconds():5.0f} s] {name}: {found['seconds'][name]} s{_failed(found[name])}")
            self._write(found)
        self._write(found)
        return found

    def _seconds(self) -> float:
        return time.perf_counter() - self.begun

    def _write(self, found: Figures) -> None:
        """Replace the file whole, so that a check that is cut off leaves what it has found."""
        if self.out is None:
            return
        partial = self.out.with_name(f"{self.out.name}.{os.getpid()}.partial")
        try:
            partial.write_text(json.dumps(found, indent=1), encoding="utf-8")
            os.replace(partial, self.out)
        finally:
            partial.unlink(missing_ok=True)


def _failed(figures: Figures) -> str:
    return f", failed: {figures['failed']}" if "failed" in figures else ""

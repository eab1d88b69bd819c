"""The worker that trains: one trial after another, each step to the next report. It knows nothing of Ray.

It is kept between trials so that imports, data and device stay warm; one in which a trial raises is replaced.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from functools import partial
from typing import Any

import torch
from storage import files
from storage.location import Url, location
from storage.waiting import wait_for_stores

from trainable.component_json import decode
from trainable.config import TrainConfig
from trainable.data.dataset import DataConfig, Dataset
from trainable.data.preparation import prepare
from trainable.evaluation.core import Core
from trainable.evaluation.core_score import ready
from trainable.monitors import Monitors
from trainable.optimizers.iteration_precision import name_of_precision
from trainable.own import modules as own_modules
from trainable.own.source import Source
from trainable.report import Environment, Report
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.weights import scored, write_weights
from trainable.worker.attempt import STOP_FILE
from trainable.worker.fidelity import FIDELITIES, Fidelity
from trainable.worker.kept_weights import path_of
from trainable.worker.leftovers import Leftovers
from trainable.worker.out_of_memory import facts_told, make_room
from trainable.worker.request import POLL_SECONDS, Request
from trainable.worker.stop_signal import FOLDER_LOOK_SECONDS, StopListener
from trainable.worker.watchdog import Watchdog, stall_file

STORE_POLL_SECONDS = (
    15.0  # how often a trial looks for the sign to end in an object store, where each look is two requests
)


class TrialWorker:
    """Each ``step`` trains to the next milestone and returns its report."""

    _datasets: dict[DataConfig, Dataset]
    leftovers: Leftovers
    watchdog: Watchdog | None = None
    listener: StopListener | None = None

    def cleanup(self) -> None:
        if self.watchdog is not None:
            self.watchdog.close()

    def setup(self, config: dict[str, Any]) -> None:
        wait_for_stores()
        self._datasets = {}
        self.leftovers = Leftovers()
        self.begin(Request(**json.loads(config["request"])))

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.begin(Request(**json.loads(new_config["request"])))
        return True

    def begin(self, request: Request) -> None:
        """Prepare the next trial; the data stay from the last one if it read the same."""
        self.started, self.request, self.attempt = time.perf_counter(), request, request.begun()
        for name in ("reports", "fidelity"):  # the last trial's memory, before the next one needs it
            self.__dict__.pop(name, None)
        self.leftovers.free()
        make_room(request.gpu_share)
        torch.set_num_threads(request.threads)
        if not files.exists(location(request.folder)):
            raise ValueError(f"node {socket.gethostname()} does not see the campaign's folder {request.folder!r}")
        self.notes: list[str] = []  # faults that were got over
        self.watch()
        with self.watched(), facts_told(request.gpu_share):
            self.listen(request.stop_signal)
            self.build(request)

    def listen(self, name: str | None) -> None:
        """Wait for the message that the campaign ends, unless this worker waits for it since an earlier trial."""
        if name is None:
            self.listener = None
        elif self.listener is None or self.listener.name != name or not self.listener.is_connected:
            self.listener = StopListener(name)

    def build(self, request: Request) -> None:
        """Build the run: everything up to the first step."""
        self.load_own_code(request)
        config = decode(json.loads(request.config))
        assert isinstance(config, TrainConfig)
        runtime = Runtime.detect(
            request.compile,
            config.number_format,
            checkpoint_activations=request.checkpoint_activations,
            compile_blocks=request.compile_blocks,
            flex_attention=request.flex_attention,
            cuda_graphs=request.cuda_graphs,
        )
        runtime.reset_peak_memory()
        dataset, driver = self.dataset(config.data), FIDELITIES[request.fidelity]
        if config.evaluation.core is not None:
            self.questions(config.evaluation.core)
        start = partial(Run.start, dataset=dataset, runtime=runtime, monitors=Monitors.of_text(request.monitor))
        self.fidelity: Fidelity = driver(config, start, request.milestones, self.should_stop)
        if request.resume:
            self.go_on()
        self.polled = self.looked = self.saved = time.monotonic()
        self.has_reported, self.saved_steps = False, self.fidelity.run.spent.steps
        self.reports: Iterator[Report] = self.fidelity.reports()

    def load_own_code(self, request: Request) -> None:
        """Execute the user's own sources, from their text: this node need not have the files."""
        try:
            own_modules.load([Source.of_json(source) for source in request.sources])
        except ValueError as error:
            raise ValueError(f"node {socket.gethostname()} cannot load the user's own code: {error}") from None

    def dataset(self, config: DataConfig) -> Dataset:
        if config not in self._datasets:
            try:
                found = prepare(config, train_tokens_needed=self.request.train_tokens)
            except ValueError as error:
                raise ValueError(f"node {socket.gethostname()} lacks the data: {error}") from None
            if found.fingerprint != self.request.data_fingerprint:
                where, wanted = f"{config.source!r} on {socket.gethostname()}", self.request.data_fingerprint
                raise ValueError(
                    f"the data {where} have fingerprint {found.fingerprint}, not {wanted}: they have changed"
                )
            self._datasets = {config: found}
        return self._datasets[config]

    def questions(self, core: Core) -> None:
        """See that what is asked at the end is on this node, before the training begins."""
        try:
            ready(core)
        except ValueError as error:
            raise ValueError(f"node {socket.gethostname()} lacks the questions of CORE: {error}") from None

    def watch(self) -> None:
        """Set the watchdog on the trial that begins."""
        self.cleanup()  # of a trial that was stopped
        self.watchdog = None
        name = stall_file(self.request.key, self.request.attempt)
        try:
            self.watchdog = Watchdog(location(self.request.folder), name, self.request.stall_seconds)
        except OSError as error:
            self.notes.append(f"not watched for hanging: {error.strerror}")

    def watched(self) -> AbstractContextManager[None]:
        return nullcontext() if self.watchdog is None else self.watchdog.watching()

    def go_on(self) -> None:
        """Take up the trial at its newest checkpoint that is whole; at its first step where there is none."""
        state, wrong = self.attempt.restore()
        if state is not None:
            self.fidelity.load_state_dict(state)
        self.notes += [f"{why}; went on from {'the one before' if state else 'the first step'}" for why in wrong]

    def should_stop(self) -> bool:
        """Save a due checkpoint, and tell whether the trial is to stop; called between two steps.

        It is where the campaign wants to end, or another attempt is in force: nobody then waits for this one.
        """
        if self.checkpoint_is_due() and self.in_force():
            self.save_state()
        now = time.monotonic()
        if now - self.polled < POLL_SECONDS:
            return False
        self.polled = now
        if self.watchdog is not None:
            self.watchdog.pat()
        if self.listener is not None and self.listener.heard():
            return True
        folder = location(self.request.folder)
        least = max(self.request.look_seconds, STORE_POLL_SECONDS if isinstance(folder, Url) else 0.0)
        if self.listener is not None and self.listener.is_connected:
            least = max(least, FOLDER_LOOK_SECONDS)
        if now - self.looked < least:
            return False
        self.looked = now
        if not self.in_force():
            return True
        if now - self.saved > self.request.checkpoint_seconds:
            self.save_state()
        return self.readable(lambda: files.exists(folder / STOP_FILE), otherwise=False)

    def checkpoint_is_due(self) -> bool:
        """Tell whether a checkpoint is asked for here: at its step, or behind a report, with which a trial may end."""
        steps, every = self.fidelity.run.spent.steps, self.request.checkpoint_steps
        at_its_step = every is not None and steps > 0 and steps % every == 0 and steps != self.saved_steps
        return at_its_step or (self.has_reported and self.request.checkpoint_at_reports)

    def in_force(self) -> bool:
        """Tell whether the trial is still this attempt's and not over; True where nobody can say."""
        return self.readable(self.attempt.in_force, otherwise=True)

    def readable(self, look: Callable[[], bool], otherwise: bool) -> bool:
        """Return what the campaign's folder says. Where it cannot be read the training goes on as before."""
        try:
            return look()
        except OSError as error:
            said = f"the campaign's folder could not be read: {error.strerror or error}"
            self.notes += [said] if said not in self.notes else []  # it is asked all the time
            return otherwise

    def save_state(self) -> None:
        """Write a checkpoint. Where that fails, the training is worth more: it goes on, and the row says so."""
        try:
            self.attempt.save(self.fidelity.state_dict())
        except OSError as error:
            self.notes.append(f"a checkpoint was not written: {error.strerror or error}")
        self.saved = time.monotonic()
        self.has_reported, self.saved_steps = False, self.fidelity.run.spent.steps

    def keep_weights(self) -> str | None:
        """Write the weights as they were scored; where they lie, None where that failed, of which the row tells."""
        request = self.request
        path = path_of(request.key, request.attempt)
        try:
            write_weights(
                location(request.folder), path, scored(self.fidelity.run), request.key, request.data_fingerprint
            )
        except OSError as error:
            self.notes.append(f"its weights were not written: {error.strerror or error}")
            return None
        return path

    def step(self) -> dict[str, Any]:
        with self.watched(), facts_told(self.request.gpu_share):
            report, weights = next(self.reports), None
            due = report.status == "running" and report.milestone in self.request.checkpoint_at
            if (due or report.status == "interrupted") and self.in_force():
                self.save_state()
            if report.status == "completed" and self.request.keep and self.in_force():
                weights = self.keep_weights()
        self.has_reported = not due  # else its checkpoint is written
        if report.status != "running":
            self.cleanup()
        run = self.fidelity.run
        environment = Environment(
            parameters=run.num_parameters,
            device=run.runtime.device_name,
            precision=run.runtime.precision,
            muon_precision=name_of_precision(run.optimizer_states),
            activations_checkpointed=run.runtime.checkpoint_activations,
            peak_memory_bytes=run.runtime.peak_memory_bytes(),
            peak_reserved_bytes=run.runtime.peak_reserved_bytes(),
            wall_seconds=time.perf_counter() - self.started,
            worker=f"{socket.gethostname()}:{os.getpid()}",
        )
        return {
            **asdict(report),
            **asdict(environment),
            "curve": run.curve.plain(),
            "weights": weights,
            "note": "; ".join(dict.fromkeys(self.notes)),
            "done": report.status != "running",
        }

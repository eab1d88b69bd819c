"""One training by a user's own function, on the worker: the function runs in a thread, and stands still at each report
that somebody is to judge until it may go on.

Nothing here knows Ray, and nothing imports torch: a worker need not wait for what its function does not use.
"""

from __future__ import annotations

import math
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from terminal.short import message_of, shortened
from trainable.thinning import Thinning

LOOK_SECONDS = 0.5  # how often it is asked whether the campaign ends
GRACE_SECONDS = 10.0  # for a function to come to its next report once it does, and to end once it was stopped

Train = Callable[[Mapping[str, Any], Any], float | None]


class Stopped(BaseException):
    """Exception of ``report`` in a trial that goes no further: early stopping, an interruption. It need not be caught;
    ``finally`` blocks run.
    """


@dataclass(frozen=True)
class Task:
    """Task of a training: what it is given beside its function."""

    config: Mapping[str, Any]  # that the function gets: its values, seed and steps
    steps: int
    milestones: Sequence[float]  # steps at which it is judged, or its curve wants a point
    objective: str
    maximise: bool = False  # what it reports is then negated, since everything else minimises


class ReportedCurve:
    """Curve of a function's reports so far, thinned as the curves of our own trainings are."""

    def __init__(self) -> None:
        self.thinning = Thinning()
        self.points: list[tuple[int, float]] = []

    def add(self, step: int, value: float) -> None:
        if self.thinning.keeps_next:
            if self.thinning.makes_room():
                self.points = self.points[::2]
            self.points.append((step, value))
        self.thinning.seen += 1

    def plain(self) -> dict[str, Any]:
        """Return it as the curve of one of our own trainings (trainable/curve.py)."""
        name, points = "reported_value", list(self.points)  # a copy: the function may go on
        return {
            "steps": [step for step, _ in points],
            "tokens": None,
            "values": {name: [value for _, value in points]},
            "units": {name: "unit of the objective"},
        }


class Reporter:
    """The second argument of a train function: ``report(step, value)``."""

    def __init__(self, running: Running) -> None:
        self._running = running

    @property
    def rungs(self) -> tuple[int, ...]:
        """Steps at which a report is waited for, ascending: the first report at one or after it counts as its."""
        return tuple(int(milestone) for milestone in self._running.task.milestones)

    @property
    def stopped(self) -> bool:
        """Tell whether the trial goes no further: the next report raises ``Stopped``."""
        return self._running.ending

    def __call__(self, step: int, value: float) -> None:
        """Say the objective at a step, which rises from 1 to the budget. Raises ``Stopped`` where the trial ends."""
        self._running.reported(step, value)


class Running:
    """One training. ``next`` runs it to its next report that is judged, or to its end."""

    def __init__(self, train: Train, task: Task, ends: Callable[[], bool] = lambda: False) -> None:
        """``ends`` is asked now and then whether the campaign wants all trainings to end."""
        self.train, self.task, self.ends = train, task, ends
        self.ending = False
        self.step, self.value = 0, None  # type: int, float | None
        self._said: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._go = threading.Semaphore(0)
        self._reporting = threading.Lock()
        self._thread = threading.Thread(target=self._train, name="train", daemon=True)
        self.seconds, self._since = 0.0, time.perf_counter()
        self._begun = self._since
        self._passed = 0.0  # the latest milestone
        self.curve = ReportedCurve()

    # --- on the function's side -------------------------------------------------------------------------------------

    def _train(self) -> None:
        self._since = time.perf_counter()
        try:
            returned = self.train(dict(self.task.config), Reporter(self))
            final = math.nan if self.ending else self._final(returned)
        except Stopped:
            own = RuntimeError("train has raised Stopped by itself: return, or raise another exception")
            self._said.put(("stopped", None) if self.ending else ("raised", own))
        except SystemExit as error:  # which would end the worker without a word
            self._said.put(("raised", RuntimeError(f"train has called sys.exit({shortened(error.code)})")))
        except Exception as error:
            self._said.put(("raised", error))
        except BaseException as error:  # as KeyboardInterrupt, which would too: nobody but the function has raised it
            why = f": {message_of(error)}" if message_of(error) else ""
            self._said.put(("raised", RuntimeError(f"train has raised {type(error).__name__}{why}")))
        else:
            self._pause()
            self._said.put(("stopped", None) if self.ending else ("returned", final))  # it may have seen that it ends

    def reported(self, step: int, value: float) -> None:
        """Take in a report; stand still where it is one that counts. Threads of the function do so one by one."""
        with self._reporting:
            self._take_in(step, value)

    def _take_in(self, step: int, value: float) -> None:
        if self.ending:
            raise Stopped
        value = _number(value, "report's value")
        if isinstance(step, bool) or not hasattr(step, "__index__"):
            raise TypeError(f"report's step is {shortened(step)} but must be a whole number")
        step = step.__index__()
        if not self.step < step <= self.task.steps:
            rule = f"must rise, and be in 1..{self.task.steps}, the campaign's steps"
            raise ValueError(f"report's step is {shortened(step)} after {self.step} but {rule}")
        self.step, self.value = step, self._minimised(value)
        self.curve.add(step, self.value)
        if step == self.task.steps and math.isfinite(value):
            return  # its end: what is left of the function is not waited for by anybody
        passed = max((m for m in self.task.milestones if self._passed < m <= step), default=None)
        if passed is None and math.isfinite(value):
            return
        self._passed = float(step) if passed is None else passed
        self._pause()
        self._said.put(("reported", self._passed))
        self._go.acquire()
        self._since = time.perf_counter()
        if self.ending:
            raise Stopped

    def _final(self, returned: Any) -> float:
        if returned is not None:
            return self._minimised(_number(returned, "value that train returned"))
        if self.step < self.task.steps or self.value is None:
            last = f"its last report was at step {self.step} of {self.task.steps}" if self.step else "reported nothing"
            raise ValueError(f"train returned None and {last}: return the final value, or report it at the last step")
        return self.value

    def _minimised(self, value: float) -> float:
        return -value if self.task.maximise else value

    def _pause(self) -> None:
        self.seconds += time.perf_counter() - self._since

    # --- on the worker's side ---------------------------------------------------------------------------------------

    def next(self) -> dict[str, Any]:
        """Train on, and give the result as Ray Tune and the search take it. What the function raised is raised."""
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._go.release()
        said, what = self._wait()
        if said == "raised":
            raise what
        if said == "returned":
            self.step, self.value = self.task.steps, what
            finite = math.isfinite(what)
            reason = "" if finite else f"{self.task.objective} is {what} at the end"
            return self._result("completed" if finite else "diverged", float(self.task.steps), reason)
        if said == "reported" and not self._is_to_end():
            return self._result("running", what)
        return self._result("interrupted", float(self.step))

    def _wait(self) -> tuple[str, Any]:
        """Wait for the function's next message. Once the campaign ends it has some seconds to come to a report."""
        deadline = math.inf
        while True:
            try:
                return self._said.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                if deadline == math.inf and self._is_to_end():
                    self.ending, deadline = True, time.monotonic() + GRACE_SECONDS
                if time.monotonic() >= deadline:
                    return ("stopped", None)

    def _is_to_end(self) -> bool:
        return self.ending or self.ends()

    def stop(self) -> None:
        """End it: ``report`` raises, and the function has some seconds to clean up."""
        self.ending = True
        if self._thread.is_alive():
            self._go.release()
            self._thread.join(GRACE_SECONDS)

    def _result(self, status: str, milestone: float, reason: str = "") -> dict[str, Any]:
        value = None if status == "interrupted" else self.value
        return {
            "status": status,
            "milestone": milestone,
            "step": self.step,
            "tokens": None,
            "seconds": self.seconds,
            "wall_seconds": time.perf_counter() - self._begun,
            "progress": self.step / self.task.steps,
            "logged": {},
            "reason": reason,
            "worker": f"{socket.gethostname()}:{os.getpid()}",
            self.task.objective: value,
            "reported_value": value,
            "curve": self.curve.plain(),
            "done": status != "running",
        }


def _number(value: Any, what: str) -> float:
    """A number of Python, NumPy, PyTorch or JAX as a float; a TypeError for anything else."""
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        raise TypeError(f"the {what} is {shortened(value)} but must be a number")
    return float(value)

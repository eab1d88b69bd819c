"""Start of Ray's processes: out of reach of the driver's signals, marked as ours, and without taking any signal.

Ray starts its processes in the process group of its driver, where they only block SIGINT. A terminal that closes sends
SIGHUP to the group, and many a supervisor SIGTERM: raylet and workers were gone before the driver had asked the trials
for checkpoints. Here they get a session of their own (``setsid``), as daemons have; they still end with their driver.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray._private import services, utils

from tuner.cluster.leftovers import MARK


class _InOwnSession(services.ConsolePopen):  # type: ignore[misc]
    mark = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options["env"] = {**options["env"], MARK: self.mark}
        super().__init__(*arguments, **options, start_new_session=True)


@contextmanager
def own_sessions(mark: str) -> Iterator[None]:
    """Make Ray, within the block, start its processes so, each with ``mark`` in its environment, which it hands down.

    Nobody else whom the driver starts has the mark, also not within the block: see leftovers.py.

    Its own reaper, which it uses where the kernel does not tie a process to its parent's life (macOS), is not started:
    it would make the driver a process group of its own, which a terminal's Ctrl-C does not reach. Ours does its work.
    """
    before = {name: getattr(services, name) for name in ("ConsolePopen", "start_reaper")}
    vars(services).update(
        ConsolePopen=type("Marked", (_InOwnSession,), {"mark": mark}), start_reaper=lambda fate_share=None: None
    )
    try:
        yield
    finally:
        vars(services).update(before)


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Keep ``ray.init``, within the block, from replacing our signal handlers: its own exits with code 15."""
    before = utils.set_sigterm_handler
    vars(utils).update(set_sigterm_handler=lambda handler: None)
    try:
        yield
    finally:
        vars(utils).update(set_sigterm_handler=before)

"""The attempts at one trial, and which of them is in force: a node that was cut off goes on training and writing while
its trial has already been started elsewhere.

``checkpoints/KEY/`` holds the sign, which names the attempt in force and the checkpoints that were there when it began,
and the checkpoints, each named after the attempt that wrote it. An attempt goes on from the files that its sign names,
writes files of its own, and ends once the sign is another's or gone: what a cut-off one still writes is never read, and
is removed with what its trial leaves. Nothing here waits for a clock or for another process.

The last two checkpoints are kept, since one that was damaged after it was written (a disk, a copy) is only found out
when it is needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from storage import files, inside
from storage.location import Location
from storage.remote import TooLargeError

CHECKPOINTS_KEPT = 2
FOLDER, SIGN = "checkpoints", "attempt.json"
STOP_FILE = ".stop"  # its presence in the campaign's folder tells every trial to checkpoint and end
MOST_ATTEMPTS = 10**9  # a number beyond is none that we count to
_KEY = re.compile(r"[0-9a-f]{16}")  # TrainConfig.key
_NAME = re.compile(r"a(\d+)-(\d+)\.safetensors")  # attempt, and which of its checkpoints


@dataclass
class Attempt:
    """One attempt, as the process sees it that trains."""

    campaign: Location  # its folder
    key: str
    number: int
    names: list[str] = field(default_factory=list)  # of the checkpoints to go on from, newest first
    written: int = 0

    @property
    def folder(self) -> Location:
        """Return the folder of the trial's checkpoints."""
        return folder_of(self.campaign, self.key)

    def in_force(self) -> bool:
        """Tell whether the trial is still this attempt's: no other has begun, and the trial has not ended."""
        return _signed(self.folder)[0] == self.number

    def save(self, state: dict[str, Any]) -> None:
        """Write a checkpoint, and remove what lies behind the one before it. An OSError where it cannot be written."""
        from trainable.worker import checkpoint  # with torch, which the driver's side does without

        name = f"a{self.number}-{self.written + 1}.safetensors"
        checkpoint.save(self.campaign, _below(self.key, name), state, self.key)
        self.written += 1
        self.names.insert(0, name)
        while len(self.names) > CHECKPOINTS_KEPT:
            inside.remove(self.campaign, _below(self.key, self.names.pop()))

    def restore(self) -> tuple[dict[str, Any] | None, list[str]]:
        """The newest state that is whole, None without one; and what was wrong with newer ones, which are removed."""
        from trainable.worker import checkpoint

        wrong: list[str] = []
        while self.names:
            try:
                return checkpoint.load(self.folder / self.names[0], self.key), wrong
            except ValueError as error:
                wrong.append(str(error))
                inside.remove(self.campaign, _below(self.key, self.names[0]))
                self.names.pop(0)
        return None, wrong


def begin(campaign: Location, key: str, at_least: int, most: int | None = None) -> Attempt:
    """Put a new attempt in force, which goes on from the checkpoints of the one before; for the driver.

    Its number is ``at_least`` that, and above that of every attempt before. What others have written late is removed,
    and of the checkpoints all but the newest ``most``.
    """
    folder = folder_of(campaign, key)
    number = max(at_least, _signed(folder)[0] + 1)
    usable = checkpoints(campaign, key)[:most]
    sign = json.dumps({"attempt": number, "checkpoints": usable})
    inside.write(campaign, _below(key, SIGN), sign.encode(), durable=bool(usable))  # else nothing is lost with it
    for name in files.names(folder):
        if name not in (SIGN, *usable) and is_ours(name):
            inside.remove(campaign, _below(key, name))
    return Attempt(campaign, key, number, usable)


def checkpoints(campaign: Location, key: str) -> list[str]:
    """The names of the checkpoints that the trial may go on from, newest first."""
    folder = folder_of(campaign, key)
    number, before = _signed(folder)
    there = files.names(folder)
    own = [(int(found[2]), name) for name in there if (found := _NAME.fullmatch(name)) and int(found[1]) == number]
    return [name for _, name in sorted(own, reverse=True)] + [name for name in before if name in there]


def folder_of(campaign: Location, key: str) -> Location:
    """Return the folder of a trial's checkpoints."""
    return campaign / FOLDER / key


def remove(campaign: Location, key: str) -> None:
    """The trial has ended: remove its checkpoints, and with the sign whoever still trains it."""
    inside.remove_files(campaign, f"{FOLDER}/{key}", is_ours)


def remove_all(campaign: Location, but: Collection[str]) -> None:
    """Remove the checkpoints of every trial ``but`` these. What no trial has written stays."""
    for key in files.names(campaign / FOLDER):
        if key not in but and is_key(key):
            remove(campaign, key)


def remove_half_written(campaign: Location) -> None:
    """Remove what writers that were killed left of signs and checkpoints; where no trial runs."""
    for key in files.names(campaign / FOLDER):
        if is_key(key):
            inside.remove_half_written(campaign, f"{FOLDER}/{key}", is_ours)


def _below(key: str, name: str) -> str:
    return f"{FOLDER}/{key}/{name}"


def is_key(name: str) -> bool:
    """Tell whether a name in the folder of checkpoints is that of a trial."""
    return _KEY.fullmatch(name) is not None


def is_ours(name: str) -> bool:
    """Tell whether a file in a trial's folder is its sign or one of its checkpoints."""
    return name == SIGN or _NAME.fullmatch(name) is not None


def _signed(folder: Location) -> tuple[int, list[str]]:
    """The attempt in force and the checkpoints that it went on from; 0 and none where there is no whole sign."""
    try:
        sign = json.loads(files.read(folder / SIGN, files.SIGN_BYTES))
        names = [name for name in sign["checkpoints"] if _NAME.fullmatch(name)]
        number = int(sign["attempt"])
    except (FileNotFoundError, TooLargeError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        return 0, []
    return (number, names) if 0 <= number < MOST_ATTEMPTS else (0, [])

"""Files of trials beside their rows: sign of the attempt in force, checkpoints, watchdog's note, error, stop sign."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from storage import files, inside
from storage.location import Location
from storage.remote import TooLargeError
from trainable.worker import attempt, watchdog
from trainable.worker.attempt import STOP_FILE, Attempt
from tuner.campaign import lock
from tuner.campaign.journal_files import JOURNAL
from tuner.failures import MOST_NOTES, without_middle

ERRORS = "errors"  # a folder
NOTES = "notes.txt"  # beside the trials' own: no key is called so


class TrialFiles:
    """The driver's side of them, in one start of the campaign. An OSError where its folder is no longer there."""

    def __init__(self, folder: Location) -> None:
        self.folder = folder
        self.begun: dict[str, int] = {}  # key -> the attempt that this start has put in force

    def begin(self, key: str, at_least: int) -> Attempt:
        """Put a new attempt at a trial in force."""
        lock.check(self.folder)
        begun = attempt.begin(self.folder, key, at_least)
        self.begun[key] = begun.number
        return begun

    def pause(self, key: str) -> None:
        """Let nobody train a trial that may be taken up again: an attempt is in force that no worker has.

        Of its checkpoints the newest stays.
        """
        lock.check(self.folder)
        attempt.begin(self.folder, key, 0, most=1)

    def remove_checkpoints(self, key: str) -> None:
        """Remove those of a trial that is not taken up again."""
        lock.check(self.folder)
        attempt.remove(self.folder, key)

    def checkpoint(self, key: str) -> str | None:
        """The newest checkpoint of a trial, relative to the campaign's folder."""
        found = attempt.checkpoints(self.folder, key)
        return f"checkpoints/{key}/{found[0]}" if found else None

    def hung(self, key: str) -> str:
        """Read what the watchdog of a trial wrote as it ended the trial's process; empty where it did not."""
        try:  # not asked for first: a worker that ends removes it at any moment
            return files.read(self.folder / self._stall_file(key), watchdog.MOST_BYTES).decode(errors="replace")
        except FileNotFoundError:
            return ""
        except TooLargeError as error:
            return f"where it hung is not kept: {error}"

    def crashed(self, key: str, error: str) -> None:
        """Keep the text of an error, whole if it is not too long."""
        lock.check(self.folder)
        inside.write(self.folder, f"{ERRORS}/{key}.txt", without_middle(error).encode(errors="replace"))

    def noted(self, notes: Sequence[str]) -> None:
        """Keep what the campaign itself got over in this start, if that is possible: it is no reason to end."""
        with suppress(OSError, ValueError):
            older = len(notes) - MOST_NOTES
            first = [f"{older:,} earlier notes are left out"] if older > 0 else []
            lines = "".join(f"{text}\n" for text in [*first, *notes[-MOST_NOTES:]])
            inside.write(self.folder, f"{ERRORS}/{NOTES}", lines.encode(errors="replace"))

    def closed(self, key: str, ended: bool) -> None:
        """The attempt is over; with ``ended`` the trial is, and whoever still trains it is to end too."""
        inside.remove(self.folder, self._stall_file(key))
        if ended:
            attempt.remove(self.folder, key)

    def remove_half_written(self) -> None:
        """Remove what writers that were killed left on its way to a name. Call it while no trial runs."""
        lock.check(self.folder)
        attempt.remove_half_written(self.folder)
        inside.remove_half_written(self.folder, ERRORS, lambda name: name.endswith(".txt"))
        inside.remove_half_written(self.folder, "", lambda name: name == JOURNAL)

    def remove_late(self, unfinished: Collection[str]) -> None:
        """Remove what workers that were cut off wrote of trials but the ``unfinished``. Call it while no trial runs."""
        lock.check(self.folder)
        attempt.remove_all(self.folder, but=unfinished)
        inside.remove_files(self.folder, watchdog.FOLDER, watchdog.is_stall_file)

    def ask_to_stop(self) -> None:
        """Tell every running trial to write its checkpoint and end."""
        lock.check(self.folder)
        inside.write(self.folder, STOP_FILE, b"")

    def let_run(self) -> None:
        """Take that back."""
        inside.remove(self.folder, STOP_FILE)

    def _stall_file(self, key: str) -> str:
        return watchdog.stall_file(key, self.begun[key])

"""Notes of a campaign: what it got over, beside its trials, for the screen and in ``errors/``."""

from __future__ import annotations

from collections.abc import Callable

from tuner.campaign.trial_files import TrialFiles
from tuner.failures import LONGEST_NOTE, without_middle


class Notes:
    """The notes of one start of a campaign."""

    def __init__(self, files: TrialFiles) -> None:
        self.files = files
        self.texts: list[str] = []
        self.told: list[Callable[[str], None]] = []  # told of each of them
        self._refused: set[str] = set()  # which rows were written without which cells

    def note(self, text: str) -> None:
        """Keep a note, and tell those who listen."""
        text = without_middle(text, LONGEST_NOTE)
        self.texts.append(text)
        self.files.noted(self.texts)
        for tell in self.told:
            tell(text)

    def note_refused(self, what: str, why: str) -> None:
        """Note cells that no row may have, once for each row that lacks them: a worker says so in every report."""
        if what not in self._refused:
            self._refused.add(what)
            self.note(f"{what}: {why}")

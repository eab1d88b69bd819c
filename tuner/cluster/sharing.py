"""Number of trials that share a GPU, by a measurement: the one with which most trials end in an hour.

Side by side trials wait for each other as soon as one of them keeps the GPU busy; a small one leaves it idle most of
the time. Which it is depends on the model and the card, so it is measured: the base alone, then 2, 4, 8 of it at a
time, as long as that pays. Here is what is made of the figures; ``tuner/plan/side_by_side.py`` takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from terminal.counted import counted

WORTH = 1.05  # of the steps of fewer at a time: less is within what a short measurement is off


@dataclass(frozen=True)
class SharedSpeed:
    """Trainings of the base at the same time on one GPU: optimizer steps a second of all of them, and their memory."""

    together: int
    steps_per_second: float
    reserved_bytes: int | None = None  # the most that torch held for one of them; None on a CPU


MeasureShared = Callable[[int], SharedSpeed | None]  # of so many at a time; None where they did not all train


@dataclass(frozen=True)
class Sharing:
    """A choice of trials on each GPU, and what it was chosen by."""

    trials: int
    gpu_bytes: int  # of the smallest GPU
    measured: tuple[SharedSpeed, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Convert it to what ``campaign.json`` keeps."""
        return {**asdict(self), "measured": [asdict(each) for each in self.measured]}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Sharing:
        """The one that a ``campaign.json`` keeps."""
        return cls(kept["trials"], kept["gpu_bytes"], tuple(SharedSpeed(**each) for each in kept["measured"]))

    @property
    def about(self) -> str:
        """Describe the figures in words; empty without any."""
        if not self.measured:
            return ""
        first, *more = self.measured
        each = "".join(f", {found.steps_per_second:.3g} as {found.together}" for found in more)
        return f"measured {first.steps_per_second:.3g} steps/s of the base alone{each}"


def most_an_hour(measure: MeasureShared, alone: SharedSpeed, room: int) -> tuple[int, tuple[SharedSpeed, ...]]:
    """The number, up to ``room``, whose trainings make most steps together, and the figures that say so.

    It is doubled while that pays; where one more does not, or some do not train, fewer stay.
    """
    best, found = alone, [alone]
    while best.together < room:
        more = measure(min(2 * best.together, room))
        if more is None:
            break
        found.append(more)
        if more.steps_per_second < WORTH * best.steps_per_second:
            break
        best = more
    return best.together, tuple(found)


def number_in_words(sharing: Sharing) -> str:
    """Say how many share each GPU."""
    return f"{counted(sharing.trials, 'trial')} on each of {sharing.gpu_bytes / 2**30:.1f} GiB"

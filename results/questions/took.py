"""The time that a campaign has taken, in one meaning: from its first run's start to its last one's end.

Runs of a confirmation are among its runs. What is before the first (an audit, Ray's start) is not counted, nor what is
after the last.
"""

from __future__ import annotations

from terminal.counted import counted
from terminal.duration import duration

from results.questions.time import slot_seconds
from results.store.frames import Results

WORTH_SAYING = 0.01  # of the time: pauses that are a smaller part of it are not named


def took_line(results: Results) -> str:
    """Say how long it took, on how many slots, and how much of that was training; empty before a run has ended."""
    slots = slot_seconds(results)
    if slots.empty:
        return ""
    whole, paused = float(slots["seconds"].iloc[0]), float(slots["paused_seconds"].iloc[0])
    said, rest = f"Time: {duration(whole)} from the first run's start to the last one's end", "it"
    if paused > WORTH_SAYING * whole:
        said, rest = f"{said}, {duration(paused)} of it without a run", "the rest"
    there, trained = (whole - paused) * len(slots), float(slots["training_seconds"].sum())
    if there <= 0:
        return f"{said}, on {counted(len(slots), 'slot')}."
    least = "at least " if slots["unsplit_seconds"].sum() > 0 else ""  # a run that went on does not say its parts
    return f"{said}, on {counted(len(slots), 'slot')}; {least}{trained / there:.0%} of {rest} was training."

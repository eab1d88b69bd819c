"""Values of options of ``python -m tuner.run`` that are more than a number: what a text may say, and what it then is.

Each raises ArgumentTypeError, one line, for a text that is none.
"""

from __future__ import annotations

import argparse

from results.design import Design
from terminal.escape import elided
from terminal.nearest import nearest
from terminal.number import decimal
from terminal.option_names import one_of
from terminal.option_numbers import in_digits, whole_number
from trainable.monitors import Monitors
from trainable.runtime import PRECISIONS
from trainable.seeds import SEEDS
from tuner.cluster.placement import AUTO
from tuner.spec import BY_DEVICE, CHECKPOINT_AT
from tuner.trackers.catalogue import LogTo, log_to

MOST_STEPS = 10**9
LONGEST_COMMAND = 10_000  # characters of a line of shell


def precision(text: str) -> str:
    return one_of((BY_DEVICE, *PRECISIONS), text)


def stopper(text: str) -> str:
    from tuner.early_stopping import STOPPERS

    return one_of(STOPPERS, text)


def sampler(text: str) -> str:
    from tuner.search_methods import METHODS

    return one_of(METHODS, text)


def fidelity(text: str) -> str:
    from trainable.worker.fidelity import FIDELITIES

    return one_of(FIDELITIES, text)


def monitor(text: str) -> str:
    """Names of monitors, in the order that the code has."""
    try:
        return str(Monitors.of_text(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def checkpoint_every(text: str) -> int | str:
    """A number of steps, or a moment by its name."""
    if text in CHECKPOINT_AT:
        return text
    if text.removeprefix("-").isdigit():
        return int(whole_number(1, MOST_STEPS)(text))
    known, digits = nearest(text, CHECKPOINT_AT, "moments"), in_digits(text, 1, MOST_STEPS)
    raise argparse.ArgumentTypeError(f"{text!r} is neither a number of steps in digits{digits} nor a moment: {known}")


def design(text: str) -> Design:
    try:
        return Design.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def line_of_shell(text: str) -> str:
    if not text.strip() or "\0" in text or len(text) > LONGEST_COMMAND:
        raise argparse.ArgumentTypeError(
            f"{elided(text)!r} is no line of shell: 1 to {LONGEST_COMMAND:,} characters, none of them zero"
        )
    return text


def tracker(text: str) -> LogTo:
    try:
        return log_to(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


seed = whole_number(0, SEEDS - 1, "0..2^63-1")


def gpu_fraction(text: str) -> float | str:
    """0.001..1, as Ray shares a GPU among no more trials; or auto."""
    if text == AUTO:
        return text
    fraction = decimal(text) or 0.0
    if not 0.001 <= fraction <= 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a part of a GPU, which is above 0 (0.001) and at most 1, or {AUTO}"
        )
    return fraction

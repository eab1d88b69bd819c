"""Lines that the audit prints: before a search, and of a whole campaign (``python -m tuner.audit``)."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from search_spaces import load as load_space
from search_spaces.recorded import READINGS
from search_spaces.space import Space
from terminal.command_line import EXIT_CODES_OF_LOOKING, OneLineParser
from terminal.console import Console
from terminal.counted import counted
from terminal.nearest import nearest
from terminal.once import refuse_twice
from terminal.short import short
from trainable.component import Component
from tuner.audit.overrides import BF16_ROUNDING, IDLE, INERT, NEARLY, RESTATED, Finding, audit_space, proxy_base
from tuner.audit.recorded import Row, audit_recorded, replicates

SMALLEST_PERCENT = 1e-4  # that is written out


def percent(part: float) -> str:
    """Write a part of a run's way in percent, two digits of it: ``140 %``, ``0.39 %``, ``under 0.0001 %``."""
    shown = 100 * part
    if 0 < shown < SMALLEST_PERCENT:
        return "under 0.0001 %"
    digits = 0 if shown == 0 else max(0, 1 - math.floor(math.log10(shown)))
    return f"{shown:,.{digits}f} %"


LESS = f"by less of their way than rounding to bf16 does ({percent(BF16_ROUNDING)}; in fp32 it may be seen)"
SAYS = {  # of one, and of several
    INERT: ("changes nothing here", "change nothing here"),
    IDLE: ("changes nothing at this value", "change nothing at this value"),
    NEARLY: (
        f"moves the weights of its shortened runs {LESS}",
        f"move the weights of its shortened runs {LESS}",
    ),
    RESTATED: ("sets what is there without it", "set what is there without them"),
}
UNSEEN = ("cannot show in its shortened runs, which is no fault",) * 2
ACTS = ("changes the computation", "change the computation")


def print_findings(
    console: Console,
    findings: Sequence[Finding],
    seconds: float,
    what: str = "knob",
    asked: Sequence[str] = (),
    why_not: str = "",
) -> None:
    """One line for each kind of finding, inert ones first; one line in all where everything is seen to act.

    ``asked`` are the paths that were to be audited, of which some may have no finding: ``why_not`` says why.
    """
    every = list(dict.fromkeys([*asked, *(f.path for f in findings)]))
    for status, does in SAYS.items():
        _print_some(console, [in_words(f) for f in findings if f.status == status], every, what, does)
    _print_some(console, [f.path for f in findings if not f.seen], every, what, UNSEEN)
    audited = {f.path for f in findings}
    is_not = tuple(f"{verb} not audited, {why_not}" for verb in ("is", "are"))
    _print_some(console, [path for path in every if path not in audited], every, what, is_not)
    acting = sum(f.status not in SAYS and f.seen for f in findings)
    if acting == len(every) > 0:
        each = f"each of {counted(acting, what)}" if acting > 1 else f"the only {what}"
        console.print(f"audit: {each} {ACTS[0]} ({seconds:.1f} s)")
    elif acting and not any(f.status in SAYS for f in findings):
        console.print(f"audit: {acting} of {counted(len(every), what)} {ACTS[acting > 1]} ({seconds:.1f} s)")


def _print_some(console: Console, named: Sequence[str], every: Sequence[str], what: str, does: Sequence[str]) -> None:
    """Print which of all do something, in words for one and for several; nothing where none does."""
    if named:
        of = f"{len(named)} of {counted(len(every), what)}" if len(every) > 1 else f"the only {what}"
        console.print(f"audit: {of} {does[len(named) > 1]}: {', '.join(named)}")


def in_words(finding: Finding) -> str:
    """A finding in a few words: the path, and what it hangs on or how much it changes."""
    if finding.status == NEARLY:
        assert finding.difference is not None, "it was trained"
        return f"{finding.path} ({percent(finding.difference)})"
    return f"{finding.path} ({finding.why})" if finding.why else finding.path


# --- the command ------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all was audited, 2 if the question makes no sense."""
    parser = OneLineParser(
        prog="python -m tuner.audit",
        description="Which overrides change the computation?",
        epilog=EXIT_CODES_OF_LOOKING,
    )
    parser.add_argument("--space", metavar="NAME", required=True, help="the space (see python -m tuner.run --list)")
    parser.add_argument("--reading", metavar="READING", help="as_logged or as_run; default: both")
    parser.add_argument("--only", metavar="ID", nargs="+", help="some recorded runs instead of all, and no knobs")
    given = parser.parse_args(arguments)
    console = Console()
    try:
        space = load_space(given.space)
        if given.reading not in (None, *READINGS):
            raise ValueError(f"unknown reading {given.reading!r}: {nearest(given.reading, READINGS, 'readings')}")
        refuse_twice(given.only or (), after="--only")
        if given.only is None:
            print_space(console, space)
        for reading in READINGS if given.reading is None else (given.reading,):
            print_recorded(console, space, reading, given.only)
    except ValueError as error:
        return parser.refuse(error)
    return 0


def print_space(console: Console, space: Space) -> None:
    """The knobs of a space, each with what moving it did."""
    started = time.perf_counter()
    findings = audit_space(space, proxy_base(space, {}))
    console.print(f"{space.name}: {counted(len(findings), 'knob')} in {time.perf_counter() - started:.1f} s")
    for finding in findings:
        console.print(f"  {line(finding)}")


def print_recorded(console: Console, space: Space, reading: str, only: Sequence[str] | None) -> None:
    """The rows of a campaign of which there is something to say, and its replicate groups."""
    started = time.perf_counter()
    rows = audit_recorded(space, reading, only)
    groups = replicates(rows)
    seconds = time.perf_counter() - started
    overrides = sum(len(row.findings) for row in rows)
    console.print(
        f"{space.name} {reading}: {counted(len(rows), 'row')}, {counted(overrides, 'override')} in {seconds:.1f} s"
    )
    for row in rows:
        for text in (*[line(f) for f in row.findings if f.says_something], *published(row)):
            console.print(f"  {row.id}: {text}")
    console.print(f"one computation under several names (~ within bf16's rounding): {counted(len(groups), 'group')}")
    for group in groups:
        console.print(f"  {group}")


def line(finding: Finding) -> str:
    """A finding on one line."""
    change = "" if finding.difference is None else f", {percent(finding.difference)}"
    why = f" ({finding.why})" if finding.why else ""
    return f"{finding.path} {_text(finding.undone)} -> {_text(finding.value)}: {finding.status}{change}{why}"


def published(row: Row) -> list[str]:
    """List the differences between what the published code did and what the log says."""
    if row.not_acted_on and not row.instead:
        return [f"the published code did not act on {', '.join(row.not_acted_on)}"]
    if row.instead:
        ignored = f", not {', '.join(row.not_acted_on)}" if row.not_acted_on else ""
        return [f"the published code did {', '.join(row.instead)}{ignored}"]
    return []


def _text(value: object) -> str:
    return type(value).__name__ if isinstance(value, Component) else short(value)

"""The end of a campaign, told to somebody who is not looking: ``--notify COMMAND``, or the terminal's bell.

The command is a user's own line of shell. It gets what it tells in its environment, never in its text, so that nothing
from a campaign is ever run. Whatever becomes of it, the campaign ends as it would have.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from results.statistics.confirmation import rounds, standing
from results.store.campaign_folder import Store
from results.store.row_parts import given
from results.store.statuses import SEARCH
from results.unmet_limits import nearest_to_limits
from results.verdicts import escapes_in_words
from terminal import program
from terminal.complaint import complain
from terminal.console import Console
from terminal.counted import counted
from terminal.duration import duration
from terminal.exit_codes import BAD_INPUT, DONE, FAILED
from terminal.short import decimals, signed
from tuner.campaign.endings import EndedEarlyError

BELL = "bell"
SECONDS = 60.0  # that a command has; then it is ended
SAID = 10_000  # bytes at the end of what a command says on stderr, of which its last line is told


@dataclass
class Notice:
    """A campaign that is to be told of: its store, once there is one, and the exit code it ends with."""

    store: Store | None = None
    code: int = DONE


@contextmanager
def notifying(console: Console, command: str | None) -> Iterator[Notice]:
    """Run the command when the block ends, however it does, if a campaign has begun in it by then."""
    notice = Notice()
    try:
        yield notice
    except BaseException as error:
        notice.code = exit_code_of(error)
        raise
    finally:
        if command is not None and notice.store is not None:
            notify(console, command, notice.store, notice.code)


def exit_code_of(error: BaseException) -> int:
    """The exit code of a campaign that this ends."""
    if isinstance(error, EndedEarlyError):
        return error.code
    if isinstance(error, KeyboardInterrupt):
        return program.exit_code(error)
    return BAD_INPUT if isinstance(error, ValueError) else FAILED


def notify(console: Console, command: str, store: Store, code: int, seconds: float = SECONDS) -> None:
    """Ring the bell, or run the command; what fails of it is one line on stderr."""
    if command == BELL:
        if console.is_terminal:
            console.bell()
        else:
            complain(program.name(), "--notify bell: standard output is no terminal, which would ring")
        return
    why = run(command, told(store, code), seconds)
    if why:
        complain(program.name(), f"--notify: {why}")


def told(store: Store, code: int) -> dict[str, str]:
    """Make the environment variables for the command; a value that is not known is empty."""
    found = {"TUNER_EXIT_CODE": str(code), "TUNER_CAMPAIGN": store.folder.name, "TUNER_FOLDER": str(store.folder)}
    try:
        verdict, winner, difference = verdict_of(store)
    except (OSError, ValueError) as error:  # its storage may be what has ended it
        verdict, winner, difference = f"not known: {error}", "", ""
    return found | {"TUNER_VERDICT": verdict, "TUNER_WINNER": winner, "TUNER_DIFFERENCE": difference}


def verdict_of(store: Store) -> tuple[str, str, str]:
    """The verdict in a line, and of a winner the number of its trial and its difference to the base."""
    rows = store.trials()
    numbers = {row["key"]: str(row["number"]) for row in rows}
    found = rounds(rows)
    stands = standing(found)
    if stands is not None and (won := stands.judgement.winner) is not None:
        number = numbers.get(won.arm, "")
        said = f"established: trial {number} is better than the base"
        if won.escapes is not None and won.escapes_more:
            said += f" ({escapes_in_words(won.escapes)})"
        if won.difference is None or won.low is None or won.high is None:
            return said, number, ""
        verdict = f"{said}, {signed(won.difference)} ({signed(won.low)} to {signed(won.high)})"
        return verdict, number, f"{won.difference:+.6g}"
    if found:
        over = found[-1].complete and found[-1].judgement.over
        return f"not {'established: no candidate is better than the base' if over else 'decided'}", "", ""
    completed = [r for r in rows if r["stage"] in (None, SEARCH) and r["value"] is not None]
    objectives = list(store.campaign.get("objectives") or [])
    if len(objectives) == 2:
        return f"not confirmed: {counted(on_the_front(store, objectives[1]), 'trial')} on the Pareto front", "", ""
    best = min(completed, key=lambda row: given(row["value"]), default=None)
    if best is None:
        unmet = nearest_to_limits(store.campaign, rows)
        return "no trial completed" if unmet is None else unmet.fact, "", ""
    return (
        f"not confirmed: trial {best['number']} has the lowest {best['objective']}, {decimals(given(best['value']))}",
        "",
        "",
    )


def on_the_front(store: Store, second: str) -> int:
    """Count the trials that no other one beats in both objectives."""
    from results.statistics.pareto import front
    from results.store import frames

    return int(front(frames.load(store.folder).trials, second).sum())


def run(command: str, environment: Mapping[str, str], seconds: float) -> str:
    """Run a line of shell; returns why it failed, or nothing."""
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                command,
                shell=True,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stderr=errors,
                process_group=0,  # so that what it has started can be ended with it
            )
        except OSError as error:
            return f"the shell cannot be started: {error.strerror}"
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            end(process)
            return f"the command took over {duration(seconds)}, and was ended"
        except BaseException:
            end(process)
            raise
        if code == 0:
            return ""
        how = f"exit code {code}" if code > 0 else f"signal {-code}"
        said = last_line(errors)
        return f"the command ended with {how}{f': {said}' if said else ''}"


def end(process: subprocess.Popen[bytes]) -> None:
    """End a command with all that it has started."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_line(errors: IO[bytes]) -> str:
    """The last line that the command has said on stderr."""
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - SAID))
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""

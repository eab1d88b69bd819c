"""``python -m tuner.run``: the main job. Read this first.

A campaign is a folder. This file reads the command line and lets ``start.py`` begin one or go on with it, which
connects to Ray, lets ``search_loop.py`` work, and says at the end what was found, where it is and how to go on. Exit
codes: 0 done, 1 done but trials crashed, 2 bad input; 130 interrupted by Ctrl-C, 143 by SIGTERM, 129 by the end of its
terminal (SIGHUP).
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m tuner.run")

from collections.abc import Sequence

from results.store.resume_command import RUN_PROGRAM
from terminal.complaint import complain
from terminal.exit_codes import BAD_INPUT, DONE, FAILED
from tuner.campaign.endings import EndedEarlyError, storage_failure
from tuner.cli import options
from tuner.command import Begin, Command, Listing, Resume, Showing


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        with program.raising(RUN_PROGRAM):
            return run(options.parse(arguments))
    except ValueError as error:
        complain(RUN_PROGRAM, error)
        return BAD_INPUT
    except OSError as error:
        complain(RUN_PROGRAM, storage_failure(error))
        return FAILED
    except EndedEarlyError as ended:
        complain(RUN_PROGRAM, str(ended))
        return ended.code
    except KeyboardInterrupt as ended:  # before there is a campaign
        complain(RUN_PROGRAM, program.INTERRUPTION)
        return program.exit_code(ended)


def run(asked: Command) -> int:
    """Do what the command line asks for; a campaign does not end where only its screen fails."""
    from terminal.console import Console

    works = isinstance(asked, Begin | Resume) and asked.start.planning is None
    console = Console(goes_on=works)
    match asked:
        case Listing():
            from search_spaces.own_space import looked_at
            from tuner.cli import listing

            space = None if asked.space is None else looked_at(asked.space, asked.imports)
            listing.show(console, space, asked.results)
            return DONE
        case Showing():
            from search_spaces.own_space import looked_at
            from tuner.cli import show_runs

            space = looked_at(asked.space, asked.imports)
            show_runs.show(console, space, asked.rows, asked.reading, asked.scale, asked.overrides)
            return DONE
        case Begin():
            from tuner import transfer

            return transfer.begin(console, asked).code
        case Resume():
            from tuner import transfer

            return transfer.resume(console, asked).code


if __name__ == "__main__":
    program.end(main())

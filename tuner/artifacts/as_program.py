"""Ends of the programs that read kept weights again: an exit code, and one line where it is not 0."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from terminal import program
from terminal.command_line import OneLineParser
from terminal.complaint import complain
from terminal.exit_codes import FAILED


def as_program(
    parser: OneLineParser, arguments: Sequence[str] | None, run: Callable[[argparse.Namespace], int], not_done: str
) -> int:
    """Run what the arguments ask for; ``not_done`` says what an OSError prevented.

    Exit code 2 for bad input, 1 for an OSError, and that of the signal where it is interrupted.
    """
    options = parser.parse_args(arguments)
    try:
        with program.raising(parser.prog):
            return run(options)
    except ValueError as error:
        return parser.refuse(error)
    except OSError as error:
        complain(parser.prog, f"{not_done}: {error}")
        return FAILED
    except KeyboardInterrupt as ended:
        complain(parser.prog, program.INTERRUPTION)
        return program.exit_code(ended)

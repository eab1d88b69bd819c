"""Print or write the reference of every knob and space: ``python -m search_spaces.reference --write docs``."""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m search_spaces.reference")

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from storage.location import local_argument
from storage.target import why_not_writable
from terminal.command_line import EXIT_CODES_OF_LOOKING, OneLineParser
from terminal.complaint import complain
from terminal.console import Console
from terminal.exit_codes import DONE, FAILED
from terminal.nearest import nearest

PROGRAM = "python -m search_spaces.reference"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if it was printed or written, 1 if it could not be, 2 for a page or a folder that does not exist."""
    parser = _parser()
    options = parser.parse_args(arguments)
    from search_spaces.reference.pages import pages  # not for --help

    found, folder = pages(), options.write
    try:
        if options.page is not None and options.page not in found:
            raise ValueError(f"unknown page {options.page!r}: {nearest(options.page, found, 'pages')}")
        if folder is not None and not folder.is_dir():
            raise ValueError(f"--write {str(folder)!r} must be a folder that exists")
        if folder is not None and (why := why_not_writable(folder)) is not None:
            raise ValueError(f"--write {folder}: {why}")
    except ValueError as error:
        return parser.refuse(error)
    wanted = found if options.page is None else {options.page: found[options.page]}
    if folder is None:
        return print_pages(wanted)
    try:
        return write_pages(wanted, folder)
    except OSError as error:
        complain(PROGRAM, f"{str(folder)!r} cannot be written: {error}")
        return FAILED


def print_pages(wanted: Mapping[str, str]) -> int:
    """Print pages one after another; returns the exit code."""
    console = Console()
    for text in wanted.values():
        for line in text.splitlines():
            console.print(line)
    return DONE


def write_pages(wanted: Mapping[str, str], folder: Path) -> int:
    """Write each page to its file below the folder; returns the exit code, an OSError where one cannot be written."""
    console = Console(goes_on=True)
    for name, text in wanted.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        console.print(f"written: {folder / name}")
    return DONE


def _parser() -> OneLineParser:
    parser = OneLineParser(prog=PROGRAM, description=(__doc__ or "").split(":")[0] + ".", epilog=EXIT_CODES_OF_LOOKING)
    parser.add_argument("page", nargs="?", metavar="PAGE", help="one page, knobs/hooks.md for example; default: all")
    parser.add_argument(
        "--write", type=local_argument, metavar="FOLDER", help="write the pages there instead; the project's: docs"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

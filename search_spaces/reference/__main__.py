"""Print or write the reference of every knob and space: ``python -m search_spaces.reference --write docs``."""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m search_spaces.reference")

import sys
from collections.abc import Sequence
from pathlib import Path

from terminal.command_line import EXIT_CODES_OF_LOOKING, OneLineParser
from terminal.console import Console
from terminal.nearest import nearest

PROGRAM = "python -m search_spaces.reference"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if it was printed or written, 2 for a page or a folder that does not exist."""
    parser = _parser()
    options = parser.parse_args(arguments)
    from search_spaces.reference.pages import pages  # not for --help

    found, folder = pages(), options.write
    try:
        if options.page is not None and options.page not in found:
            raise ValueError(f"unknown page {options.page!r}: {nearest(options.page, found, 'pages')}")
        if folder is not None and not folder.is_dir():
            raise ValueError(f"--write {str(folder)!r} must be a folder that exists")
    except ValueError as error:
        return parser.refuse(error)
    wanted = found if options.page is None else {options.page: found[options.page]}
    console = Console()
    for name, text in wanted.items():
        if folder is None:
            for line in text.splitlines():
                console.print(line)
        else:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
            console.print(f"written: {folder / name}")
    return 0


def _parser() -> OneLineParser:
    parser = OneLineParser(prog=PROGRAM, description=(__doc__ or "").split(":")[0] + ".", epilog=EXIT_CODES_OF_LOOKING)
    parser.add_argument("page", nargs="?", metavar="PAGE", help="one page, knobs/hooks.md for example; default: all")
    parser.add_argument(
        "--write", type=Path, metavar="FOLDER", help="write the pages there instead; the project's: docs"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""A replay beside its record: ``python -m results.compare FOLDER``, or ``--space NAME`` for the one that is kept here.

Prints the tables and draws a picture: beside FOLDER, or where ``--picture`` says. Of the replay that is kept here it
only prints, unless it is asked to draw: its picture is one of this repository's files.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m results.compare")

import sys
from collections.abc import Sequence
from pathlib import Path

from storage.location import Location, local_argument, text_argument
from terminal.command_line import EXIT_CODES_OF_LOOKING, OneLineParser
from terminal.console import Console
from terminal.nearest import nearest
from terminal.option_numbers import at_least_one

from results.replays.comparison import compare
from results.replays.picture import check_picture, draw
from results.replays.side_by_side import print_comparison
from results.store import frames
from results.store.find import find

KEPT = Path(__file__).parent / "recorded"  # compacted replays, in folders called like their spaces


def kept(space: str) -> Path:
    """The folder of the replay of a space that is kept here; a ValueError where there is none."""
    names = [path.parent.name for path in KEPT.glob("*/campaign.json")]
    if space not in names:
        raise ValueError(f"no replay of {space!r} is kept here: {nearest(space, names, 'spaces with one')}")
    return KEPT / space


def _beside(folder: Location) -> Path | None:
    """Where the picture goes: beside the folder, or here where that is in an object store.

    None of a replay that is kept here, whose picture is one of the repository's files.
    """
    if isinstance(folder, Path) and folder.resolve().parent == KEPT.resolve():
        return None
    local = folder.resolve() if isinstance(folder, Path) else Path(folder.name).resolve()
    return local.with_name(f"{folder.name}.png")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare what the command line names. Exit code 2 and one line where that cannot be."""
    parser = OneLineParser(
        prog="python -m results.compare", description="Hold a replay against its record.", epilog=EXIT_CODES_OF_LOOKING
    )
    parser.add_argument("folder", type=text_argument, nargs="?", help="the replay (default: the one kept here)")
    parser.add_argument(
        "--space", metavar="NAME", help="the space that was replayed; without FOLDER, which one is meant"
    )
    parser.add_argument("--top", type=at_least_one, metavar="N", help="list the N best measured runs (default: all)")
    parser.add_argument(
        "--picture",
        type=local_argument,
        metavar="FILE",
        help="where to draw (default: beside FOLDER, as .png; nowhere for the one that is kept here)",
    )
    options = parser.parse_args(arguments)
    if options.folder is None and options.space is None:
        parser.error("which replay? give its FOLDER, or --space NAME for the one that is kept here")
    console = Console()
    try:
        folder = kept(options.space) if options.folder is None else find(options.folder)
        results = frames.load(folder)
        if options.space not in (None, results.campaign.get("space")):
            raise ValueError(f"{folder} replays {results.campaign.get('space')!r}, not {options.space!r}")
        picture = options.picture or _beside(folder)
        if picture is not None:
            check_picture(picture)
        comparison = compare(results)
        print_comparison(console, comparison, options.top)
        if picture is not None:
            draw(comparison, picture)
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    console.print("no picture was drawn: --picture FILE draws one" if picture is None else f"picture: {picture}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

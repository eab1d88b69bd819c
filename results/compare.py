"""Campaigns side by side: ``python -m results.compare CAMPAIGN CAMPAIGN...``; with one, a replay beside its record.

With one, the tables are printed and a picture is drawn: beside its folder, or where ``--picture`` says. Of the replay
that is kept here (``--space NAME``) it only prints, unless it is asked to draw: its picture is one of this repository's
files.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m results.compare")

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from storage.location import Location, local_argument, text_argument
from terminal.command_line import EXIT_CODES_OF_LOOKING, OneLineParser
from terminal.console import Console
from terminal.nearest import nearest
from terminal.option_numbers import at_least_one

from results.questions.compare import compare_campaigns
from results.questions.compare_text import MOST_SHOWN, print_campaigns
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
    """Return the picture's path: beside the folder, or in this directory where the folder is in an object store.

    None of a replay that is kept here, whose picture is one of the repository's files.
    """
    if isinstance(folder, Path) and folder.resolve().parent == KEPT.resolve():
        return None
    local = folder.resolve() if isinstance(folder, Path) else Path(folder.name).resolve()
    return local.with_name(f"{folder.name}.png")


def _compare_campaigns(console: Console, options: Namespace) -> None:
    """Print several campaigns side by side; a ValueError for an option that is for a replay alone."""
    for name in ("space", "picture"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} is for one replay beside its record, not for {len(options.folders)} campaigns")
    found = compare_campaigns([frames.load(folder) for folder in options.folders])
    print_campaigns(console, found, options.top or MOST_SHOWN)


def _compare_with_record(console: Console, options: Namespace) -> None:
    """Print a replay beside its record, and draw it."""
    folder = find(options.folders[0]) if options.folders else kept(options.space)
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
    console.print("no picture was drawn: --picture FILE draws one" if picture is None else f"picture: {picture}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare what the command line names. Exit code 2 and one line where that cannot be."""
    parser = OneLineParser(
        prog="python -m results.compare",
        description="Hold campaigns against each other, or a replay against its record.",
        epilog=EXIT_CODES_OF_LOOKING,
    )
    parser.add_argument(
        "folders",
        type=text_argument,
        nargs="*",
        metavar="CAMPAIGN",
        help="two or more campaigns, or one replay: folders, URLs or names in results/runs",
    )
    parser.add_argument("--space", metavar="NAME", help="the space that was replayed; alone, the replay kept here")
    parser.add_argument(
        "--top",
        type=at_least_one,
        metavar="N",
        help=f"list the N best (default: {MOST_SHOWN}; of a replay all)",
    )
    parser.add_argument(
        "--picture",
        type=local_argument,
        metavar="FILE",
        help="where to draw a replay (default: beside its folder, as .png; nowhere for the one that is kept here)",
    )
    options = parser.parse_args(arguments)
    if not options.folders and options.space is None:
        parser.error(
            "which campaigns? name two or more, or one replay, or --space NAME for the replay that is kept here"
        )
    try:
        (_compare_campaigns if len(options.folders) > 1 else _compare_with_record)(Console(), options)
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Campaigns side by side: ``python -m results.compare CAMPAIGN CAMPAIGN...``; with one, a replay beside its record.

With several, their tables are printed and a page of them is written: beside the first one's folder, or where
``--html`` says. With one, the tables are printed and a picture is drawn: beside its folder, or where ``--picture``
says. Of the replay that is kept here (``--space NAME``) it only prints, unless it is asked to draw: its picture is one
of this repository's files.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m results.compare")

import hashlib
import re
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from storage import inside
from storage.location import Location, argument, local_argument
from terminal.command_line import EXIT_CODES_OF_LOOKING, OneLineParser
from terminal.complaint import complain
from terminal.console import Console
from terminal.exit_codes import DONE, FAILED
from terminal.nearest import nearest
from terminal.option_numbers import at_least_one

from results.named_campaigns import add_campaign, named_campaigns
from results.questions.compare import compare_campaigns
from results.questions.compare_text import MOST_SHOWN, print_campaigns
from results.replays.comparison import compare
from results.replays.picture import check_picture, draw
from results.replays.side_by_side import print_comparison
from results.store import frames
from results.targets import check_target_file

PROGRAM = "python -m results.compare"
_PAGES = (".html", ".htm")
LONGEST = 100  # characters of the names in a page's file name; file systems take 255 bytes
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


def place_beside(folders: Sequence[Location]) -> Location:
    """Return the place of the page of several campaigns: beside the first one's folder, named after all.

    In this directory where that folder is in an object store, or is one of this repository's files.
    """
    first = folders[0]
    names = "-".join(re.sub(r"[^A-Za-z0-9._-]+", "_", folder.name) for folder in folders)
    if len(names) > LONGEST:
        names = f"{names[:LONGEST]}-{hashlib.sha256(names.encode()).hexdigest()[:8]}"
    beside = first.resolve().parent if isinstance(first, Path) else None
    where = Path.cwd() if beside is None or beside == KEPT.resolve() else beside
    return where / f"compare-{names}.html"


def _compare_campaigns(console: Console, options: Namespace) -> int:
    """Print several campaigns side by side, and write their page; a ValueError for an option that is for a replay
    alone.
    """
    for name in ("space", "picture"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} is for one replay beside its record, not for {len(options.folders)} campaigns")
    if options.html is not None and options.page:
        check_target_file("--html", options.html, _PAGES)  # before the campaigns are looked for
    folders = named_campaigns(options.folders, options)
    where = options.html or place_beside(folders)
    if options.page:
        check_target_file("--html", where, _PAGES)
    all_results = [frames.load(folder) for folder in folders]
    found = compare_campaigns(all_results)
    print_campaigns(console, found, options.top or MOST_SHOWN)
    if not options.page:
        return DONE
    from results.page.comparison import comparison_data  # looks at its parts only here
    from results.page.write import html_of_comparison

    content = html_of_comparison(comparison_data(found, all_results)).encode()
    try:
        inside.write(where.parent, where.name, content)
    except OSError as error:
        complain(PROGRAM, f"not written: {error}")
        return FAILED
    console.print(f"Page: {where}")
    return DONE


def _compare_with_record(console: Console, options: Namespace) -> int:
    """Print a replay beside its record, and draw it; a ValueError for an option that is for several campaigns."""
    if options.html is not None or not options.page:
        name = "--no-page" if options.html is None else "--html"
        raise ValueError(f"{name} is for several campaigns: python -m results.report writes the page of one")
    if not options.folders and options.results is not None:
        raise ValueError("--results is for campaigns that are named, not for the replay that is kept here")
    if options.picture is not None:
        check_picture(options.picture)
        check_target_file("--picture", options.picture)  # before the campaign is looked for
    folder = named_campaigns(options.folders, options)[0] if options.folders else kept(options.space)
    results = frames.load(folder)
    if options.space not in (None, results.campaign.get("space")):
        raise ValueError(f"{folder} replays {results.campaign.get('space')!r}, not {options.space!r}")
    picture = options.picture or _beside(folder)
    if picture is not None:
        check_target_file("--picture", picture)
    comparison = compare(results)
    print_comparison(console, comparison, options.top)
    if picture is not None:
        draw(comparison, picture)
    console.print("no picture was drawn: --picture FILE draws one" if picture is None else f"picture: {picture}")
    return DONE


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog=PROGRAM,
        description="Hold campaigns against each other, or a replay against its record.",
        epilog=EXIT_CODES_OF_LOOKING,
    )
    add_campaign(parser, "folders", "two or more campaigns, or one replay: names, folders or URLs", nargs="*")
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
    parser.add_argument(
        "--html",
        type=argument,
        metavar="FILE",
        help="where to write the page of several campaigns (default: beside the first one's folder; in this directory "
        "where that is in an object store, or kept here)",
    )
    parser.add_argument("--no-page", dest="page", action="store_false", help="write no page")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare what the command line names. Exit code 2 and one line where that cannot be, 1 where the page of several
    campaigns cannot be written.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.folders and options.space is None:
        parser.error(
            "which campaigns? name two or more, or one replay, or --space NAME for the replay that is kept here"
        )
    try:
        return (_compare_campaigns if len(options.folders) > 1 else _compare_with_record)(Console(), options)
    except (ValueError, OSError) as error:
        return parser.refuse(error)


if __name__ == "__main__":
    program.end(main())

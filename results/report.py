"""The results of a campaign: ``python -m results.report FOLDER``, for a running or a finished one.

Prints the leaderboard as text, and writes a page with all the pictures into the campaign's folder (results/page/). The
text is plain ASCII without frames, one line a trial, so that it reads the same in a terminal, a log file and a pipe.
Laid out here and not by a rich Table, which would break paths in the middle: what does not fit is counted ("1/4" are
shown), never cut.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m results.report")

import argparse
import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from storage import inside
from storage.location import Location, argument, local_argument
from terminal.command_line import EXIT_CODES_OF_LOOKING, OneLineParser
from terminal.complaint import complain
from terminal.console import Console
from terminal.counted import counted
from terminal.exit_codes import DONE, FAILED
from terminal.option_numbers import at_least_one
from terminal.short import decimals, in_column, short, signed

from results.arithmetic import arithmetic_lines
from results.crashes import crash_lines
from results.curve_notes import curve_notes, missing_curves
from results.curves_read import curves_read
from results.cut_schedules import cut_schedules
from results.ending import print_ending
from results.export import write_csv
from results.inert_changes import inert_changes
from results.kept_weights import name_in_commands
from results.limits_text import limited_leads, limits_line
from results.named_campaigns import add_campaign, named_campaign
from results.page.table import base_values
from results.plain_rows import plain_rows
from results.questions.framed import second_objective_of
from results.questions.pareto import front_in_words
from results.questions.transfer import transfer_lines
from results.reached import notes_on, reached
from results.some_changes import HEADING, as_many_as_fit
from results.statistics.leaderboard import LONG_TEXTS, leaderboard, without_texts
from results.statistics.pareto import costs
from results.stopping import stopping_line
from results.store import frames
from results.store.frames import Results
from results.store.no_collections import no_collections
from results.tally import tally_of
from results.targets import check_target_file, check_target_folder, naming
from results.unmet_limits import nearest_to_limits
from results.verdicts import confirmed_in_words, plain_rows_of, searched_rows, verdict_lines
from results.winner_command import kept_command

_HEADS = ("rank", "trial", "", "vs base", "status")  # the third is the name of the objective
_OF_FRONT = 3  # trials of a front that are listed with their changes, beside the first one
PROGRAM = "python -m results.report"
NO_EFFECT = "  changes nothing here"  # behind a change of a trial
_GAP = "  "
TO_SCREEN = Path("-")  # --markdown without a file
_OF_COMPARE = {  # options of results.compare, which are looked for here
    "--html": "the page is report.html in the campaign's folder, written unless there is --no-page",
    "--picture": "--png FOLDER writes the page's pictures",
}


@dataclass(frozen=True)
class _Line:
    """One trial of the leaderboard as text: its cells up to the status, what it changes, and how it is coloured."""

    cells: tuple[str, str, str, str, str]
    lead: list[str]  # what is said before the changes
    changes: list[str]
    style: str


def print_leaderboard(console: Console, results: Results, top: int = 10) -> None:
    """Print the counts, the ``top`` rows of the leaderboard and the base, and what changed in the best trial."""
    _print_head(console, results)
    second = second_objective_of(results)
    unmet = nearest_to_limits(results.campaign, searched_rows(results)) is not None
    board = leaderboard(results.trials if unmet else without_texts(results.trials), second, beyond=unmet)
    rows = plain_rows_of(results)
    crashes = [*arithmetic_lines(rows), *crash_lines(rows)]
    if board.empty:
        _print_unmet(console, results)
        for line in crashes:
            console.print(line)
        return
    shown = _with_texts(board[(board.index < top) | board["is_base"] | board["front"].eq(True)], results.trials)
    objective = next(iter(board["objective"].dropna()), "value")
    values = in_column(row["last_value"] if pd.isna(row["rank"]) else row["value"] for _, row in shown.iterrows())
    versus = in_column(shown.loc[~shown["is_base"], "versus_base"], signed)
    marks = reached(results, shown)
    lines = [_line(row, mark, values, versus) for mark, (_, row) in zip(marks, shown.iterrows(), strict=True)]
    if second is not None:
        lines = [_with_second(line, *pair) for line, pair in zip(lines, _pairs(shown, second), strict=True)]
    limited = limited_leads(results, plain_rows(shown))
    lines = [replace(line, lead=[*more, *line.lead]) for line, more in zip(lines, limited, strict=True)]
    _print_table(console, lines, objective)
    if second is not None:
        console.print(f"front: {front_in_words(board, objective, second)}.", style="dim")
    verdicts = verdict_lines(results)
    on_the_way = notes_on(shown, marks, bool(cut_schedules(results.campaign, shown).notna().any()))
    for note in _notes(board, shown, on_the_way, confirmed_in_words(results)):
        console.print(note, style="dim")
    _print_unmet(console, results)
    if stopping := stopping_line(results):
        console.print(stopping, style="dim")
    for line in crashes:
        console.print(line)
    _print_best(console, board, objective, results)
    for line in ["", *verdicts] if verdicts else []:
        console.print(line)
    for line in ["", *carried] if (carried := transfer_lines(results)) else []:
        console.print(line)


def _with_texts(rows: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Some rows of a leaderboard with the long texts of their trials."""
    own = trials[trials["key"].isin(rows["key"])].set_index("key")
    return rows.assign(**{name: rows["key"].map(own[name]) for name in LONG_TEXTS if name not in rows})


def _print_head(console: Console, results: Results) -> None:
    """Print how many trials there are of each status, and the limits that they must keep."""
    console.print(tally_of(results.trials).head)
    if limits := limits_line(results):
        console.print(limits)


def _print_unmet(console: Console, results: Results) -> None:
    """Print which limits no trial meets, and which one came nearest; nothing where a trial has completed."""
    if (unmet := nearest_to_limits(results.campaign, searched_rows(results))) is not None:
        console.print(f"{unmet.fact}.")


def print_winner_command(console: Console, results: Results) -> None:
    """Print the command that trains the winner, where the search has left one."""
    if (kept := kept_command(results)) is not None:
        console.print(kept.heading)
        console.print(f"  {kept.line}")


def _line(row: pd.Series, mark: str, values: Callable[[Any], str], versus: Callable[[Any], str]) -> _Line:
    """Make a trial's line, with what formats the column of its value and of its difference from the base.

    ``mark`` says how far it had come where its value is not of a whole run.
    """
    ranked = not pd.isna(row["rank"])
    value = row["value"] if ranked else row["last_value"]
    cells = (
        str(row["rank"]) if ranked else "-",
        "-" if pd.isna(row["number"]) else str(row["number"]),
        values(value),
        "-" if row["is_base"] else versus(row["versus_base"]),
        f"{row['status']}{mark}",
    )
    if row["is_base"]:
        return _Line(cells, [*_recorded(row), "(the base config)"], [], "cyan")
    style = "dim" if not ranked else "bold" if row["rank"] == 1 else ""
    changes = [f"{path}={short(value)}" for path, value in _overrides(row).items()]
    return _Line(cells, _recorded(row), changes, style)


def _recorded(row: pd.Series) -> list[str]:
    """Name the recorded run that a trial replays, and its seed; nothing for a trial of a search."""
    known = row.get("recorded_id")
    return [] if known is None or pd.isna(known) else [f"{known} (seed {row['seed']}):"]


def _pairs(shown: pd.DataFrame, second: str) -> list[tuple[str, bool]]:
    """Return for each row the second objective as text, and whether it lies on the front."""
    values = costs(shown, second)
    texts = ["" if pd.isna(value) else f"{second}={short(float(value))}" for value in values]
    return list(zip(texts, shown["front"].eq(True), strict=True))


def _with_second(line: _Line, text: str, on_front: bool) -> _Line:
    status = f"{line.cells[4]}{' front' if on_front else ''}"
    return replace(line, cells=(*line.cells[:4], status), lead=[text, *line.lead] if text else line.lead)


def _overrides(row: pd.Series) -> dict[str, Any]:
    text = row["overrides"]
    found: dict[str, Any] = {} if pd.isna(text) else json.loads(text)
    return found


def _print_table(console: Console, lines: list[_Line], objective: str) -> None:
    heads = tuple(head or objective for head in _HEADS)
    widths = [max(len(cells[i]) for cells in (heads, *(line.cells for line in lines))) for i in range(len(heads))]
    room = console.width - sum(widths) - len(_GAP) * len(widths)

    def joined(cells: Sequence[str], last: str) -> str:
        padded = [cell.rjust(width) for cell, width in zip(cells[:-1], widths, strict=False)]
        return _GAP.join([*padded, cells[-1].ljust(widths[-1]), last])

    console.print(joined(heads, HEADING), style="underline")
    for line in lines:
        console.print(joined(line.cells, as_many_as_fit(line.changes, room, line.lead)), style=line.style)


def _notes(board: pd.DataFrame, shown: pd.DataFrame, on_the_way: list[str], confirmed: str) -> list[str]:
    notes = []
    if len(board) > len(shown):
        left = len(board) - len(shown)
        notes.append(f"{counted(left, 'more finished or stopped trial')} {'is' if left == 1 else 'are'} not shown.")
    notes += on_the_way
    if "recorded_id" in board and board["recorded_id"].notna().any():
        notes.append("A replay: python -m results.compare holds it against its record, runs on several seeds together.")
    elif board["versus_base"].notna().any():
        if board.loc[~board["is_base"], "versus_base"].notna().any():  # else the base alone has a value
            notes.append(f"Each difference is between single runs of one seed: {confirmed}.")
    elif board["rank"].notna().any():
        base = board[board["is_base"] & (board["status"] == "infeasible")]
        yet = f": the base is beyond a limit, {base['reason'].iloc[0]}." if len(base) else " yet."
        notes.append(f"No base trial has completed, so there is nothing to compare with{yet}")
    return notes


def _print_best(console: Console, board: pd.DataFrame, objective: str, results: Results) -> None:
    """The best trial with all its changes, beside the base's values; of two objectives, others of the front as well."""
    best = _with_texts(board.head(1), results.trials).iloc[0]
    if pd.isna(best["rank"]):
        return
    second = second_objective_of(results)
    if second is None:
        _print_changes(console, best, "Best", objective, results)
        return
    others = board[board["front"].eq(True) & (board["number"] != best["number"])]
    shown = _with_texts(pd.concat([board.head(1), others.head(_OF_FRONT)]), results.trials)
    leads = [f"Lowest {objective}", *["On the front"] * _OF_FRONT]  # of two, none is the best
    for lead, (_, row), (text, _) in zip(leads, shown.iterrows(), _pairs(shown, second), strict=False):
        _print_changes(console, row, lead, objective, results, f", {text}" if text else "")
    if (left := len(others) - _OF_FRONT) > 0:
        where = f"{PROGRAM} {shlex.quote(name_in_commands(results.store.folder))} --csv FOLDER"
        console.print(f"{counted(left, 'more trial')} of the front, with changes in FOLDER/pareto.csv: {where}")


def _print_changes(
    console: Console, row: pd.Series, lead: str, objective: str, results: Results, second: str = ""
) -> None:
    """One trial with all its changes, each beside the base's value: of its row, else of its config."""
    console.print()
    if row["is_base"]:
        console.print(f"{lead}: the base config itself, {objective} {decimals(row['value'])}{second}.")
        return
    difference = "" if pd.isna(row["versus_base"]) else f" ({signed(row['versus_base'])} vs base)"
    which = "".join(f", {name.removesuffix(':')}" for name in _recorded(row))
    console.print(
        f"{lead}: trial {row['number']}{which}, {objective} {decimals(row['value'])}{difference}{second}, with"
    )
    changes, base = _overrides(row), base_values(results.trials, results.campaign)
    width = max((len(path) for path in changes), default=0)
    idle = inert_changes(row.get("inert"))
    for path, value in changes.items():
        was = f"  (base: {short(base[path])})" if path in base else ""
        console.print(f"  {path:<{width}}  {short(value)}{was}{NO_EFFECT if path in idle else ''}")


def print_page(console: Console, results: Results, folder: Location) -> None:
    """Write the page of a campaign and print where it is. An OSError where it cannot be written."""
    from results.page.write import write_page  # looks at its parts only here

    console.print(f"Page: {write_page(results, folder)}")


@no_collections()
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report of the campaign named on the command line, and write its page.

    Exit code 2 and one line where it cannot be read, 1 where something cannot be written.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        _check_targets(options)  # before the campaign is looked for
        folder = named_campaign(options.campaign, options)
        results = frames.load(folder)
        with_curves = options.page or options.png or options.markdown
        _ = curves_read(results) if with_curves else None  # what is damaged is said before anything is printed
        tables = [] if options.csv is None else write_csv(results, options.csv)
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    console = Console()
    to_screen = options.markdown == TO_SCREEN
    told = Console(stderr=True) if to_screen else console  # the summary is then alone on standard output
    if not to_screen:
        print_leaderboard(console, results, options.top)
        print_winner_command(console, results)
        print_ending(console, results, folder)
        for note in curve_notes(results) if with_curves else filter(None, [missing_curves(results)]):
            console.print(f"note: {note}")
    if tables:
        told.print(f"Tables in {options.csv}: {', '.join(tables)}")
    try:
        _write_all(console, told, options, results, folder)
    except (ValueError, OSError) as error:
        complain(parser.prog, f"not written: {error}")
        return FAILED
    return DONE


def _check_targets(options: argparse.Namespace) -> None:
    """Raise a ValueError for a place that cannot be written to, or that belongs to a campaign."""
    if options.csv is not None:
        check_target_folder("--csv", options.csv)
    if options.png is not None:
        check_target_folder("--png", options.png)
    if options.markdown not in (None, TO_SCREEN):
        check_target_file("--markdown", options.markdown)


def _parser() -> OneLineParser:
    parser = OneLineParser(prog=PROGRAM, description="Show the results of a campaign.", epilog=EXIT_CODES_OF_LOOKING)
    parser.meant = lambda option, _: _OF_COMPARE.get(option)
    parser.for_more = "; python -m results.compare sets several side by side"
    add_campaign(parser)
    parser.add_argument(
        "--top", type=at_least_one, default=10, metavar="N", help="rows of the leaderboard (default: %(default)s)"
    )
    parser.add_argument(
        "--no-page", dest="page", action="store_false", help="write no report.html into the campaign's folder"
    )
    parser.add_argument("--csv", type=argument, metavar="FOLDER", help="write the tables there too, a .csv a question")
    parser.add_argument(
        "--png", type=local_argument, metavar="FOLDER", help="write the page's pictures there, for a paper"
    )
    parser.add_argument(
        "--markdown",
        type=local_argument,
        nargs="?",
        const=TO_SCREEN,
        metavar="FILE",
        help="write a summary with tables for a pull request there, or print it in place of the text",
    )
    return parser


def _write_all(
    console: Console, told: Console, options: argparse.Namespace, results: Results, folder: Location
) -> None:
    """Write what the options ask for, and say on ``told`` which files. An OSError where that cannot be."""
    to_screen = options.markdown == TO_SCREEN
    if options.png is not None or options.markdown is not None:
        from results.page.data import page_data

        data = page_data(results, folder)
        if options.png is not None:
            from results.page.pictures import write_pictures  # with matplotlib

            with naming("--png", options.png):
                names = write_pictures(results, data, options.png)
            told.print(f"Pictures in {options.png}: {', '.join(names) or 'nothing to draw yet'}")
        if options.markdown is not None:
            _write_markdown(console, data, None if to_screen else options.markdown, options.top)
    if options.page and not to_screen:
        print_page(console, results, folder)


def _write_markdown(console: Console, data: dict[str, Any], file: Path | None, top: int) -> None:
    from results.page.markdown import markdown

    text = markdown(data, top)
    if file is None:
        for line in text.splitlines():
            console.print(line)
        return
    with naming("--markdown", file):
        inside.write(file.parent, file.name, text.encode())
    console.print(f"Markdown: {file}")


if __name__ == "__main__":
    program.end(main())

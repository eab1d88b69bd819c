"""A comparison of campaigns as text: plain ASCII without frames, as in a campaign's report."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from terminal.console import Console
from terminal.counted import counted
from terminal.short import in_column, signed

from results.questions.compare import Campaigns
from results.some_changes import HEADING as CHANGES
from results.some_changes import as_many_as_fit
from results.statistics.leaderboard import ESTABLISHED

Form = Callable[[Any], str]  # of the cells of a column
GAP = "  "
BETWEEN = re.compile(r", (?=[\w.]+=)")  # two changes, of which a value may hold commas
DIGITS = re.compile(r"(?<![\w.])\d+\.\d{3,}(?![\w.])")  # a fraction that says more than a table needs
MOST_SHOWN = 10
REASONS = 3  # why trials are not ranked, of which the frame has all
CAUTION = "Values of a search are single runs, and the lowest is lucky: the winners below say what was confirmed."


def print_campaigns(console: Console, found: Campaigns, top: int = MOST_SHOWN) -> None:
    """Print what is comparable, the ``top`` trials of each ruler, winners, noise, and where the knobs differ."""
    about = found.campaigns
    heads = ["campaign", "space", "scale", "trials", "completed", "base", "best", "objective", "budget", "data"]
    form = in_column([*about["base_value"], *about["best_value"]])
    _print_table(console, heads, about.apply(_campaign_cells, axis=1, form=form), numbers=(3, 4, 5, 6))
    _print_differences(console, found.differences)
    rulers = about.groupby("ruler")["campaign"].apply(list)
    for number, names in rulers.items():
        console.print()
        _print_ruler(console, found.leaderboard, number, names, top)
    console.print()
    console.print("Winners (vs base: single runs of the search; on fresh seeds: pairs with the base)")
    heads = ["campaign", "trial", "value", "vs base", "on fresh seeds", "95 % interval", "verdict"]
    _print_table(console, heads, _winner_rows(found.winners), numbers=(1, 2, 3, 4, 5))
    for row in found.winners[found.winners["changes"].fillna("") != ""].to_dict("records"):
        said = f"{row['campaign']}, changed from the base: "
        console.print(said + _as_many_changes(row["changes"], console.width - len(said)))
    _print_noise(console, found.noise)
    _print_knobs(console, found.knobs)


def _print_ruler(console: Console, board: pd.DataFrame, number: Any, names: Sequence[str], top: int) -> None:
    its = board[board["ruler"] == number]
    ranked = its[its["rank"].notna()]
    together = f"{', '.join(names)}: one ruler" if len(names) > 1 else names[0]
    console.print(f"Leaderboard of {together}")
    if ranked.empty:
        console.print("no trial has completed" if its.empty else "no trial that can be ranked has completed")
    else:
        heads = ["rank", "campaign", "trial", "value", "vs base", CHANGES]
        _print_table(console, heads, _trial_rows(ranked.head(top)), numbers=(0, 2, 3, 4))
        if len(ranked) > top:
            console.print(f"{counted(len(ranked) - top, 'more completed trial')} not shown.", style="dim")
        console.print(CAUTION, style="dim")
    for campaign, some in its[its["rank"].isna()].groupby("campaign"):
        reasons = [f"{why} ({number})" for why, number in some["why_not_ranked"].value_counts().items()]
        more = f"; {len(reasons) - REASONS} more ways" if len(reasons) > REASONS else ""
        said = "; ".join(reasons[:REASONS])
        console.print(f"not ranked: {counted(len(some), 'trial')} of {campaign}, unlike its base: {said}{more}")


def _print_differences(console: Console, differences: pd.DataFrame) -> None:
    if differences.empty:
        return
    console.print()
    console.print("Not ranked together:")
    for row in differences.to_dict("records"):
        of_one, of_other = (f"{row[value]} in {row[name]}" for value, name in _SIDES)
        console.print(f"  {row['field']}: {of_one}, {of_other}")


_SIDES = (("value", "campaign"), ("other_value", "other_campaign"))


def _print_noise(console: Console, noise: pd.DataFrame) -> None:
    console.print()
    if noise.empty:
        console.print("Noise: unknown in all of them, for want of runs of one config on several seeds")
        return
    console.print("Noise of a run")
    heads = ["campaign", "SD", "95 % interval", "df", "told apart", "from"]
    _print_table(console, heads, _noise_rows(noise), numbers=(1, 2, 3, 4))


def _print_knobs(console: Console, knobs: pd.DataFrame) -> None:
    differ = knobs[~knobs["same"].astype(bool)]
    console.print()
    if len(knobs) > len(differ):
        console.print(f"{counted(len(knobs) - len(differ), 'knob')} with the same range in all of them")
    if len(differ):
        names = [name for name in knobs if name not in ("knob", "same")]
        console.print("Knobs and settings that differ (= value: fixed)")
        cells = differ.apply(lambda row: [row["knob"], *(_text(row[name]) for name in names)], axis=1)
        _print_table(console, ["knob", *map(str, names)], cells, numbers=())


# --- tables -----------------------------------------------------------------------------------------------------------


def _print_table(console: Console, heads: Sequence[str], lines: Iterable[list[str]], numbers: Sequence[int]) -> None:
    """Columns to the left but for those of ``numbers``. A last column of changes has as many as fit."""
    lines = list(lines)
    widths = [max(map(len, column)) for column in list(zip(heads, *lines, strict=True))[:-1]]
    room = console.width - sum(widths) - len(GAP) * len(widths)
    for line in ([*heads], *lines):
        pairs = enumerate(zip(line[:-1], widths, strict=True))
        cells = [cell.rjust(width) if i in numbers else cell.ljust(width) for i, (cell, width) in pairs]
        last = line[-1]
        if heads[-1] == CHANGES and last:
            last = _as_many_changes(last, room)
        console.print(GAP.join([*cells, last]).rstrip(), style="underline" if line == heads else "")


def _as_many_changes(changes: str, room: int) -> str:
    return as_many_as_fit(BETWEEN.split(DIGITS.sub(_few_digits, changes)), room)


def _few_digits(found: re.Match[str]) -> str:
    return f"{float(found[0]):.3g}"


def _campaign_cells(row: pd.Series, form: Form) -> list[str]:
    texts = ("campaign", "space", "scale", "trials", "completed")
    values = [form(row["base_value"]), form(row["best_value"])]
    return [*(_text(row[name]) for name in texts), *values, *(_text(row[n]) for n in ("objective", "budget", "data"))]


def _trial_rows(ranked: pd.DataFrame) -> list[list[str]]:
    value, versus = in_column(ranked["value"]), in_column(ranked["versus_base"], signed)
    found = []
    for row in ranked.to_dict("records"):
        changed = "(the base config)" if row["is_base"] is True else _text(row["changes"])
        names = [_text(row[name]) for name in ("rank", "campaign", "trial")]
        found.append([*names, value(row["value"]), versus(row["versus_base"]), changed])
    return found


def _winner_rows(winners: pd.DataFrame) -> list[list[str]]:
    value, versus = in_column(winners["value"]), in_column(winners["versus_base"], signed)
    fresh = in_column([*winners["difference"], *winners["low"], *winners["high"]], signed)
    found = []
    for row in winners.to_dict("records"):
        names = [_text(row[name]) for name in ("campaign", "trial")]
        numbers = [value(row["value"]), versus(row["versus_base"]), fresh(row["difference"]), _interval(row, fresh)]
        found.append([*names, *numbers, _short_verdict(row)])
    return found


def _short_verdict(row: Mapping[Any, Any]) -> str:
    """A winner's verdict in two or three words: those before the reason, and of an established one which it is."""
    if pd.isna(row["trial"]):
        return "-"
    said = winner_verdict(row)
    first = said.partition(";")[0].partition(" (")[0]  # of value and chance of escaping, the one that is told apart
    return first if said.startswith(ESTABLISHED) else first.partition(":")[0]


def winner_verdict(row: Mapping[Any, Any]) -> str:
    """A winner's verdict in words; of one that no confirmation tried, that."""
    if not pd.isna(row["verdict"]):
        return str(row["verdict"])
    return "not tried" if row["changes"] else "the base"


def _noise_rows(noise: pd.DataFrame) -> list[list[str]]:
    form = in_column([value for name in ("sd", "low", "high", "smallest_difference") for value in noise[name]])
    found = []
    for row in noise.to_dict("records"):
        numbers = [form(row["sd"]), _interval(row, form), _text(row["degrees_of_freedom"])]
        size = f"{counted(int(row['configs']), 'config')}, {counted(int(row['runs']), 'run')}"
        paired = ", paired" if row["paired"] else ""
        source = f"{row['source']} ({size}{paired})"
        found.append([row["campaign"], *numbers, form(row["smallest_difference"]), source])
    return found


def _interval(row: Mapping[Any, Any], number: Form) -> str:
    return "-" if pd.isna(row["low"]) else f"{number(row['low'])} .. {number(row['high'])}"


def _text(value: Any) -> str:
    return "-" if pd.isna(value) else str(value)

"""A comparison as text: plain ASCII without frames, one line a run that was replayed, as in a campaign's report.

A dash stands for what is not there; what was not replayed is counted. The summary comes last, so that it is what a
terminal shows.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from terminal.console import Console
from terminal.counted import counted
from terminal.short import decimals, in_column, signed

from results.replays.budgets import steps_line
from results.replays.comparison import Comparison
from results.statistics.leaderboard import CONTRADICTS, ESTABLISHED, NOT_ESTABLISHED, Noise

_GAP = "  "
_SHORT = {ESTABLISHED: "yes", NOT_ESTABLISHED: "no", CONTRADICTS: "against"}
_STYLES = {"no": "dim", "against": "red"}
_LEGEND = (
    "log, here: is the difference before it a finding? no: it may be noise; against: yes, but of the opposite sign.",
    "It is asked at 95 %, so one in 20 of those that are noise alone is a finding too.",
)


def print_comparison(console: Console, comparison: Comparison, top: int | None = None) -> None:
    """Print what was replayed (of the runs the ``top`` best, or all), how much was not, and what it comes to."""
    what = f"{comparison.space} replayed {comparison.reading} at scale {comparison.scale}"
    console.print(f"{comparison.metric} of {what}")
    console.print("vs base: minus that of the run's own base, in means of replicates; n: trials", style="dim")
    runs, progression, effects = comparison.runs, comparison.progression, comparison.effects
    tables = [
        (runs, runs["measured"].notna() | runs["measured_status"].notna() | (runs["measured_plateaus"] > 0)),
        (progression, progression["measured"].notna()),
        (effects, effects["measured_difference"].notna()),
    ]
    runs, progression, effects = (table[there] for table, there in tables)
    if len(runs):
        _print_runs(console, runs, top)
    if len(progression):
        console.print()
        console.print("From the baseline to the best; change: from the step before")
        _print_progression(console, progression)
    if len(effects):
        console.print()
        console.print("Effects: treatment minus control")
        _print_effects(console, effects)
    console.print("")
    _print_left_out(console, [len(table) - int(there.sum()) for table, there in tables])
    for line in _LEGEND:
        console.print(line, style="dim")
    for line in summary(comparison):
        console.print(line)


def _print_left_out(console: Console, numbers: Sequence[int]) -> None:
    """Print how many runs, steps of the progression and effects were not trained here, so that they are not shown."""
    kinds = ("recorded run", "step", "effect")
    said = [counted(number, kind) for number, kind in zip(numbers, kinds, strict=True) if number]
    if said:
        console.print(f"not replayed, and not shown: {', '.join(said)}")


# --- tables -----------------------------------------------------------------------------------------------------------


def _print_runs(console: Console, runs: pd.DataFrame, top: int | None) -> None:
    order = runs.sort_values(["measured_rank", "recorded_rank"], kind="stable").head(len(runs) if top is None else top)
    score = in_column([*order["recorded"], *order["measured"]])
    change = in_column([*order["recorded_difference"], *order["measured_difference"]], signed)
    lines = []
    for _, run in order.iterrows():
        lines.append(
            [
                run["id"],
                score(run["recorded"]),
                _count(run["recorded_rank"]),
                change(run["recorded_difference"]),
                _verdict(run["recorded_verdict"]),
                _measured(run, score),
                _count(run["measured_rank"]),
                change(run["measured_difference"]),
                _count(run["measured_runs"] or None),
                _verdict(run["measured_verdict"]),
                _ascii(run["name"]),
            ]
        )
    heads = ["run", "recorded", "rank", "vs base", "log", "measured", "rank", "vs base", "n", "here", "name"]
    _print_table(console, heads, lines, words=(0, 10))


def _print_progression(console: Console, progression: pd.DataFrame) -> None:
    score = in_column([*progression["recorded"], *progression["measured"]])
    change = in_column([*progression["recorded_difference"], *progression["measured_difference"]], signed)
    lines = [
        [
            _ascii(step["label"]),
            score(step["recorded"]),
            change(step["recorded_difference"]),
            _verdict(step["recorded_verdict"]),
            score(step["measured"]),
            change(step["measured_difference"]),
            _verdict(step["measured_verdict"]),
            step["id"],
        ]
        for _, step in progression.iterrows()
    ]
    heads = ["step", "recorded", "change", "log", "measured", "change", "here", "run"]
    _print_table(console, heads, lines, words=(0, 7))


def _print_effects(console: Console, effects: pd.DataFrame) -> None:
    change = in_column([*effects["recorded_difference"], *effects["measured_difference"]], signed)
    lines = [
        [
            _ascii(effect["name"]),
            "lowers" if effect["lowers"] else "raises",
            change(effect["recorded_difference"]),
            _verdict(effect["recorded_verdict"]),
            change(effect["measured_difference"]),
            _verdict(effect["measured_verdict"]),
            f"{effect['treatment']} - {effect['control']}",
        ]
        for _, effect in effects.iterrows()
    ]
    _print_table(console, ["effect", "claim", "recorded", "log", "measured", "here", "of"], lines, words=(0, 1, 6))


def _print_table(console: Console, heads: list[str], lines: list[list[str]], words: Sequence[int]) -> None:
    """Columns of ``words`` are set to the left, numbers to the right. A last cell that does not fit is left out."""
    widths = [max(map(len, column)) for column in list(zip(heads, *lines, strict=True))[:-1]]

    def joined(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if i in words else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells[:-1], widths, strict=True))
        ]
        line, last = _GAP.join(padded), f"{_GAP}{cells[-1]}"
        return (line + last if len(line + last) <= console.width else line).rstrip()

    console.print(joined(heads), style="underline")
    here = heads.index("here")
    for line in lines:
        console.print(joined(line), style=_STYLES.get(line[here], ""))


# --- the summary ------------------------------------------------------------------------------------------------------


def summary(comparison: Comparison) -> list[str]:
    """Sum the comparison up, a line for each question that it can answer."""
    runs = comparison.runs
    steps = steps_line(comparison.steps)
    usual = int(runs.loc[runs["measured_runs"] > 0, "measured_runs"].mode().max() if runs["measured_runs"].any() else 1)
    lines = [steps] if steps else []
    lines += [
        f"noise of a run in the log: {_noise(comparison.recorded_noise, 1)}",
        f"noise of a run here: {_noise(comparison.measured_noise, usual)}",
    ]
    if found := comparison.correlation:
        interval = f"95 %: {found.low:.2f} to {found.high:.2f}"
        lines.append(
            f"rank correlation: {found.value:.2f} ({interval}) over {counted(found.pairs, 'run')} with a score on "
            f"both sides, {counted(found.independent, 'different training')}"
        )
    lines += [*_effect_lines(comparison), *_plateau_lines(comparison), *_never_scored(runs)]
    if missing := int((runs["base"].notna() & runs["measured"].isna()).sum()):
        ends = runs.loc[runs["measured"].isna(), "measured_status"].dropna().value_counts()
        why = ", ".join(f"{number} {status}" for status, number in ends.items()) or "not replayed"
        lines.append(f"runs without a measured score: {missing} ({why})")
    return lines


def _noise(noise: Noise | None, runs: int) -> str:
    if noise is None:
        return "unknown, for want of replicates: nothing can be established"
    what = "two single runs" if runs == 1 else f"two means of {runs}"
    apart = f"{what} must be {decimals(noise.smallest_difference(runs, runs))} apart"
    degrees = counted(noise.degrees_of_freedom, "degree")
    return f"SD {decimals(noise.sd)} with {degrees} of freedom; {apart}"


def _effect_lines(comparison: Comparison) -> list[str]:
    measured = comparison.effects[comparison.effects["agrees"].notna()]
    known = measured["recorded_verdict"].eq(ESTABLISHED).fillna(False)
    lines = []
    for what, some in (("established", measured[known]), ("not established", measured[~known])):
        if len(some):
            verdicts = some["measured_verdict"].value_counts()
            here = ", ".join(f"{verdicts[v]} {v}" for v in _SHORT if v in verdicts)
            agree = f"{int(some['agrees'].sum())} of {len(some)} have the claimed sign here"
            lines.append(f"effects {what} in the log: {agree}; {here}")
    return lines


def _plateau_lines(comparison: Comparison) -> list[str]:
    limits, runs = comparison.plateau, comparison.runs
    if limits is None:
        return []
    there, scored = int(runs["recorded_plateau"].sum()), int(runs["recorded"].notna().sum())
    trainings = runs.drop_duplicates("training")
    here = int(trainings["measured_plateaus"].sum())
    ended = here + int(trainings["measured_runs"].sum())
    return [
        f"on the plateau: {there} of {counted(scored, 'recorded run')} (above {limits['recorded']:g}), "
        f"{here} of {counted(ended, 'trial')} here (above {limits['measured']:g}); they are counted, "
        "not averaged or ranked"
    ]


def _never_scored(runs: pd.DataFrame) -> list[str]:
    never = runs[runs["recorded"].isna()]
    done = never.dropna(subset="measured_rank").sort_values("measured_rank")
    if never.empty:
        return []
    first = done.iloc[0] if len(done) else None
    ranks = int(runs["measured_rank"].notna().sum())
    best = "" if first is None else f"; the best of them is {first['id']}, rank {first['measured_rank']} of {ranks}"
    return [f"runs without a recorded score: {len(never)}, of which {len(done)} have one here{best}"]


# --- cells ------------------------------------------------------------------------------------------------------------


def _count(value: int | None) -> str:
    return "-" if pd.isna(value) else str(value)


def _verdict(value: str | None) -> str:
    return "-" if pd.isna(value) else _SHORT[str(value)]


def _measured(run: pd.Series, score: Callable[[Any], str]) -> str:
    """The score; without one, how the trials ended."""
    if not pd.isna(run["measured"]):
        return score(run["measured"])
    if run["measured_plateaus"]:
        return "plateau"
    return "-" if pd.isna(run["measured_status"]) else str(run["measured_status"])


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "replace").decode()

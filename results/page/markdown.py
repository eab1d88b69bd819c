"""The page's data as Markdown, for a pull request: the verdict, the winner, tables, and how to make it again.

What comes from a campaign stands in code spans, where it is neither markup nor a mention of anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from terminal.short import decimals, in_column, short, signed

from results.some_changes import HEADING, some
from results.store.statuses import SEARCH

TOP = 10  # rows of each table
MOST_CHANGES = 4  # of a trial, in a table

_MARKUP = re.compile(r"([\\`*_\[\]<>|~&#])")


def markdown(data: dict[str, Any], top: int = TOP) -> str:
    """The summary of a page's data, its tables with at most ``top`` rows."""
    parts = [
        f"## {code(data['name'])}",
        without_markup(data["verdict"]["sentence"]),
        *_winner(data),
        *_confirmed(data),
        *_transferred(data),
        *([without_markup(data["limits"])] if data["limits"] else []),
        *_leaderboard(data, top),
        *_importance(data, top),
        *_next(data),
        *_again(data),
    ]
    return "\n\n".join(parts) + "\n"


def without_markup(text: str) -> str:
    """Text of ours with names in it: nothing in it is markup, and nobody is mentioned."""
    return _MARKUP.sub(r"\\\1", text).replace("@", "@<!-- -->")


def code(value: Any) -> str:
    """A value as a code span that can stand in a table, whatever is in it."""
    text = "-" if value is None else short(value)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    room = " " if text.startswith("`") or text.endswith("`") else ""
    inner = text.replace("|", "\\|")
    return f"{fence}{room}{inner}{room}{fence}" if text else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _changes(data: dict[str, Any], place: int) -> list[tuple[str, Any, Any]]:
    changes = data["changes"]
    return [(changes["paths"][path], changes["base"][path], value) for path, value in changes["of"][place]]


def _winner(data: dict[str, Any]) -> list[str]:
    winner = data["winner"]
    if winner is None:
        return []
    place = data["trials"]["number"].index(winner["trial"])
    idle = {data["changes"]["paths"][path] for path in data["changes"]["inert"][place]}
    rows = [
        [code(path), code(base), code(value) + ("; changes nothing here" if path in idle else "")]
        for path, base, value in _changes(data, place)
    ]
    found = [f"Trial {winner['trial']} changes:", _table(["", "base", "here"], rows)] if rows else []
    command = [winner["command_heading"], f"```sh\n{winner['command']}\n```"] if "command" in winner else []
    return [*found, *command]


def _confirmed(data: dict[str, Any]) -> list[str]:
    if not data["confirmations"]:
        return []
    last = data["confirmations"][-1]
    judged = last["arms"][1:]
    form = in_column([arm.get(name) for arm in judged for name in ("difference", "low", "high")], signed)
    rows = [
        [
            str(arm["trial"]),
            form(arm.get("difference")),
            "-" if arm.get("low") is None else f"{form(arm['low'])} .. {form(arm['high'])}",
            str(arm.get("pairs", 0)),
            without_markup(arm.get("said", "")),
        ]
        for arm in judged
    ]
    heads = ["trial", "vs base", "95 % interval", "pairs", "verdict"]
    design = f"{last['design']}: {last['meaning']}"
    return [f"Confirmed on fresh seeds, paired with the base ({design}):", _table(heads, rows)]


def _transferred(data: dict[str, Any]) -> list[str]:
    found = data["transfer"]
    if found is None:
        return []
    names = {"search_value": decimals, "search_versus_base": signed, "value": decimals, "versus_base": signed}
    forms = {name: in_column([row[name] for row in found["rows"]], form) for name, form in names.items()}
    rows = []
    for row in found["rows"]:
        values = [forms[name](row[name]) for name in names]
        ranks = (_count(row["search_rank"]), _count(row["rank"]))
        name = "the base" if row["is_base"] else f"trial {row['search_trial']}"
        cells = [name, ranks[0], *values[:2], ranks[1], *values[2:], without_markup(row["verdict"] or "-")]
        rows.append(cells)
    there, here = without_markup(found["there"]), without_markup(found["here"])
    heads = ["in the search", "rank", there, "vs base", "rank", here, "vs base", "on fresh seeds"]
    return [without_markup(" ".join(found["lines"])), _table(heads, rows)]


def _count(value: int | None) -> str:
    return "-" if value is None else str(value)


def _leaderboard(data: dict[str, Any], top: int) -> list[str]:
    trials = data["trials"]
    ranked = sorted((rank, place) for place, rank in enumerate(trials["rank"]) if rank is not None)[:top]
    if not ranked and data["limits"]:  # none keeps them: what there is are the trials beyond
        search = [place for place, stage in enumerate(trials["stage"]) if stage == SEARCH]
        ranked = [(None, place) for place in search if data["statuses"][trials["status"][place]] == "infeasible"][:top]
    if not ranked:
        return []
    values = {place: trials["last" if rank is None else "value"][place] for rank, place in ranked}
    value = in_column(values.values())
    versus = in_column([trials["versus"][place] for _, place in ranked if not trials["is_base"][place]], signed)
    rows = []
    for rank, place in ranked:
        changes = [f"{path}={short(value)}" for path, _, value in _changes(data, place)]
        said = some(changes, MOST_CHANGES)
        apart = "-" if trials["is_base"][place] else versus(trials["versus"][place])
        what = "(the base config)" if trials["is_base"][place] else code(said)
        limited = [column["values"][place] for column in data["limited"]]
        number = str(trials["number"][place])
        rows.append([_count(rank), number, value(values[place]), apart, *limited, what])
    measures = [without_markup(column["name"]) for column in data["limited"]]
    return [_table(["rank", "trial", without_markup(data["objective"]), "vs base", *measures, HEADING], rows)]


def _importance(data: dict[str, Any], top: int) -> list[str]:
    found = data.get("importance")
    if not found:
        return []
    rows = [
        [
            code(row["name"]),
            _share(row["middle"]),
            f"{_share(row['low'])} .. {_share(row['high'])}",
            without_markup(row["said"]),
        ]
        for row in found["rows"][:top]
        if row["middle"] is not None
    ]
    return [without_markup(found["hint"]), _table(["knob", "part", found["interval"], "verdict"], rows)] if rows else []


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _next(data: dict[str, Any]) -> list[str]:
    found = []
    for step in data["next"]:
        found.append(f"- {without_markup(step['text'])}" + (f" {code(step['command'])}" if step["command"] else ""))
    return ["What next:", "\n".join(found)] if found else []


def _again(data: dict[str, Any]) -> list[str]:
    facts = _table(["", ""], [[without_markup(label), code(value)] for label, value in data["reproduce"]])
    commands = [f"{without_markup(label)}\n\n```sh\n{line}\n```" for label, line in data["commands"]]
    return ["<details><summary>How to make it again</summary>", *commands, facts, "</details>"]

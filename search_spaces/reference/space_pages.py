"""``docs/spaces.md`` and a page for each space: the campaign, what was tried and found, how to rerun it, its knobs."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from terminal.counted import counted
from trainable.component import Component
from trainable.component_paths import leaves

from search_spaces import catalogue, recorded
from search_spaces.domains import Choice
from search_spaces.effects import Findings, findings
from search_spaces.recorded import RecordedRun
from search_spaces.reference.fields import value_in_words
from search_spaces.reference.layout import GENERATED, PROJECT
from search_spaces.reference.markdown import EMPTY_CELL, anchor, code_span, inline, markdown_table, prose
from search_spaces.reference.searched import domain_in_words
from search_spaces.space import Knob, Space

ALWAYS_SHOWN = ("model", "optimizer", "schedule", "data.source")
BEST_SHOWN = 5
REPLAYS = "results/recorded"

TO_ROOT = "../../"  # from docs/spaces

HOW_TO_READ = """
A space is a question, a base config at several scales, and the knobs that a search turns, each with its range and the
reason for it. Each space here comes from a public campaign, whose runs are recorded beside it and can be trained again.
A page says of each space what was tried, what was really found, and how to rerun it.

- **Scales** are sizes of the same question. *proxy* fits a machine without a GPU, *full* is the recorded size.
- **Base** is what every trial starts from and is judged against. The tables show what differs from the defaults of
  [every knob](knobs/README.md).
- **Recorded** values are the campaign's own, at full size. One run is no finding yet: each page says what the log
  can tell.

A space of your own is a file: [own_components.md](own_components.md#a-space).
"""


def space_pages() -> dict[str, str]:
    """File below ``docs`` -> its text."""
    spaces = [catalogue.load(name) for name in catalogue.names()]
    found = {"spaces.md": _index(spaces)} | {f"spaces/{space.name}.md": _page(space) for space in spaces}
    return {name: "\n".join(lines) + "\n" for name, lines in found.items()}


def _index(spaces: Sequence[Space]) -> Iterator[str]:
    yield from ("# Spaces", "", GENERATED, HOW_TO_READ.rstrip(), "")
    rows = [_row(space) for space in spaces]
    yield from markdown_table(("space", "question", "minimised", "knobs", "recorded rows", "trained again"), rows)


def _row(space: Space) -> Sequence[str]:
    name, runs = f"[{space.name}](spaces/{space.name}.md)", len(recorded.load(space))
    again = f"[yes](spaces/{space.name}.md#{anchor(FOUND)})" if _kept(space) is not None else "no"
    return name, inline(space.question), code_span(space.objective), str(len(space.knobs)), str(runs), again


def _page(space: Space) -> Iterator[str]:
    readme = (PROJECT / "search_spaces" / space.name / "README.md").read_text(encoding="utf-8")
    about = readme.partition("\n\n")[2]
    runs = recorded.load(space)
    yield from (f"# {space.name}", "", GENERATED, "")
    yield f"**{inline(space.question)}** It minimises `{space.objective}`. [All spaces](../spaces.md)."
    yield from ("", "## The campaign", "", *about.rstrip().splitlines())
    yield from ("", *_tried(space, runs), "", *_really_found(space), "", *_rerun(space, runs))
    yield from ("", *_scales(space), "", *_knobs(space))


# --- what is asked ----------------------------------------------------------------------------------------------------


def _scales(space: Space) -> Iterator[str]:
    yield from ("## Scales", "")
    rows = [(code_span(name), inline(s.about), str(s.trials)) for name, s in space.scales.items()]
    yield from markdown_table(("scale", "what it is", "trials unless told otherwise"), rows)
    yield from ("", "## Base", "")
    chosen = {path for scale in space.scales.values() for path in (*ALWAYS_SHOWN, *_chosen(scale.base))}
    bases = {name: leaves(scale.base) for name, scale in space.scales.items()}
    paths = [path for path in dict.fromkeys(path for base in bases.values() for path in base) if path in chosen]
    values = [
        (code_span(p), *(value_in_words(base[p]) if p in base else EMPTY_CELL for base in bases.values()))
        for p in paths
    ]
    yield from markdown_table(("field", *bases), values)


def _chosen(base: Component, prefix: str = "") -> Iterator[str]:
    """The paths of what differs from the defaults, tricks at their neutral setting left out."""
    for field in dataclasses.fields(base):
        path, value = f"{prefix}{field.name}", getattr(base, field.name)
        if isinstance(value, Component):
            if type(value) is not type(field.default):
                yield path
            yield from _chosen(value, f"{path}.")
        elif isinstance(value, tuple) and any(isinstance(member, Component) for member in value):
            for member in value:
                if member != type(member).neutral():
                    yield from _chosen(member, f"{path}.{type(member).__name__}.")
        elif value != field.default:
            yield path


def _knobs(space: Space) -> Iterator[str]:
    yield from (f"## {counted(len(space.knobs), 'knob')}", "")
    if any(not isinstance(knob.domain, Choice) and knob.domain.is_log for knob in space.knobs):
        yield from ("Of a range with *(log)* the logarithm is uniform.", "")
    rows = [
        (
            code_span(knob.path),
            domain_in_words(knob.domain),
            domain_in_words(knob.likely) if knob.likely is not None else EMPTY_CELL,
            _condition(knob),
            inline(knob.why),
        )
        for knob in space.knobs
    ]
    yield from markdown_table(("knob", "range", "likely", "live if", "where the range comes from"), rows)


def _condition(knob: Knob) -> str:
    """Say when the knob has an effect: always, or under values of others."""
    conditions = (knob.when or {}).items()
    said = [f"{code_span(path)} is {' or '.join(map(value_in_words, labels))}" for path, labels in conditions]
    return " and ".join(said) or EMPTY_CELL


# --- the record -------------------------------------------------------------------------------------------------------


FOUND = "What was really found"


def _tried(space: Space, runs: Sequence[RecordedRun]) -> Iterator[str]:
    yield from ("## What was tried", "")
    metric, scored = _metric(space, runs), _scored(space, runs)
    configs = sum(run.base is not None for run in runs)
    yield (
        f"[runs.csv]({TO_ROOT}search_spaces/{space.name}/runs.csv) has {counted(len(runs), 'row')}: {configs} with a "
        f"config that can be trained, {len(scored)} with a recorded {code_span(metric)}."
    )
    yield from ("", *_phases(runs, scored, metric))
    best = scored[:BEST_SHOWN]
    yield from ("", f"The {len(best)} lowest:" if len(best) > 1 else "The only one with a score:", "")
    rows = [(code_span(r.id), inline(r.name), f"{r.metrics[metric]:g}", inline(r.status), inline(r.note)) for r in best]
    yield from markdown_table(("run", "name", code_span(metric), "the log's verdict", "note"), rows)


def _scored(space: Space, runs: Sequence[RecordedRun]) -> list[RecordedRun]:
    """The runs with a recorded score, the lowest first."""
    metric, no_scores = _metric(space, runs), findings(space.name).not_scores
    scored = [run for run in runs if metric in run.metrics and run.id not in no_scores]
    return sorted(scored, key=lambda run: run.metrics[metric])


def _metric(space: Space, runs: Sequence[RecordedRun]) -> str:
    """The objective where the record has it, else the record's first metric."""
    known = Counter(name for run in runs for name in run.metrics)
    assert known, space.name
    return space.objective if space.objective in known else next(iter(known))


def _phases(runs: Sequence[RecordedRun], scored: Sequence[RecordedRun], metric: str) -> list[str]:
    rows = []
    for phase in dict.fromkeys(run.phase for run in runs):
        mine = [run for run in scored if run.phase == phase]
        best = min(mine, key=lambda run: run.metrics[metric], default=None)
        lowest = EMPTY_CELL if best is None else f"{best.metrics[metric]:g} ({code_span(best.id)})"
        rows.append((inline(phase), str(sum(run.phase == phase for run in runs)), lowest))
    return markdown_table(("phase", "rows", f"lowest {code_span(metric)}"), rows)


def _really_found(space: Space) -> Iterator[str]:
    """Describe the campaign's findings, and what ``results.compare`` says of the replay that is kept here."""
    yield from (f"## {FOUND}", "")
    if findings(space.name) != Findings():
        module = f"search_spaces.{space.name}.findings"
        yield from (*prose(sys.modules[module].__doc__ or ""), "")
        yield from (f"From [findings.py]({TO_ROOT}search_spaces/{space.name}/findings.py).", "")
    kept = _kept(space)
    if kept is None:
        yield (
            "No replay of it is kept here, so nothing was found again. The numbers above are the campaign's own; what "
            "they can tell, and what not, is said under [the campaign](#the-campaign)."
        )
        return
    way = kept[kept.index("From the baseline to the best") :].rstrip()
    whole, picture = (f"{TO_ROOT}{REPLAYS}/{space.name}.{kind}" for kind in ("txt", "png"))
    yield f"The recorded runs were trained again, small: [the whole comparison]({whole})."
    yield from ("", f"![recorded and measured, run by run]({picture})", "", "It ends so:", "")
    yield from ("```text", *way.splitlines(), "```")


def _kept(space: Space) -> str | None:
    """The printed comparison of the replay that is kept here; None where none is."""
    path = PROJECT / REPLAYS / f"{space.name}.txt"
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _rerun(space: Space, runs: Sequence[RecordedRun]) -> Iterator[str]:
    """The commands, from a first look to the whole record."""
    run, best = f"python -m tuner.run --space {space.name}", shlex.quote(_scored(space, runs)[0].id)
    scale, compare = "replay" if "replay" in space.scales else "proxy", "python -m results.compare"
    commands = [
        (f"{run} --dry-run", "the plan of a search and its cost; trains nothing"),
        (run, "search it, on this machine"),
        (f"{run} --show all", "the recorded runs, a line each"),
        (f"{run} --show {best}", "one of them: its config, what it changes, its cost"),
        (f"{run} --scale {scale} --replay all --name again", "train them again, small"),
        (f"{compare} again", "recorded and measured, side by side"),
    ]
    if _kept(space) is not None:
        commands.append((f"{compare} --space {space.name}", "the same of the replay that is kept here"))
    width = max(len(command) for command, _ in commands)
    yield from ("## How to rerun it", "", "```sh")
    yield from (f"{command:<{width}}  # {what}" for command, what in commands)
    yield "```"

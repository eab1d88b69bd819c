"""``docs/spaces.md``: a section for each space, of its definition, its recorded runs and its findings."""

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
from search_spaces.domains import LogUniform
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

HOW_TO_READ = """
A space is a question, a base config at several scales, and the knobs that a search turns, each with its range and the
reason for it. Each space here comes from a public campaign, whose runs are recorded beside it and can be trained again.

- **Scales** are sizes of the same question. *proxy* fits a machine without a GPU, *full* is the recorded size.
- **Base** is what every trial starts from and is judged against. The tables show what differs from the defaults of
  [every knob](knobs/README.md).
- **Recorded** values are the campaign's own, at full size. One run is no finding yet: each section says what the log
  can tell.
"""


def space_page() -> str:
    """The text of the page."""
    names = catalogue.names()
    lines = ["# Spaces", "", GENERATED, HOW_TO_READ.rstrip(), ""]
    lines += markdown_table(
        ("space", "question", "minimised", "knobs", "recorded rows"),
        [_row(catalogue.load(name)) for name in names],
    )
    for name in names:
        lines += ["", *_section(catalogue.load(name))]
    return "\n".join(lines) + "\n"


def _row(space: Space) -> Sequence[str]:
    name = f"[{space.name}](#{anchor(space.name)})"
    runs = len(recorded.load(space))
    return name, inline(space.question), code_span(space.objective), str(len(space.knobs)), str(runs)


def _section(space: Space) -> Iterator[str]:
    readme = (PROJECT / "search_spaces" / space.name / "README.md").read_text(encoding="utf-8")
    about = readme.partition("\n\n")[2].rstrip()
    yield from (f"## {space.name}", "", f"**{inline(space.question)}** It minimises `{space.objective}`.", "")
    yield from (*about.splitlines(), "")
    yield from (f"From [its README](../search_spaces/{space.name}/README.md). To search it:", "")
    yield from ("```sh", f"python -m tuner.run --space {space.name}")
    yield from (f"python -m tuner.run --space {space.name} --dry-run    # the plan and its cost; trains nothing", "```")
    yield from ("", *_scales(space), "", *_knobs(space), "", *_recorded(space))


# --- the question -----------------------------------------------------------------------------------------------------


def _scales(space: Space) -> Iterator[str]:
    yield from ("### Scales", "")
    rows = [(code_span(name), inline(s.about), str(s.trials)) for name, s in space.scales.items()]
    yield from markdown_table(("scale", "what it is", "trials unless told otherwise"), rows)
    yield from ("", "### Base", "")
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
    yield from (f"### {counted(len(space.knobs), 'knob')}", "")
    if any(isinstance(knob.domain, LogUniform) for knob in space.knobs):
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


def _recorded(space: Space) -> Iterator[str]:
    runs = recorded.load(space)
    found, metric = findings(space.name), _metric(space, runs)
    yield from ("### Recorded runs", "")
    scored = [run for run in runs if metric in run.metrics and run.id not in found.not_scores]
    configs = sum(run.base is not None for run in runs)
    yield (
        f"[runs.csv](../search_spaces/{space.name}/runs.csv) has {counted(len(runs), 'row')}: {configs} with a config "
        f"that can be trained, {len(scored)} with a recorded {code_span(metric)}."
    )
    yield from ("", *_phases(runs, scored, metric))
    best = sorted(scored, key=lambda run: run.metrics[metric])[:BEST_SHOWN]
    yield from ("", f"The {len(best)} lowest:" if len(best) > 1 else "The only one with a score:", "")
    rows = [(code_span(r.id), inline(r.name), f"{r.metrics[metric]:g}", inline(r.status), inline(r.note)) for r in best]
    yield from markdown_table(("run", "name", code_span(metric), "the log's verdict", "note"), rows)
    command = f"python -m tuner.run --space {space.name}"
    yield from ("", "```sh", f"{command} --show all")
    yield f"{command} --show {shlex.quote(best[0].id)}    # one run: its config, what it changes, its cost"
    scale = "replay" if "replay" in space.scales else "proxy"
    yield from (f"{command} --scale {scale} --replay all    # train them again, small", "```")
    yield from ("", *_what_was_found(space, found))


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


def _what_was_found(space: Space, found: Findings) -> Iterator[str]:
    """Describe the campaign's findings, and what ``results.compare`` says of the replay that is kept here."""
    yield from ("### What was found", "")
    if found != Findings():
        module = f"search_spaces.{space.name}.findings"
        yield from (*prose(sys.modules[module].__doc__ or ""), "")
        yield from (f"From [findings.py](../search_spaces/{space.name}/findings.py).", "")
    kept = PROJECT / REPLAYS / f"{space.name}.txt"
    if not kept.is_file():
        yield "No replay of it is kept here. The numbers above are the campaign's own; its README says what they tell."
        return
    text = kept.read_text(encoding="utf-8")
    way = text[text.index("From the baseline to the best") :].rstrip()
    yield f"The recorded runs were trained again, small: [the whole comparison](../{REPLAYS}/{space.name}.txt)."
    yield from ("", f"![recorded and measured, run by run](../{REPLAYS}/{space.name}.png)", "")
    yield from (f"It ends so (`python -m results.compare --space {space.name}` prints it):", "")
    yield from ("```text", *way.splitlines(), "```")

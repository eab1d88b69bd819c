"""The audit that comes before a campaign: what changes nothing in a question is named, and noted in it."""

from __future__ import annotations

import time
from dataclasses import replace

from terminal.console import Console
from terminal.counted import counted
from trainable.data.dataset import Dataset
from trainable.own import modules as own_modules
from tuner.question import Question


def audited(console: Console, question: Question, opened: Dataset | None) -> Question:
    """The question with what changes nothing in it named and noted, where its steps are known.

    ``opened`` are the data of its base; None where they are not prepared yet, as in a plan.
    """
    try:
        return _audited(console, question, opened)
    except ValueError as error:  # a budget in seconds
        console.print(f"audit: not done: {error}")
        return question
    except Exception as error:
        if not question.sources:
            raise
        raise ValueError(f"the audit fails over code of your own: {own_modules.place_and_message(error)}") from None


def _audited(console: Console, question: Question, opened: Dataset | None) -> Question:
    from tuner.audit.overrides import INERT, audit_fixed, audit_space, proxy_base
    from tuner.audit.read_data import as_data_tell, data_findings
    from tuner.audit.recorded import inert_of_row
    from tuner.audit.report import print_findings

    started, space = time.monotonic(), question.original
    if question.overrides:
        fixed = audit_fixed(space, question.overrides, question.space.column_types(), question.scale)
        fixed = as_data_tell(fixed, data_findings(space, question.scale, question.overrides, question.base, opened))
        took, why_not = time.monotonic() - started, "as its own size has no equivalent"
        print_findings(console, fixed, took, "setting", list(question.overrides), why_not)
        started = time.monotonic()
    if question.replay is None:
        findings = audit_space(question.space, proxy_base(space, question.overrides, question.scale))
        took, paths = time.monotonic() - started, [knob.path for knob in question.space.knobs]
        print_findings(console, findings, took, asked=paths, why_not="as no other value makes a valid run")
        return replace(question, inert=[f.path for f in findings if f.status == INERT])
    inert = {p.recorded_id: inert_of_row(space, p.recorded_id, p.reading) for p in question.planned}
    named = "; ".join(f"{name} ({', '.join(paths)})" for name, paths in inert.items() if paths)
    count = f"{sum(map(bool, inert.values()))} of {counted(len(inert), 'training')} with overrides that change nothing"
    console.print(f"audit: {count}{': ' if named else ''}{named} ({time.monotonic() - started:.0f} s)")
    planned = tuple(replace(p, inert=tuple(inert[p.recorded_id])) for p in question.planned)
    return replace(question, inert=inert, planned=planned)

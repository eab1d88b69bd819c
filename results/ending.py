"""The end of a campaign's text, which a search prints as it ends and a report prints at any time: one for both.

It begins behind the leaderboard and the winner's command: what is in doubt, which knobs matter, what to do next, how
long it took, where the files are, and whose weights are kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text
from storage import files
from storage.location import Location
from terminal.console import Console
from terminal.counted import counted

from results.inert_changes import without_effect
from results.kept_weights import weights_line
from results.leads import lead_lines
from results.questions.next_steps import next_steps
from results.questions.taking_apart import parts_of
from results.questions.to_come import ablation_to_come
from results.questions.took import took_line
from results.statistics.confirmation import rounds, standing
from results.store.frames import Results
from results.store.row_kinds import ROW_KINDS
from results.verdicts import plain_rows_of


def print_ending(console: Console, results: Results, folder: Location, going_on: str = "") -> None:
    """Print it; not what to do next where that is the step that the caller is ``going_on`` with."""
    for line in (*not_taken_apart(results), *doubts(results)):
        console.print(line)
    print_leads(console, results, going_on)
    console.print()
    print_took(console, results)
    print_where(console, folder)
    print_weights(console, results, folder)


def print_leads(console: Console, results: Results, going_on: str = "") -> None:
    """Print which knobs matter and what to do next, where there is something to say of it.

    Not what to do next where that is the step that the caller is ``going_on`` with.
    """
    for line in ("", *lines) if (lines := lead_lines(results, going_on)) else ():
        console.print(line)


def print_took(console: Console, results: Results) -> None:
    """Print how long the campaign took; nothing before a run has ended."""
    if line := took_line(results):
        console.print(line)


def print_where(console: Console, folder: Location) -> None:
    """Print where the files are, and the two lines of pandas that open them, unbroken so that they can be copied."""
    console.print(f"Files: {folder}")
    for name in ROW_KINDS:
        if not files.names(folder / name):
            continue  # the curves of a compacted campaign, or of one from before there were any
        # as Text: a Python literal is escaped already, and must stay one
        console.print(Text(f"{name} = pandas.read_parquet({str(folder / name)!r})"))


def print_weights(console: Console, results: Results, folder: Location) -> None:
    """Print whose weights the campaign keeps, and the command that exports them."""
    if (line := weights_line(results, folder)) is not None:
        console.print(line)


def not_taken_apart(results: Results) -> Iterator[str]:
    """Say why an ablation that was asked for has no runs, once that is settled."""
    found = rounds(plain_rows_of(results))
    if not found or not results.campaign.get("ablate"):
        return
    stands = standing(found)
    if stands is None:
        if found[-1].judgement.over:
            yield "Ablation: no candidate is established to be better, so there is no winner to take apart."
        return
    assert stands.judgement.winner is not None, "it stands"
    if len(parts_of(results, stands.judgement.winner.arm)) < 2:
        yield "Ablation: the winner has one change that can be undone alone, so there is nothing to take apart."


def doubts(results: Results) -> Iterator[str]:
    """Say what runs on fresh seeds would tell, with the command, where that is not the step to take first anyway."""
    first, *others = next_steps(results).to_dict("records") or [{}]
    for row in others:
        if row["command"] == first["command"] or results.campaign.get("ablate"):
            continue  # what goes on with the campaign comes to it
        if row["step"] == "confirm":
            yield (
                f"Which differences are real? A confirmation on fresh seeds tells ({row['takes']}): {row['command']}"
            )
        elif row["step"] == "take apart":
            yield f"{_which_matter(results, str(row['takes']))}: {row['command']}"


def _which_matter(results: Results, takes: str) -> str:
    stands = standing(rounds(plain_rows_of(results)))
    assert stands is not None and stands.judgement.winner is not None, "it can be taken apart"
    come = ablation_to_come(results, stands.design.first, 0, another=False)
    parts = len(parts_of(results, stands.judgement.winner.arm))
    alone = "" if parts == come.changes else f"{parts} can be undone alone, the others with them; "
    changes = f"{counted(come.changes or 0, 'change')}{without_effect(come.inert)}"  # two at least
    return f"Which of its {changes} matter? An ablation tells ({alone}{takes})"

"""One trial is no "1 trials": a number and its noun are put together in one place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import terminal
from terminal.counted import best_of, counted, counted_range, number_range

ROOT = Path(terminal.__file__).parent.parent
PACKAGES = ("results", "search_spaces", "storage", "terminal", "trainable", "tuner")
NOUNS = (
    "trial|slot|file|run|knob|node|document|override|row|change|group|training|campaign|setting|seed|degree|pair|"
    "candidate"
)
BARE = re.compile(rf" ((finished|completed|recorded|different|empty|fresh|more) )*({NOUNS})s\b")
NEVER_ONE = {  # a span, or a number that is two at least
    "{spec.confirm.first} fresh seeds",
    "{MOST_FILES} files",
    "campaign {folder.name!r} runs code",  # a verb
    "{1 + len(COMPACTED)} files",
    "under {FEWEST} completed trials",
    "{len(table):,} rows but may hold",
    "{said.num_rows:,} rows but may hold",
    "{row_kinds.MOST_ROWS[dataset]:,} rows",
    "{SAME_ERRORS} trials in a row",
    "{design.first} fresh seeds",
    "{most:,} runs more",
    "{found.together} trainings at once",
    "all {number} candidates",
    "none of {len(documents):,} documents",
    "{changes} changes{without_effect(confirmation.inert_changes)} matter",
    "{left} changes that are left",
    "{total:,} trainings, but",
    "{MOST_TRAININGS:,} trainings",
    "all {others} candidates",
    "not for {len(options.folders)} campaigns",
    "Trial {winner['trial']} changes:",
    "of at least {FEWEST_LATER} trials",
    "of at least {FEWEST_TRIALS} trials",
    "of at least {FEWEST_THERE} trials",
    "at least {FEWEST} campaigns, not",
    "the winner changes {changes} knobs at once",
}


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(0, "trial", "0 trials"), (1, "trial", "1 trial"), (2, "trial", "2 trials"), (1024, "token", "1,024 tokens"),
     (0.5, "core", "0.5 cores"), (4.0, "core", "4 cores"), (1.0, "core", "1 core")],
)  # fmt: skip
def test_the_noun_agrees_with_its_number(number, noun, text) -> None:
    assert counted(number, noun) == text


def test_the_best_of_one_is_no_best_1() -> None:
    assert [best_of(1), best_of(2), best_of(1, "trial"), best_of(3, "trial")] == [
        "the best one", "the best 2", "the best trial", "the best 3 trials"
    ]  # fmt: skip


def test_a_plural_that_needs_no_s_is_given() -> None:
    assert (counted(1, "entry", "entries"), counted(2, "entry", "entries")) == ("1 entry", "2 entries")


def bare_counts(source: str) -> list[str]:
    """F-strings in which a number stands before a noun that is always in the plural."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            for value, text in zip(node.values, node.values[1:], strict=False):
                if isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant) and BARE.match(text.value):
                    found.append(ast.unparse(node))
    return found


def test_no_text_counts_by_hand() -> None:
    assert bare_counts('f"{number} trials"') and not bare_counts('f"{counted(number, noun)} and more"')
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    assert len(files) > 100
    by_hand = [f"{file.relative_to(ROOT)}: {text}" for file in files for text in bare_counts(file.read_text("utf-8"))]
    assert [text for text in by_hand if not any(allowed in text for allowed in NEVER_ONE)] == []


def test_a_range_of_one_number_is_that_number() -> None:
    assert counted_range(10, 10, "run") == "10 runs" and counted_range(1, 1, "run") == "1 run"
    assert counted_range(10, 1200, "run") == "10 to 1,200 runs"
    assert number_range(7, 7) == "7" and number_range(7, 1024) == "7 to 1,024"

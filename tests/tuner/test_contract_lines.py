"""Lines of contracts: one each, whatever its tests say and however many they are."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest

from terminal.console import Console
from tuner.contract_lines import ContractLines, error_line


class Item:
    """A test of pytest's, about one component."""

    def __init__(self, contract: str, subject: str, part: str = "") -> None:
        self.originalname = f"test_{contract}"
        self.nodeid = f"file.py::test_{contract}[{part or subject}]"
        self.callspec = SimpleNamespace(params={"name": subject})


@pytest.fixture
def lines() -> ContractLines:
    return ContractLines(Console(file=io.StringIO(), width=400), ["Nudge", "Steady"])


def asked(lines: ContractLines, *items: Item) -> list[Item]:
    kept = list(items)
    hook = SimpleNamespace(pytest_deselected=lambda items: None)
    lines.pytest_collection_modifyitems(SimpleNamespace(hook=hook), kept)
    return kept


def told(lines: ContractLines, item: Item, end: str = "passed", error: Any = None) -> None:
    for when in ("setup", "call", "teardown"):
        is_it = when == "call" and end != "passed"
        report = SimpleNamespace(
            nodeid=item.nodeid, when=when, failed=is_it and end == "failed", skipped=is_it and end == "skipped",
            longrepr=error if is_it else None,
        )  # fmt: skip
        lines.pytest_runtest_logreport(report)


def crash(message: str) -> SimpleNamespace:
    return SimpleNamespace(reprcrash=SimpleNamespace(message=message))


def printed(lines: ContractLines) -> list[str]:
    stream = lines.console.file.stream
    return str(stream.getvalue()).splitlines()


def test_what_is_about_others_is_not_asked_and_one_component_comes_after_the_other(lines) -> None:
    items = [Item("it_holds", name) for name in ("Steady", "Other", "Nudge")]
    assert asked(lines, *items) == [items[2], items[0]]


def test_a_contract_that_is_asked_of_several_fields_is_one_line_with_the_first_reason(lines) -> None:
    items = [Item("its_range_holds", "Nudge", f"Nudge.{field}") for field in "abc"]
    asked(lines, *items)
    told(lines, items[0])
    assert printed(lines) == [], "the others are to come"
    told(lines, items[1], "failed", crash("AssertionError: \n  assert 1 == 2\nmore"))
    told(lines, items[2], "failed", crash("ValueError: no"))
    assert lines.conclude() == 1
    assert printed(lines) == [
        "  failed   Nudge: its range holds: Nudge.b: assert 1 == 2 (and 1 more)",
        "1 of 1 contract failed",
    ]


def test_what_holds_is_counted_and_what_is_not_asked_says_why(lines) -> None:
    items = [Item("it_holds", "Steady"), Item("it_is_neutral", "Steady")]
    asked(lines, *items)
    told(lines, items[0])
    told(lines, items[1], "skipped", ("file.py", 3, "Skipped: it has no neutral setting"))
    assert lines.conclude() == 0
    assert printed(lines) == [
        "  ok       Steady: it holds",
        "  skipped  Steady: it is neutral: it has no neutral setting",
        "1 contract holds, 1 not asked",
    ]


def test_tests_that_cannot_be_read_are_a_failure_of_their_own(lines) -> None:
    lines.pytest_collectreport(SimpleNamespace(failed=True, nodeid="test_x.py", longrepr="E  first\nE  KeyError: 1"))
    assert lines.conclude() == 1
    assert printed(lines) == ["  failed   test_x.py: E  KeyError: 1", "1 of 1 contract failed"]


def test_a_reason_is_one_line_of_limited_length() -> None:
    said = error_line(SimpleNamespace(longrepr=crash("x" * 5000)))
    assert len(said) == 200 and said.endswith("...")
    assert error_line(SimpleNamespace(longrepr=crash(""))) == "no reason is given"

"""The contracts of a user's own components and spaces as lines: a plugin of pytest that chooses the tests.

A contract is a test function, asked of one component or space; pytest may ask it several times, of each field or scale.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from terminal.console import Console
from terminal.counted import counted
from terminal.exit_codes import DONE, FAILED

LONGEST = 200  # characters of a reason


@dataclass
class _Contract:
    """One contract of one component or space, and how its tests ended."""

    subject: str
    about: str
    to_come: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)

    @property
    def end(self) -> str:
        """Failed where one test failed, skipped where all were, else ok."""
        return "failed" if self.ends["failed"] else "ok" if self.ends["ok"] else "skipped"


class ContractLines:
    """Deselects every test that is about something else than ``names``, and prints a line for each contract."""

    def __init__(self, console: Console, names: Sequence[str]) -> None:
        self.console, self.names = console, set(names)
        self.contracts: dict[tuple[str, str], _Contract] = {}
        self.of_test: dict[str, _Contract] = {}  # by pytest's name of it
        self.broken = 0  # files of tests that could not be read with what was given

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        wanted: list[tuple[str, Any]] = []
        for item in items:
            if subject := ", ".join(sorted(self.names & named(getattr(item, "callspec", None)))):
                about = item.originalname.removeprefix("test_").replace("_", " ")
                contract = self.contracts.setdefault((subject, item.originalname), _Contract(subject, about))
                contract.to_come += 1
                self.of_test[item.nodeid] = contract
                wanted.append((subject, item))
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in self.of_test])
        items[:] = [item for _, item in sorted(wanted, key=lambda pair: pair[0])]  # one component after the other

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.broken += 1
            self.console.print(f"  failed   {report.nodeid}: {error_line(report)}")

    def pytest_runtest_logreport(self, report: Any) -> None:
        contract = self.of_test[report.nodeid]
        if report.failed or report.skipped:
            contract.ends["failed" if report.failed else "skipped"] += 1
            which = report.nodeid.partition("[")[2].removesuffix("]")
            which = "" if which in ("", contract.subject) else f"{which}: "
            contract.reasons.append(f"{which}{error_line(report)}")
        elif report.when == "call":
            contract.ends["ok"] += 1
        if report.when == "teardown":
            contract.to_come -= 1
            if not contract.to_come:
                self._print(contract)

    def _print(self, contract: _Contract) -> None:
        why = ""
        if contract.end != "ok":
            more = len(contract.reasons) - 1
            why = f": {contract.reasons[0]}{f' (and {more} more)' if more else ''}"
        self.console.print(f"  {contract.end:<7}  {contract.subject}: {contract.about}{why}")

    def conclude(self) -> int:
        """Print how many hold; 0 where all do, else 1."""
        ends = Counter(contract.end for contract in self.contracts.values())
        failed = ends["failed"] + self.broken
        asked = f", {ends['skipped']} not asked" if ends["skipped"] else ""
        if failed:
            self.console.print(f"{failed} of {counted(len(self.contracts) + self.broken, 'contract')} failed{asked}")
        else:
            self.console.print(f"{counted(ends['ok'], 'contract')} {'holds' if ends['ok'] == 1 else 'hold'}{asked}")
        return FAILED if failed else DONE


def named(parameters: Any) -> set[str]:
    """The names of all that one test is about."""
    found: set[str] = set()
    for value in [] if parameters is None else parameters.params.values():
        for part in value if isinstance(value, tuple) else (value,):
            own = part if isinstance(part, type) else type(part)
            found |= {part} if isinstance(part, str) else {own.__name__, str(getattr(part, "name", ""))}
    return found


def error_line(report: Any) -> str:
    """Say in one line why a test failed or was skipped: the first line of its error."""
    found = report.longrepr
    if isinstance(found, tuple):  # of a skip: file, line, reason
        text = str(found[2]).removeprefix("Skipped: ")
    else:
        crash = getattr(found, "reprcrash", None)
        text = str(found).strip().splitlines()[-1] if crash is None else crash.message
    lines = [line.strip() for line in text.removeprefix("AssertionError: ").splitlines() if line.strip()]
    text = lines[0] if lines else "no reason is given"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."

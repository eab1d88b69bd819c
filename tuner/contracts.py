"""``python -m tuner.contracts my_tricks.py``: hold components and spaces of your own to what ours are held to.

The contract tests (``tests/contracts/``; an installation has them in ``share/tuner``) are run over what the files
define: neutral is bit-identical to absent, a run that goes on from any step ends as the straight run does, every field
does something, and so on. A line a contract says whether it holds (``contract_lines.py``), and nothing is left in the
current folder. They need pytest and hypothesis. Exit codes: 0 all hold, 1 one does not, 2 bad input, 130
or 143 interrupted.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m tuner.contracts")

import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path

from search_spaces.own_space import load_all, read_sources, space_of, spaces_in
from storage.location import text_argument
from terminal.command_line import OneLineParser
from terminal.complaint import complain
from terminal.console import Console
from terminal.exit_codes import FAILED
from trainable.own import modules as own_modules
from tuner.contract_lines import ContractLines

PROGRAM = "python -m tuner.contracts"
NEEDED = ("pytest", "hypothesis")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = OneLineParser(
        prog=PROGRAM,
        description="Hold components and spaces of your own to the contracts that those of tuner are held to.",
        epilog="Exit codes: 0 all contracts hold, 1 one does not, 2 bad input.",
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", type=text_argument, help="a .py file, package or module, as for --import"
    )
    given = parser.parse_args(arguments).files
    try:
        if missing := [name for name in NEEDED if find_spec(name) is None]:
            raise ValueError(f"{' and '.join(missing)} must be installed for this: pip install {' '.join(NEEDED)}")
        names = define(given)
        tests = contracts()
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    console = Console()
    console.print(f"contracts of {', '.join(names)}:")
    try:
        with program.raising(PROGRAM):  # pytest holds back what a handler would write while a test runs
            return run(console, tests, names)
    except KeyboardInterrupt as ended:
        complain(PROGRAM, program.INTERRUPTION)
        return program.exit_code(ended)


def define(given: Sequence[str]) -> list[str]:
    """Execute the files; the names of the components and spaces that they define. A ValueError where there are none."""
    sources = read_sources(given)
    load_all(sources)
    names = [cls.__name__ for source in sources for cls in own_modules.components_of(source)]
    names += [space_of(source).name for source in sources if spaces_in(source)]
    if not names:
        raise ValueError(f"{', '.join(source.file for source in sources)}: no component and no space is defined there")
    return names


def contracts() -> Path:
    """The folder of the contract tests: of this checkout, or as the package was installed."""
    checkout = Path(__file__).parents[1] / "tests" / "contracts"
    if checkout.is_dir():
        return checkout
    try:
        installed = files("tuner") or []
    except PackageNotFoundError:
        installed = []
    for file in installed:
        if file.parts[-2:] == ("contracts", "test_every_component.py"):
            return Path(str(file.locate())).resolve().parent
    raise ValueError("the contract tests are not installed here: run this from a checkout of tuner")


def run(console: Console, tests: Path, names: Sequence[str]) -> int:
    """Run the contract tests that are about ``names`` and print a line for each; 0 where all hold, else 1."""
    import pytest
    from hypothesis.configuration import set_hypothesis_home_dir

    lines = ContractLines(console, names)
    with tempfile.TemporaryDirectory() as scratch:
        settings = Path(scratch) / "pytest.ini"  # of ours or the user's project, none counts here
        settings.write_text("[pytest]\n")
        options = ["-c", str(settings), "--rootdir", str(tests), "--confcutdir", str(tests.parent)]
        options += ["--import-mode=importlib", "-W", "ignore"]
        for plugin in ("cacheprovider", "xdist", "terminalreporter"):  # the last prints, in lines of its own
            options += ["-p", f"no:{plugin}"]
        set_hypothesis_home_dir(scratch)  # or it leaves a folder in the current one
        try:
            code = pytest.main([*options, str(tests)], plugins=[lines])
        finally:
            set_hypothesis_home_dir(None)
    program.check()  # pytest takes an interrupt for its own
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not lines.broken:
        complain(PROGRAM, f"the contracts cannot be run: pytest ended with exit code {int(code)}")
        return FAILED
    return lines.conclude()


if __name__ == "__main__":
    program.end(main())

"""Every ``python -m ...`` of ours in README, CONTRIBUTING and docs/ is one that its program takes.

The options are read, and those of ``tuner.run`` held against each other, by the code that a real start reads them with.
Nothing is run, so that files and campaigns that are named need not exist.
"""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import pytest

from search_spaces import catalogue
from terminal.command_line import OneLineParser
from tests.markdown_files import ROOT, blocks, name, pages, spans
from tuner.cli import options

OURS = ("benchmarks", "results", "search_spaces", "trainable", "tuner")
SHELL = ("sh", "bash", "console", "")
PLACEHOLDERS = {"NAME": "parameter_golf"}  # a text in a page -> what it stands for where only some values are taken


class Taken(BaseException):
    """The options were taken: the program would go on now."""


def commands(text: str) -> Iterator[tuple[str, ...]]:
    """The module and the arguments of each ``python -m`` in a text of the shell."""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if "python -m " not in line:
            continue
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = [*lexer, ";"]
        for start in [i for i in range(len(words)) if words[i : i + 2] == ["python", "-m"]]:
            ends = next(i for i in range(start, len(words)) if re.fullmatch(r"[();<>|&]+", words[i]))
            if re.fullmatch(r"[\w.]+", words[start + 2]):  # a line that a program printed has a colon after its name
                yield tuple(words[start + 2 : ends])


def written() -> dict[str, tuple[str, ...]]:
    """Each command of ours by the page and itself."""
    found = {}
    for page in pages():
        if page.name != "CHANGELOG.md":  # which tells of options that are gone
            texts = [block.text for block in blocks(page) if block.language in SHELL]
            for text in (*texts, *spans(page)):
                for module, *arguments in commands(text):
                    if module.partition(".")[0] in OURS:
                        found[f"{name(page)}: {shlex.join((module, *arguments))}"] = (module, *arguments)
    return found


WRITTEN = written()


def program(module: str) -> Callable[..., Any]:
    """The ``main`` of a module or package."""
    spec = find_spec(module)
    assert spec is not None, f"there is no {module}"
    found: Callable[..., Any] = import_module(f"{module}.__main__" if spec.submodule_search_locations else module).main
    return found


def take(module: str, *arguments: str) -> None:
    """Let a program read its options, and end it then; what it refuses ends with its line and exit code 2."""
    if module == "tuner.run":
        options.parse(arguments)
    elif inspect.signature(main := program(module)).parameters:
        with pytest.raises(Taken):
            main(arguments)
    else:
        assert not arguments, f"{module} takes no options"


@pytest.fixture(autouse=True)
def only_the_options(monkeypatch, tmp_path) -> None:
    """Programs end as soon as they know what is asked. Relative places are not those of this checkout."""
    parse = OneLineParser.parse_args

    def parse_and_end(self: OneLineParser, arguments: Any = None, namespace: Any = None) -> Any:
        parsed = parse(self, arguments, namespace)
        if self.prog == "python -m tuner.run":
            return parsed
        raise Taken

    monkeypatch.setattr(OneLineParser, "parse_args", parse_and_end)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", WRITTEN)
def test_a_written_command_is_taken_by_its_program(command: str, capsys) -> None:
    module, *arguments = WRITTEN[command]
    if not arguments:  # perhaps only named; with options it is held to them
        program(module)
        return
    try:
        take(module, *arguments)
    except SystemExit as end:
        assert end.code == 0 and "--help" in arguments, capsys.readouterr().err
    for option, value in pairwise(arguments):
        if option == "--space" and not value.endswith(".py"):
            assert PLACEHOLDERS.get(value, value) in catalogue.names()


def test_the_pages_have_commands_of_every_kind() -> None:
    modules = {module for module, *_ in WRITTEN.values()}
    assert {"tuner.run", "tuner.status", "results.report", "results.compare", "search_spaces.reference"} <= modules
    assert len(WRITTEN) > 80


@pytest.mark.parametrize(
    "wrong",
    [
        "python -m tuner.run --spcae ngpt",
        "python -m tuner.run --space ngpt --trials many",
        "python -m tuner.run --resume night --replay all",
        "python -m results.report night --cvs tables/  # as a table",
        "cd x && python -m results.compare a \\\n  --piture b; true",
    ],
)
def test_a_command_with_a_wrong_option_is_refused(wrong: str, capsys) -> None:
    ((module, *arguments),) = commands(wrong)
    with pytest.raises(SystemExit) as end:
        take(module, *arguments)
    assert end.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_nothing_is_taken_for_a_command_beside_it() -> None:
    text = "ray up x && python -m tuner.run --space ngpt --set 'a<=1' > log 2>&1  # python -m gone\n$ python -m a.b"
    assert [*commands(text)] == [("tuner.run", "--space", "ngpt", "--set", "a<=1"), ("a.b",)]
    assert (ROOT / "docs" / "guide.md") in pages()

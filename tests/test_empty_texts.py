"""An empty text is no value of an option: it would be passed on as if the option had been left out."""

from __future__ import annotations

import argparse

import pytest

from results import compare, report
from search_spaces.likely import with_likely
from terminal.command_line import OneLineParser
from trainable.data import __main__ as data
from tuner import export, sample
from tuner.cli import option_groups

PARSERS = {
    "run": option_groups.parser(),
    "export": export._parser(),
    "sample": sample._parser(),
    "report": report._parser(),
    "compare": compare._parser(),
    "data": data._parser(),
}
TAKING = [
    (program, action)
    for program, parser in PARSERS.items()
    for action in parser._actions
    if action.option_strings and action.nargs != 0 and action.default != ""
]


@pytest.mark.parametrize(("program", "action"), TAKING, ids=lambda part: getattr(part, "dest", part))
def test_every_option_that_takes_a_value_refuses_an_empty_one_by_its_name(program, action, capsys) -> None:
    option = action.option_strings[0]
    with pytest.raises(SystemExit) as ended:
        PARSERS[program].parse_args([option, ""])
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and option in line, line


def test_of_a_blank_text_the_option_is_said_to_be_empty(capsys) -> None:
    for option in ("--title", "--blurb", "--author", "--github-id"):
        with pytest.raises(SystemExit):
            export.main(["campaign", option, " "])
        assert f"{option} is empty: give a text, or leave it out" in capsys.readouterr().err


def test_the_words_of_a_command_are_named_as_its_help_has_them(capsys) -> None:
    for given, said in (([], "required: prepare, NAME|FOLDER"), (["prepare", ""], "NAME|FOLDER is empty")):
        with pytest.raises(SystemExit):
            data.main(given)
        assert said in capsys.readouterr().err
    assert "prepare" in PARSERS["data"].format_help()


def test_an_empty_text_that_an_option_has_by_default_stays_one() -> None:
    parser = OneLineParser(prog="x")
    parser.add_argument("--prompt", default="")
    assert parser.parse_args(["--prompt", ""]) == parser.parse_args([]) == argparse.Namespace(prompt="")


def test_a_knob_is_given_no_empty_part_of_its_range() -> None:
    import search_spaces

    with pytest.raises(ValueError, match=r"gives optimizer\.matrix_lr an empty range"):
        with_likely(search_spaces.load("parameter_golf"), ["optimizer.matrix_lr="])

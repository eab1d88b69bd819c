from __future__ import annotations

import argparse

import pytest

from terminal.command_line import OneLineParser
from terminal.complaint import complain


@pytest.fixture
def parser() -> OneLineParser:
    parser = OneLineParser(prog="program")
    parser.add_argument("--trials", type=int)
    return parser


def refused(parser: OneLineParser, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        parser.parse_args(arguments)
    out, err = capsys.readouterr()
    assert stopped.value.code == 2 and not out and err.endswith("\n") and err[:-1].isprintable()
    return err


def test_an_unknown_option_is_answered_with_the_nearest(parser, capsys) -> None:
    assert refused(parser, capsys, "--trails=3") == "program: unknown option '--trails': did you mean '--trials'?\n"


def test_a_bad_value_is_one_line(parser, capsys) -> None:
    assert refused(parser, capsys, "--trials", "a\x1b[2J\nb").startswith("program: argument --trials: ")


def test_a_surplus_word_cannot_steer_the_terminal(parser, capsys) -> None:
    assert "\\x1b[2J" in refused(parser, capsys, "\x1b[2J")


def test_a_name_too_many_is_said_to_be_that_with_how_many_are_taken(parser, capsys) -> None:
    said = "'night' is no option, and no name is taken here"
    assert refused(parser, capsys, "night") == f"program: {said}\n"
    parser.add_argument("folder", metavar="CAMPAIGN")
    parser.for_more = ", but other does"
    said = "'day' is one name too many: one name is taken here, CAMPAIGN, but other does"
    assert refused(parser, capsys, "night", "day", "--trials", "3") == f"program: {said}\n"
    parser.add_argument("second")
    assert "2 names are taken here, CAMPAIGN second" in refused(parser, capsys, "a", "b", "c")


def test_an_error_is_one_line_on_stderr_with_the_name_of_the_program(parser, capsys) -> None:
    assert parser.refuse(ValueError("a\nb\x1b\u202e")) == 2
    complain("other", "c  d")
    assert capsys.readouterr() == ("", "program: a b\\x1b\\u202e\nother: c d\n")


def test_an_option_given_twice_is_refused_unless_all_its_values_are_kept(parser, capsys) -> None:
    parser.add_argument("--set", action="append")
    parser.add_argument("--more", nargs="+")
    parser.add_argument("--audit", action=argparse.BooleanOptionalAction)
    parser.add_argument("--no-trials", dest="trials", action="store_const", const=0)
    assert (
        refused(parser, capsys, "--trials", "3", "--trials=4") == "program: --trials is given twice: once is enough\n"
    )
    said = "program: --more is given twice: all its values come after one of them\n"
    assert refused(parser, capsys, "--more", "a", "b", "--more", "c") == said
    for first, second in (("--audit", "--no-audit"), ("--no-trials", "--trials=3")):
        said = f"program: {first} and {second.partition('=')[0]} exclude each other: give one of them\n"
        assert refused(parser, capsys, first, second) == said
    found = parser.parse_args(["--set", "a", "--set", "b", "--trials", "3", "--more", "x", "y"])
    assert (found.set, found.trials, found.more) == (["a", "b"], 3, ["x", "y"])


def test_what_comes_after_two_dashes_is_no_option_twice(parser) -> None:
    parser.add_argument("names", nargs="*")
    assert parser.parse_args(["--trials", "3", "--", "--trials", "--trials"]).names == ["--trials", "--trials"]


def test_the_begin_of_an_option_is_not_the_option(parser, capsys) -> None:
    assert refused(parser, capsys, "--tri", "3") == "program: unknown option '--tri': did you mean '--trials'?\n"

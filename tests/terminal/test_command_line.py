from __future__ import annotations

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

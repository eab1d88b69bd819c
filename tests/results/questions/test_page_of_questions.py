"""docs/python.md: its table names every question with its method and function, and its example runs."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from results.questions.catalogue import QUESTIONS
from results.questions.methods import Questions

PAGE = (Path(__file__).parents[3] / "docs" / "python.md").read_text(encoding="utf-8").partition("## Questions")[2]
ROW = re.compile(r"^\| (.+\?) \| (?:`(\w+)\(\)`)? ?\| `([\w.]+)` \|$", re.MULTILINE)
TABLE = ROW.findall(PAGE.partition("\n## ")[0])


@pytest.mark.parametrize(("question", "method", "function"), TABLE)
def test_a_row_has_the_question_of_its_function_and_of_its_method(question: str, method: str, function: str) -> None:
    module, _, name = function.rpartition(".")
    ask = getattr(import_module(module), name)
    assert ask.__doc__.startswith(question)
    if method:
        assert getattr(Questions, method).__doc__.startswith(question)


def test_the_table_has_every_question() -> None:
    assert {method for _, method, _ in TABLE if method} == QUESTIONS.keys()


def test_the_example_runs(confirmed, tmp_path, monkeypatch, capsys) -> None:
    for name in ("night", "day"):
        confirmed(name=name)
    monkeypatch.chdir(tmp_path)
    exec(PAGE.partition("```python\n")[2].partition("```")[0], {})
    assert "| confirmation 1 |" in capsys.readouterr().out

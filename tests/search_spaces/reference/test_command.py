"""``python -m search_spaces.reference`` prints, writes and refuses."""

from __future__ import annotations

import pytest

from search_spaces.reference import __main__ as command
from search_spaces.reference.pages import pages


def test_one_page_is_printed_as_it_is_written(tmp_path, capsys) -> None:
    assert command.main(["knobs/hooks.md"]) == 0
    assert capsys.readouterr().out == pages()["knobs/hooks.md"]
    assert command.main(["--write", str(tmp_path)]) == 0
    written = {
        path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.md")
    }
    assert written == pages()


def test_all_pages_are_printed_one_after_another(capsys) -> None:
    assert command.main([]) == 0
    assert capsys.readouterr().out == "".join(pages().values())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["knobs/hook.md"], "unknown page 'knobs/hook.md': did you mean 'knobs/hooks.md'?"),
        (["--write", "nowhere"], "--write 'nowhere' must be a folder that exists"),
        (["--write", "s3://bucket/docs"], "s3://bucket/docs"),
        (["--writ", "nowhere/"], "unknown option '--writ': did you mean '--write'?"),
    ],
)
def test_what_does_not_exist_is_one_line(arguments, said, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = command.main(arguments)
    except SystemExit as end:
        code = end.code
    assert code == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1) and said in err and not any(tmp_path.iterdir())


def test_what_cannot_be_written_is_one_line(tmp_path, capsys) -> None:
    (tmp_path / "knobs").write_text("a file", encoding="utf-8")
    assert command.main(["--write", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1) and "cannot be written" in err and "knobs" in err
    assert (tmp_path / "knobs").read_text(encoding="utf-8") == "a file"

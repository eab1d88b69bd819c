"""The summary for a pull request: its tables, and that no text of a campaign becomes markup or mentions anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from results import load
from results.page.data import page_data
from results.page.markdown import code, markdown, without_markup
from results.report import main


def test_it_has_the_verdict_the_winner_and_the_best_trials(campaign: Path) -> None:
    text = markdown(page_data(load(campaign), campaign))
    assert text.startswith("## `made-up`\n\nTrial 1 is the best so far: val\\_bpb")
    assert "| `schedule` | `Warmdown` | `Cosine` |" in text
    assert "| 2 | 0 | 1.8735 | - | (the base config) |" in text
    assert "python -m results.report" in text


@pytest.mark.parametrize("text", ["a|b", "``", "`x", "a```b", "<img>", "@somebody", "[x](y)", "x`"])
def test_a_code_span_holds_any_text(text: str) -> None:
    span = code(text)
    fence = span[: len(span) - len(span.lstrip("`"))]
    assert span.endswith(fence) and fence not in span[len(fence) : -len(fence)].replace(" ", "")
    assert "|" not in span.replace("\\|", "")


def test_plain_text_is_no_markup_and_mentions_nobody() -> None:
    assert without_markup("a_b *c* <d> @e") == "a\\_b \\*c\\* \\<d\\> @<!-- -->e"


def test_it_is_printed_alone_or_written_to_a_file(campaign: Path, tmp_path: Path, capsys: Any) -> None:
    assert main([str(campaign), "--markdown"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("## `made-up`") and "Page:" not in printed and not (campaign / "report.html").exists()
    assert main([str(campaign), "--no-page", "--markdown", str(tmp_path / "summary.md")]) == 0
    assert (tmp_path / "summary.md").read_text("utf-8").startswith("## `made-up`")
    assert f"Markdown: {tmp_path / 'summary.md'}" in capsys.readouterr().out


def test_files_beside_a_summary_on_the_screen_are_named_on_stderr(campaign: Path, tmp_path: Path, capsys: Any) -> None:
    pictures, tables = tmp_path / "pictures", tmp_path / "tables"
    assert main([str(campaign), "--markdown", "--png", str(pictures), "--csv", str(tables)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("## `made-up`") and ".png" not in said.out
    named = {line.partition(" in ")[0]: line.rpartition(": ")[2].split(", ") for line in said.err.splitlines()}
    assert named.keys() == {"Tables", "Pictures"} and f"Pictures in {pictures}: " in said.err
    assert sorted(named["Pictures"]) == sorted(path.name for path in pictures.iterdir())
    assert sorted(named["Tables"]) == sorted(path.name for path in tables.iterdir())

"""The pictures of a campaign as PNG files: those that there is something to draw for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.made_up_campaign import make
from results import Store
from results.report import main


def test_each_picture_of_a_confirmed_search_is_written(tmp_path: Path, capsys: Any) -> None:
    folder = make(tmp_path / "made-up", 24, points=20)
    assert main([str(folder), "--no-page", "--png", str(tmp_path / "new" / "pictures")]) == 0
    found = sorted((tmp_path / "new" / "pictures").iterdir())
    assert {path.stem for path in found} >= {"progress", "curves", "confirmation", "effects"}
    assert all(path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000 for path in found)
    assert f"pictures: {tmp_path / 'new' / 'pictures'}: progress.png, curves.png" in capsys.readouterr().out


def test_of_an_empty_campaign_nothing_is_drawn(store: Store, tmp_path: Path, capsys: Any) -> None:
    assert main([str(store.folder), "--no-page", "--png", str(tmp_path / "pictures")]) == 0
    assert "nothing to draw yet" in capsys.readouterr().out and list((tmp_path / "pictures").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_line(store: Store, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "file").write_text("")
    assert main([str(store.folder), "--no-page", "--png", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.count("\n") == 1

"""The pictures that the README opens with: both colour schemes, small enough, of a campaign that is only read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks import page_picture
from benchmarks.made_up_campaign import make
from benchmarks.page import CHROMIUM

MOST_BYTES = 250_000
PNG = b"\x89PNG\r\n\x1a\n"


def test_a_page_is_drawn_light_and_dark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("playwright.sync_api")
    image = pytest.importorskip("PIL.Image")
    if not any(map(shutil.which, CHROMIUM)):
        pytest.skip("there is no Chromium here")
    campaign, target = make(tmp_path / "made-up", 24), tmp_path / "pictures"
    before = sorted(campaign.rglob("*"))
    assert page_picture.main([str(campaign), str(target)]) == 0
    assert sorted(campaign.rglob("*")) == before
    said, corners = capsys.readouterr().out, []
    for scheme in ("light", "dark"):
        path = target / f"page-{scheme}.png"
        assert f"{path}: {path.stat().st_size:,} bytes" in said
        assert path.read_bytes().startswith(PNG) and path.stat().st_size < MOST_BYTES
        with image.open(path) as shown:
            assert shown.width == page_picture.WIDTH * page_picture.SCALE and shown.height > shown.width / 2
            corners.append(sum(shown.convert("RGB").getpixel((1, 1))))
            assert len(shown.convert("RGB").getcolors(10_000_000)) > 40, "curves in several colours, no empty page"
    assert corners[0] > 3 * 200 and corners[1] < 3 * 60


def test_what_is_no_campaign_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert page_picture.main([str(tmp_path / "none"), str(tmp_path / "pictures")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "none" in said and not (tmp_path / "pictures").exists()

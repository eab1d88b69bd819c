"""The picture of a confirmation: it shows what docs/why.md says of it, and is the one that the code draws now."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from benchmarks import confirm_picture
from benchmarks.confirm_picture import LOOKS, TRUE, Story, end, story
from results.design import DEFAULT
from results.statistics.studentized import levels
from tests.markdown_files import ROOT

PICTURES = ROOT / "docs" / "pictures"


@pytest.fixture(scope="module")
def told() -> Story:
    return story()


def test_each_candidate_ends_in_another_way(told: Story) -> None:
    assert {arm: (told.last(arm), end(told, arm)) for arm in TRUE} == {
        "A": (7, "established: better"),
        "B": (5, "behind A"),
        "C": (3, "not ahead"),
    }
    assert told.searched["C"] < told.searched["B"] < 0, "the search had them the wrong way round"


def test_the_intervals_narrow_and_only_the_last_one_of_the_winner_leaves_the_line(told: Story) -> None:
    of_a = [told.looks[n]["A"] for n in DEFAULT.looks if n <= told.last("A")]
    widths = [found.high - found.low for found in of_a]
    assert widths == sorted(widths, reverse=True)
    assert [found.high < 0 for found in of_a] == [False] * 3 + [True]


def test_every_run_has_its_pair_and_the_page_the_numbers_of_the_design(told: Story) -> None:
    assert {seed for _, seed in told.runs} == {seed for arm, seed in told.runs if arm == confirm_picture.BASE}
    page = " ".join((ROOT / "docs" / "why.md").read_text(encoding="utf-8").split())
    at = levels(DEFAULT.candidates, DEFAULT.looks)
    first, last = (f"{100 * at[n].better:.2f} %" for n in (DEFAULT.first, DEFAULT.final))
    assert f"from {first} after three seeds to {last} after thirty" in page
    assert (len(DEFAULT.looks), str(DEFAULT)) == (9, "3x3..5..30")
    assert f"{DEFAULT.fewest_runs} runs" in page and f"{DEFAULT.most_runs} runs at most" in page
    better = {arm: abs(mean) for arm, mean in TRUE.items()}
    assert f"{better['A']} better than the base, B {better['B']} better, and C {better['C']} worse" in page


def test_the_committed_pictures_are_current(tmp_path, capsys) -> None:
    assert confirm_picture.main([str(tmp_path)]) == 0
    for form in LOOKS:
        drawn = (tmp_path / f"confirmation{form}.svg").read_bytes()
        assert drawn == (PICTURES / f"confirmation{form}.svg").read_bytes(), "run its command (docs/why.md)"
        assert ElementTree.fromstring(drawn).tag.endswith("svg")
    assert capsys.readouterr().out.count("written: ") == len(LOOKS)


def test_a_folder_that_does_not_exist_is_one_line(tmp_path, capsys) -> None:
    assert confirm_picture.main([str(tmp_path / "nowhere")]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1) and "nowhere" in said.err and not any(tmp_path.iterdir())

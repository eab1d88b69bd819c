"""The reference in docs/ is what the code says now, whole, and every command in it works."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from search_spaces import catalogue
from search_spaces.effects import Findings, findings
from search_spaces.reference.knob_pages import switched_on
from search_spaces.reference.layout import COMMAND, PAGES, page_of
from search_spaces.reference.markdown import anchor
from search_spaces.reference.pages import pages
from search_spaces.reference.places import addresses, product_components
from search_spaces.reference.space_pages import REPLAYS
from trainable import component
from trainable.component_paths import get_value, parse_value, with_values
from trainable.config import TrainConfig
from trainable.schedules import Schedule

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
BORDER = re.compile(r"(?<!\\)\|")


@pytest.fixture(scope="module")
def printed() -> dict[str, str]:
    return pages()


def sections(page: str) -> dict[str, str]:
    """Heading -> the text below it; the last of several headings of one name."""
    parts = re.split(r"^#+ (.+)$", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_committed_reference_is_current(printed) -> None:
    files = [*(DOCS / "knobs").glob("*"), *(DOCS / "spaces").glob("*"), DOCS / "spaces.md"]
    committed = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in files}
    behind = sorted(name for name in committed | printed if committed.get(name) != printed.get(name))
    assert behind == [], f"docs/ is behind the code: run `{COMMAND}` (delete what it does not write)"


def test_every_field_of_every_component_has_a_row(printed) -> None:
    for cls in product_components():
        section = sections(printed[f"knobs/{page_of(cls).file}"])[cls.__name__]
        rows = re.findall(r"^\| `([^`]+)` \|", section, flags=re.M)
        assert [row.rpartition(".")[2] for row in rows] == [f.name for f in dataclasses.fields(cls)], cls


def test_every_component_stands_on_one_page_and_in_the_index(printed) -> None:
    assert sorted(cls.__name__ for page in PAGES for cls in page.members) == [
        cls.__name__ for cls in product_components()
    ]
    for cls in product_components():
        assert printed["knobs/README.md"].count(f"({page_of(cls).file}#{anchor(cls.__name__)})") == 1


PLACES = {
    f"{place.path}={name} in {place.holder}": (name, place) for name, found in addresses().items() for place in found
}


@pytest.mark.parametrize("said", PLACES)
def test_a_component_can_be_set_where_the_reference_says(said: str) -> None:
    name, place = PLACES[said]
    cls = next(cls for cls in product_components() if cls.__name__ == name)
    config = TrainConfig()
    for path, holder in (*place.holders, *([] if place.member else [(place.path, name)])):
        if type(get_value(config, path)).__name__ != holder:
            config = with_values(config, {f"{path}.steps": 9} if holder == "Budget" else {path: holder})
    if place.member:
        config = with_values(config, {path: parse_value(v) for path, v in switched_on(cls, place.path).items()})
        assert get_value(config, place.path) != cls.neutral()
    assert type(get_value(config, place.path)) is cls


def test_every_component_but_the_config_can_be_set_somewhere() -> None:
    assert [name for name, found in addresses().items() if not found] == ["TrainConfig"]


def test_every_knob_of_every_space_is_named_where_its_field_is(printed) -> None:
    text = "".join(printed[f"knobs/{page.file}"] for page in PAGES)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for name in catalogue.names():
        link = f"[{name}](../spaces/{name}.md)"
        for knob in catalogue.load(name).knobs:
            field = knob.path.rpartition(".")[2]
            assert any(link in row and BORDER.split(row)[1].strip(" `").endswith(field) for row in rows), knob.path
            assert f"| `{knob.path}` |" in printed[f"spaces/{name}.md"]


def test_components_of_a_user_s_own_that_are_loaded_are_no_part_of_it(printed, monkeypatch) -> None:
    monkeypatch.setattr(component, "_REGISTRY", dict(component._REGISTRY))

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class OfAUser(Schedule):
        def __call__(self, progress: float) -> float:
            return 1.0

    assert OfAUser in component.components("schedule")
    addresses.cache_clear()
    assert pages() == printed


def test_tables_have_no_stray_cells_and_nothing_is_taken_for_html(printed) -> None:
    parser = MarkdownIt("commonmark").enable("table")
    for name, text in printed.items():
        tokens = parser.parse(text)
        children = [child for token in tokens for child in token.children or ()]
        assert [c.content for c in children if c.type == "html_inline"] in ([], ["<br>"] * text.count("<br>")), name
        assert not [token.content for token in tokens if token.type == "html_block"], name
        lines = text.splitlines()
        for header, border in ((i, line) for i, line in enumerate(lines) if line.startswith("| --- |")):
            for row in lines[header + 1 :]:
                if not row.startswith("|"):
                    break
                assert len(BORDER.split(row)) == len(BORDER.split(border)), f"{name}: {row}"
        assert text.count("\n| --- |") == sum(token.type == "table_open" for token in tokens), name


@pytest.mark.parametrize("name", [name for name in catalogue.names() if findings(name) != Findings()])
def test_the_replay_that_a_space_shows_knows_its_findings(name: str) -> None:
    kept = (ROOT / REPLAYS / f"{name}.txt").read_text(encoding="utf-8")
    found = findings(name)
    for said in [*(effect.name for effect in found.effects), *(step.label for step in found.progression)]:
        assert f"\n{said}  " in kept, f"{said!r}: write results/recorded/{name}.txt by results.compare --space {name}"

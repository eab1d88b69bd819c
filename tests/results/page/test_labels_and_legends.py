"""Names and legends in the page's pictures, read from what its script writes on them. Skipped without Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import load
from results.page.data import page_data
from results.page.write import html_of

LABELS = (Path(__file__).parents[3] / "results" / "page" / "scripts" / "shared" / "labels.js").read_text("utf-8")
TWO_LINES = """([labels, width]) => {
  %s
  return inTwoLines(document.createElement('canvas').getContext('2d'), labels, width);
}"""
WRITTEN = """
window.written = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  const found = this.canvas.closest('section');
  window.written.push([found ? found.id : '', text, this.fillStyle]);
  return write.call(this, text, x, y);
};
"""
ONE_LINE = """(spans) => spans.map((one) => [one.textContent, one.offsetHeight < 30])"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A page of a made-up search with a confirmation, and its data: one knob's part is not known."""
    folder = make(tmp_path_factory.mktemp("made-up") / "night", 24, 20)
    data = page_data(load(folder), folder)
    assert data["importance"] is not None
    data["importance"]["rows"][-1] |= {"middle": None, "low": None, "high": None, "why": "4 of 5 trials"}
    data["verdict"]["sentence"] = "Trial 3 of a-5 is better: -0.1064, 95 % interval (-0.1367 to -0.0761)."
    (folder / "page.html").write_text(html_of(data), "utf-8")
    return folder / "page.html", data


@pytest.fixture
def tab(made: Any, browser: Any) -> Iterator[Callable[[int], Any]]:
    """Opens the page at a width, and waits until all of it is drawn."""
    opened = []

    def show(width: int) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900})
        opened.append(context)
        context.add_init_script(WRITTEN)
        found = context.new_page()
        found.goto(made[0].as_uri())
        found.wait_for_function("() => window.written.some(([section]) => section === 'slots')", polling=200)
        return found

    yield show
    for context in opened:
        context.close()


def _written(tab: Any, section: str) -> list[str]:
    return [text for where, text, _ in tab.evaluate("window.written") if where == section]


def test_a_path_that_a_line_does_not_hold_is_set_in_two(show: Callable[..., Any], made: Any) -> None:
    paths = ["optimizer.muon_momentum", "hooks.GradientClip.max_norm", "schedule"]
    found = show(made[0]).tab.evaluate(TWO_LINES.replace("%s", LABELS), [paths, 110])
    assert found == [["optimizer.", "muon_momentum"], ["hooks.GradientClip.", "max_norm"], "schedule"]
    assert show(made[0]).tab.evaluate(TWO_LINES.replace("%s", LABELS), [paths, 400]) == paths


def test_the_knobs_that_matter_keep_their_prefix_on_a_phone(tab: Callable[[int], Any]) -> None:
    said = _written(tab(390), "importance")
    assert "losses.Term0." in said and "weight" in said, "in two lines"
    assert "losses.Term0.weight" in _written(tab(1280), "importance"), "whole where there is room"


def test_the_knob_that_is_not_drawn_is_named(tab: Callable[[int], Any], made: Any) -> None:
    name = made[1]["importance"]["rows"][-1]["name"]
    said = tab(1280).locator("#importance").inner_text()
    assert f"Not drawn, since its part is not known: {name} (4 of 5 trials)." in said


def test_what_colours_and_rings_mean_stands_below_each_picture(tab: Callable[[int], Any], made: Any) -> None:
    page = tab(1280)
    legends = {
        name: page.locator(f"#{name} .legend").first.inner_text().splitlines() for name in ("curves", "parallel")
    }
    assert legends["curves"] == legends["parallel"]
    assert {"completed", "stopped", "the base", "the winner"} <= set(legends["curves"])
    said = page.locator("#effects .legend").inner_text()
    rows = made[1]["effects"]["rows"]
    assert ("stands out, one run only" in said) == any(row["shape"] == "ring" for row in rows)
    assert "what noise alone makes of a single run" in said and "better" in said


def test_a_knob_that_does_not_act_is_said_below_its_axis(tab: Callable[[int], Any], made: Any) -> None:
    page = tab(1280)
    page.locator("#parallel summary").click()
    box = page.locator("#parallel label", has_text="schedule.warmup_frac").locator("input")
    box.set_checked(False)
    page.wait_for_timeout(200)
    page.evaluate("window.written = []")
    box.set_checked(True)
    page.wait_for_function("() => window.written.some(([, text]) => text === 'does not act')")
    assert "stands at its last one" in page.locator("#parallel").inner_text(), "some were stopped"


def test_candidates_side_by_side_have_no_colours_of_statuses(tab: Callable[[int], Any]) -> None:
    page = tab(1280)
    style = "getComputedStyle(document.documentElement).getPropertyValue('--%s').trim()"
    named = (
        "completed",
        "stopped",
        "diverged",
        "crashed",
        "running",
        "winner",
        "base",
        "arm-0",
        "arm-1",
        "arm-2",
        "arm-3",
    )
    for scheme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{scheme}'")
        colours = [page.evaluate(style % name) for name in named]
        assert "" not in colours and len(set(colours)) == len(named)


def test_curves_open_on_the_objective(tab: Callable[[int], Any], made: Any) -> None:
    caption = tab(1280).locator("#curves .hint").inner_text()
    assert caption.startswith(f"Each trial's {made[1]['objective']}, coloured by how it ended")


def test_a_command_breaks_between_its_options_alone(tab: Callable[[int], Any], made: Any) -> None:
    page = tab(1280)
    command = page.locator("#next .command pre").first
    told = next(step["command"] for step in made[1]["next"] if step["command"])
    assert command.evaluate("(one) => one.textContent") == told
    parts = command.locator("span").evaluate_all(ONE_LINE)
    assert len(parts) > 2 and all(part.startswith("--") for part, _ in parts[1:])
    assert all(alone for _, alone in parts), "no option is torn apart"


def test_numbers_of_the_verdict_have_the_pages_minus(tab: Callable[[int], Any]) -> None:
    said = tab(1280).locator("#sentence").inner_text()
    assert said == "Trial 3 of a-5 is better: \u22120.1064, 95 % interval (\u22120.1367 to \u22120.0761)."


def test_the_last_column_of_the_trials_has_room_at_800(tab: Callable[[int], Any]) -> None:
    wide = "(one) => one.getBoundingClientRect().width"
    assert tab(800).locator("#trials td.long").first.evaluate(wide) > 300

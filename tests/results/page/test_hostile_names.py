"""Names, reasons, units and notes that try to be markup, scripts or formulas, on both pages in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from results import Store, compare, load
from results.page.write import write_page
from results.store.schema import curves_schema
from tests.results.conftest import START

Row = dict[str, Any]
SHOWN = "<script>document.title='taken'</script>"  # printable: it is shown as it is
TEXTS = (
    SHOWN,
    "\"><img src=x onerror=\"document.title='taken'\">",
    "</script></title></style><svg onload=\"document.title='taken'\">",
    "javascript:document.title='taken'",
    "<!--\u2028\u2029<![CDATA[",
    "\u202edessert\u202c \u200f\u2066right\u2069",
    "=HYPERLINK(\"http://192.0.2.1\",\"x\")",
    "W" * 700,
    "${DATA} $title $x^2$ \\u003c \x1b[31m \x00",
)  # fmt: skip
ALL = " ".join(TEXTS)
NAME = (
    "</script><img src=x onerror=\"document.title='taken'\"> \u202e\u2028 =1+1 {} $x^2$ " + "W" * 90
)  # for short texts
MADE = """() => {
  const all = [...document.querySelectorAll('*')];
  return {
    made: all.filter((one) => /^(img|svg|iframe|object|embed|link|base|form|math)$/i.test(one.tagName)),
    scripts: document.scripts.length,
    handlers: all.flatMap((one) => one.getAttributeNames().filter((name) => name.startsWith('on'))),
    places: all.map((one) => one.getAttribute('href') || one.getAttribute('src')).filter((to) => to && to[0] !== '#'),
  };
}"""
WIDER = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  const beyond = (one) => one.getBoundingClientRect().right > innerWidth + 1;
  const all = [...document.querySelectorAll('main *')].filter((one) => !one.closest('.scrolls, .wide, pre, #bar'));
  return all.filter(beyond).map((one) => `${one.closest('section')?.id} ${one.tagName}.${one.className}`);
}"""
CURVE = "<b onclick=alert(4)>"
KNOBS = {"optimizer.lr": "float64", "kind": "string"}


def _written(folder: Path, make_trial: Callable[..., Row], objective: str = "val_bpb") -> Path:
    """A campaign every text of which is hostile, with a trial of each end, a stop, curves and a place."""
    own = {"name": NAME, "fingerprint": NAME, "source": ALL, "maximise": False, "domains": {}}
    told = {
        "space": NAME, "scale": NAME, "question": ALL, "objective": objective, "trials": 9, "stopper": "asha",
        "ranges": {
            "optimizer.lr": {"domain": "inf .. nan (log)", "why": ALL, "when": {NAME: [ALL, None]}},
            "kind": {"domain": " | ".join(TEXTS), "why": ALL, "when": None},
        },
        "inert": {NAME: list(KNOBS)}, "data_description": ALL, "code_version": ALL, "overrides": {NAME: ALL},
        "environment": {ALL: ALL}, "constraints": list(TEXTS), "own_train": own,
        "winner_command": {"arm": "0" * 16, "minimal": False, "line": f"python -m tuner.run; {ALL}"},
    }  # fmt: skip
    store = Store.create(folder.with_name(f"made-up-{len(objective)}"), told, KNOBS)
    plain = {name for name in make_trial(0, "completed") if "." in name or name == "schedule"}
    statuses = ("completed", "completed", "crashed", "stopped", "diverged", "infeasible", "completed", "interrupted")
    for number, status in enumerate(statuses):
        changes = {"optimizer.lr": 0.1 * number, "kind": TEXTS[number], NAME: ALL} if number else {}
        row = {name: cell for name, cell in make_trial(number, status, 2.0 - number / 10).items() if name not in plain}
        row |= {
            "overrides": json.dumps(changes), "is_base": not number, "reason": ALL, "note": ALL, "device": NAME,
            "worker": f"{NAME}:{number}", "precision": NAME, "rung": 60.0, "cutoff": 1.0, "wall_seconds": 12.0,
            "optimizer.lr": 0.1 * number, "kind": TEXTS[number], "objective": objective, "ended_at": START,
            "started_at": START + timedelta(seconds=number, hours=len(objective)),  # or one is a copy of the other
        }  # fmt: skip
        store.write_trial(row)  # type: ignore[arg-type]
        for step in (20, 60):
            store.append_report({"key": row["key"], "attempt": 1, "step": step, "at": START, "milestone": 60.0})  # type: ignore[arg-type]
        curve = {"key": row["key"], "number": number, "tokens": None, "name": CURVE, "unit": CURVE}
        points = [{**curve, "step": step, "value": 1.0 + number} for step in (1, 2, 3)]
        pq.write_table(pa.Table.from_pylist(points, curves_schema()), store.folder / "curves" / f"{row['key']}.parquet")
    return store.folder.rename(folder)


def _checked(shown: Any) -> str:
    """Hold that nothing was run or made of a text; returns all the text of the page, closed parts opened."""
    tab = shown.tab
    dialogs: list[str] = []
    tab.on("dialog", lambda found: (dialogs.append(found.message), found.dismiss()))
    tab.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    tab.locator("#bar .chip").first.click()
    tab.locator("#bar .chip").first.click()
    for at in range(tab.locator(".chart").count()):
        chart = tab.locator(".chart").nth(at)
        chart.scroll_into_view_if_needed()
        tab.wait_for_timeout(120)
        chart.focus()
        tab.keyboard.press("ArrowRight")
    text = str(tab.locator("body").inner_text())
    tab.locator("main tbody a").first.click()
    tab.locator("dialog#trial").wait_for()
    text += str(tab.locator("dialog#trial").inner_text())
    found = tab.evaluate(MADE)
    assert found == {"made": [], "scripts": 2, "handlers": [], "places": []} and dialogs == []
    assert tab.title() != "taken" and all(url.startswith("file:") for url in shown.asked)
    assert tab.evaluate(WIDER) == [], "wider than the screen"
    assert shown.complaints == []
    for sign in "\u202e\u200f\u2066\u2028\u2029\x1b":
        assert sign not in text, "what steers a line is written as its escape"
    return text


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_of_a_campaign_shows_them_as_text(
    tmp_path: Path, make_trial: Callable[..., Row], show: Callable[..., Any], width: int
) -> None:
    folder = _written(tmp_path / "<img src=x onerror=alert(1)>", make_trial)
    text = _checked(show(write_page(load(folder), folder), width=width))
    assert SHOWN in text and "<img src=x onerror=alert(1)>" in text and "\\u202edessert" in text
    assert "=HYPERLINK" in text, "a formula is text here"
    assert "<b onclick=alert(4)>" in text, "a curve's name"
    assert "python -m tuner.run;" not in text, "a command that does more than call ours is not shown"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_of_several_campaigns_shows_them_as_text(
    tmp_path: Path, make_trial: Callable[..., Row], show: Callable[..., Any], capsys: Any, width: int
) -> None:
    one = _written(tmp_path / "<img src=x onerror=alert(1)>", make_trial)
    two = _written(tmp_path / "'\"><svg onload=alert(2)> =1+1", make_trial, objective=NAME)
    page = tmp_path / "page.html"
    assert compare.main([str(one), str(two), "--html", str(page)]) == 0
    text = _checked(show(page, width=width))
    assert SHOWN in text and "<svg onload=alert(2)>" in text
    assert "\x1b" not in capsys.readouterr().out

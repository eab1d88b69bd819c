"""A trial's changes have one number, wherever and with how much room they are listed."""

from __future__ import annotations

import io
import json
import re

from results import Store, load
from results.page.data import page_data
from results.page.markdown import markdown
from results.questions.compare import compare_campaigns
from results.questions.compare_text import BETWEEN, print_campaigns
from results.report import print_leaderboard
from results.some_changes import as_many_as_fit, some
from terminal.console import Console


def test_those_that_do_not_fit_are_counted_beside_all_of_them() -> None:
    assert as_many_as_fit(["one=1", "two=2", "three=0.333333333"], 20) == "one=1 two=2 +1"
    assert as_many_as_fit(["one=1", "two=2", "three=0.333333333"], 40) == "one=1 two=2 three=0.333333333"
    assert as_many_as_fit(["one=1", "two=2"], 1) == "one=1 +1"
    assert as_many_as_fit([], 10) == "" and as_many_as_fit([], 10, ["H1:"]) == "H1:"
    assert as_many_as_fit(["one=1", "two=2"], 1, ["H1:"]) == "H1: one=1 +1", "what stands before is no change"
    assert some(["a", "b", "c"], 2) == "a, b +1" and some(["a", "b"], 2) == "a, b"


def test_a_comma_in_a_value_is_no_second_change() -> None:
    assert BETWEEN.split('a.b=[1, 2], c="x, y", d=3') == ["a.b=[1, 2]", 'c="x, y"', "d=3"]


def test_report_page_summary_and_comparison_count_alike(tmp_path, make_trial) -> None:
    knobs = {f"losses.Term{n}.weight": "float64" for n in range(9)}
    changes = {name: n + 0.5 for n, name in enumerate(knobs)}
    campaigns = []
    for name in ("night", "day"):
        store = Store.create(tmp_path / name, {"space": "parameter_golf", "objectives": ["val_bpb"]}, knobs)
        campaigns.append(store.folder)
        for number, value in enumerate((2.0, 1.5)):
            row = make_trial(number, "completed", value, changes if number else {})
            kept = {name: cell for name, cell in row.items() if "." not in name and name != "schedule"}
            store.write_trial({**kept, **dict.fromkeys(knobs, 0.0), **(changes if number else {})})
    found = [load(folder) for folder in campaigns]
    data = page_data(found[0], campaigns[0])
    screens = [io.StringIO(), io.StringIO()]
    print_leaderboard(Console(file=screens[0], width=80), found[0])
    print_campaigns(Console(file=screens[1], width=120), compare_campaigns(found))
    texts = [*(screen.getvalue() for screen in screens), markdown(data)]
    for text in texts:
        lines = [line for line in text.splitlines() if re.search(r"losses\.Term.* \+\d", line)]
        assert lines
        for line in lines:
            assert line.count("losses.Term") + int(re.findall(r" \+(\d)\b", line)[-1]) == 9
    assert len(data["changes"]["of"][1]) == 9 == len(json.loads(found[0].trials["overrides"].iloc[1]))

"""Rows name their data relative to the campaign's folder; everything that reads them has the whole path."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd

from results import load
from tuner.proposals.reuse import Library


def test_a_campaign_on_a_file_names_no_folder_above_it_and_is_gone_on_with_and_reused(
    make_bench, toy_base, play, tmp_path
) -> None:
    source = str(tmp_path / "texts" / "a.txt")
    bench = make_bench("night", base=replace(toy_base, data=replace(toy_base.data, source=source)))
    play(bench.search(trials=4, stopper="none")).run(steps=9)
    bench.store().settle(at_once=True)
    rows = pd.read_parquet(bench.folder / "trials")
    sources = {json.loads(config)["data"]["source"] for config in rows["config"] if config != "null"}
    assert sources == {"../texts/a.txt"}
    assert not rows.map(lambda cell: str(tmp_path) in str(cell)).any().any()

    again = bench.search(trials=4, stopper="none")
    found = [entry.config for entry in again.ledger.entries.values() if entry.config is not None]
    assert bench.base in found and {config.data.source for config in found} == {source}
    request = again.next()
    assert json.loads(request.config)["data"]["source"] == source, "a worker runs elsewhere"
    play(bench.search(trials=4, stopper="none")).run()
    assert len(Library([bench.folder])) == 4
    assert all(source in config for config in load(bench.folder).trials["config"] if config != "null")

from __future__ import annotations

from benchmarks import rows
from results.store.campaign_folder import Store


def test_a_campaign_is_written_whole_and_read_by_each_reader_in_this_process(tmp_path) -> None:
    folder = tmp_path / "runs" / "made-up"
    rows.write(folder, 3)
    found = Store.open(folder).trials()
    assert [row["number"] for row in found] == [0, 1, 2] and found[0]["is_base"]
    done = [row for row in found if row["status"] == "completed"]
    assert done and all(len(Store.open(folder).reports(row["key"], row["number"])) == 3 for row in done)
    assert rows.restore(str(folder)) == 3 and rows.resume(str(folder)) == 3


def test_a_reader_is_a_process_of_its_own_with_its_own_peak(tmp_path) -> None:
    seconds, mebibytes = rows.read("assert (folder, count) == ('nowhere', 7); x = b'1' * 2**25", "nowhere", 7)
    assert seconds > 0 and 32 < mebibytes < 100

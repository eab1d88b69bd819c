"""Files that a data set is made of: counted before they are downloaded, in code, plan and page alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainable.campaign_runs import campaign_run
from trainable.data import climbmix, download
from trainable.data.hub import HubFile
from trainable.data.named import RECIPES
from trainable.data.needed_files import NeededFiles
from trainable.data.preparation import _limit
from trainable.data.sources import DOWNLOADED

PAGE = Path(__file__).parents[3] / "docs" / "data.md"


def needed(source: str, scale: str) -> NeededFiles:
    run = campaign_run(source, scale)
    limit = _limit(run.data, run.tokens)
    if source in download.DATASETS:
        return download.published_files(source, limit)
    return RECIPES[source].published_files(run.data, limit)


@pytest.mark.parametrize("source", DOWNLOADED)
def test_the_page_names_files_and_bytes_as_the_code_counts_them(source: str) -> None:
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{source}` |"))
    assert needed(source, "full").words() in row
    if source == "nanochat":
        assert needed(source, "proxy").words().removeprefix("about ") in row


def test_a_run_of_nanochat_takes_about_the_files_that_its_own_script_fetches() -> None:
    files = needed("nanochat", "full").files
    assert 140 <= len(files) <= 170  # "Approximately 150 shards are needed ..., add 20 for padding" (runs/speedrun.sh)
    assert files[0] == climbmix.climbmix_file(0) and files[-1] == climbmix.climbmix_file(climbmix.LAST)
    everything = RECIPES["nanochat"].published_files(campaign_run("nanochat").data, None)
    assert len(everything.files) == len(set(everything.files)) == climbmix.LAST + 1


@pytest.mark.parametrize(
    ("there", "words", "lacking"),
    [
        ([], "about 2 files, 3 kB", "is not prepared on this machine yet: it is downloaded first, which needs a"),
        (["a"], "about 2 files, 3 kB, 1 of them here", "is not prepared on this machine yet: the files that lack are"),
        (["a", "b"], "about 2 files, 3 kB, all of them here", "comes first, and needs no network unless these files"),
    ],
)  # fmt: skip
def test_what_is_here_is_counted_and_a_network_asked_for_only_where_something_lacks(
    there: list[str], words: str, lacking: str, tmp_path: Path
) -> None:
    for name in there:
        (tmp_path / name).write_bytes(b"x")
    files = NeededFiles((HubFile("r", "a"), HubFile("r", "b")), 3000, is_exact=False)
    assert files.words(tmp_path) == words and lacking in files.lacking(tmp_path, "prepared ")
    exact = NeededFiles(files.files, 3000)
    assert exact.words() == "2 files, 3 kB"
    if len(there) == 2:
        assert exact.lacking(tmp_path, "prepared ").endswith("that comes first, and needs no network")

"""Files of the hub over real HTTP: resumed, held against their digest, and one line where there is no network."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from tests.hub_server import Hub, serving
from trainable.data import hub as files
from trainable.data.hub import HubFile

FILE = HubFile("someone/things", "folder/thing.bin")
BODY = bytes(range(256)) * 40
ADVICE = "do it there"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch):
    with serving() as made:
        made.files["datasets/someone/things/folder/thing.bin"] = BODY
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield made


def fetch(root: Path, alone: bool = True) -> list[str]:
    said: list[str] = []
    files.fetch([FILE], root, said.append, alone, ADVICE)
    return said


def ranges(hub: Hub) -> list[str]:
    return [asked for method, path, asked in hub.asked if method == "GET" and path.startswith("/bytes/")]


def test_a_file_comes_whole_by_way_of_a_redirect_and_its_size_is_said(hub: Hub, tmp_path: Path) -> None:
    assert fetch(tmp_path) == ["downloading folder/thing.bin of someone/things (1 of 1), 10.2 kB"]
    assert (tmp_path / FILE.path).read_bytes() == BODY
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["thing.bin"]


def test_a_download_that_broke_off_goes_on_where_it_was(hub: Hub, tmp_path: Path, monkeypatch) -> None:
    hub.cut_at = 4000

    def killed(seconds: float) -> None:  # the client waits before it tries again
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(time, "sleep", killed)
        patched.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)  # of 10 MB
        fetch(tmp_path)
    assert not (tmp_path / FILE.path).exists()
    (said,) = fetch(tmp_path)
    assert said.endswith("10.2 kB, of which 4 kB are here")
    assert ranges(hub) == ["", "bytes=4000-"] and (tmp_path / FILE.path).read_bytes() == BODY


def test_what_is_left_of_another_version_is_not_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / f".thing.bin.{'0' * 16}.partial").write_bytes(b"of an older file")
    fetch(tmp_path)
    assert ranges(hub) == [""] and (tmp_path / FILE.path).read_bytes() == BODY


def test_a_file_with_another_digest_than_the_hubs_is_refused_and_not_kept(hub: Hub, tmp_path: Path) -> None:
    hub.lies.add("datasets/someone/things/folder/thing.bin")
    with pytest.raises(ValueError, match=r"it came damaged: its SHA-256 is .*run the same command again"):
        fetch(tmp_path)
    assert not (tmp_path / "folder").exists()
    hub.lies.clear()
    fetch(tmp_path)
    assert (tmp_path / FILE.path).read_bytes() == BODY


def test_a_small_file_is_held_against_gits_digest(tmp_path: Path) -> None:
    path, right = tmp_path / "a", hashlib.sha1(b"blob 5\0hello").hexdigest()
    path.write_bytes(b"hello")
    files._check_digest(path, right)
    with pytest.raises(ValueError, match="its SHA-1 is"):
        files._check_digest(path, "0" * 40)


def test_processes_that_cannot_lock_each_download_for_themselves(hub: Hub, tmp_path: Path) -> None:
    etag = hashlib.sha256(BODY).hexdigest()[:16]
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / f".thing.bin.{etag}.partial").write_bytes(BODY[:100])  # another process writes it
    fetch(tmp_path, alone=False)
    assert ranges(hub) == [""] and (tmp_path / FILE.path).read_bytes() == BODY


def test_a_folder_is_listed_by_name(hub: Hub, tmp_path: Path) -> None:
    for name in ("b.parquet", "a.parquet", "c.txt"):
        hub.files[f"datasets/someone/things/part/{name}"] = b"x"
    found = files.listing("someone/things", "part", ".parquet", tmp_path, ADVICE)
    assert [file.path for file in found] == ["part/a.parquet", "part/b.parquet"]
    with pytest.raises(ValueError, match=r"could not download part .*\(it lists no \.zip there; HF_"):
        files.listing("someone/things", "part", ".zip", tmp_path, ADVICE)


def test_without_a_network_one_line_says_what_lacks_and_what_to_do(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ValueError, match=r"could not download folder/thing\.bin .*do it there and copy ") as error:
        files.reach(FILE, tmp_path, ADVICE)
    assert "\n" not in str(error.value)

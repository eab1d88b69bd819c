from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from trainable.data import download, one_at_a_time, shards
from trainable.data.dataset import DataConfig
from trainable.data.preparation import prepare, prepare_from

GPT2 = "datasets/kjj0/fineweb10B-gpt2"
SP1024 = "datasets/willdepueoai/parameter-golf"


@dataclass
class Hub:
    """A hub on this machine: files by ``repository/path``, and the paths of which a body was asked for."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    served: list[str] = field(default_factory=list)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            if body := self._answer():
                made.served.append(self.path.rpartition("/")[2])
                self.wfile.write(body)

        def _answer(self) -> bytes:
            body: bytes | None = made.files.get(self.path.strip("/").replace("/resolve/main/", "/"))
            if body is None:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.end_headers()
                return b""
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{hash(body):x}"')
            self.send_header("X-Repo-Commit", "c" * 40)
            self.end_headers()
            return body

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made = Hub(f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_ENDPOINT", made.address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def _shard(folder: Path, tokens: int, seed: int) -> bytes:
    path = folder / "made.bin"
    shards.write(path, np.random.default_rng(seed).integers(0, 256, tokens))
    return path.read_bytes()


def _gpt2_vocabulary() -> bytes:
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    alphabet = [chr(b) for b in printable] + [chr(256 + n) for n in range(256 - len(printable))]
    return json.dumps({token: i for i, token in enumerate([*alphabet, "<|endoftext|>"])}).encode()


@pytest.fixture
def gpt2_hub(hub: Hub, tmp_path: Path) -> Hub:
    hub.files["openai-community/gpt2/vocab.json"] = _gpt2_vocabulary()
    hub.files[f"{GPT2}/fineweb_val_000000.bin"] = _shard(tmp_path, 50, seed=0)
    for number in (1, 2, 3):
        hub.files[f"{GPT2}/fineweb_train_{number:06d}.bin"] = _shard(tmp_path, 100, seed=number)
    return hub


@pytest.mark.parametrize(("tokens", "count"), [(0, 1), (99_999_999, 1), (100_000_000, 2), (10**12, 103), (None, 103)])
def test_only_the_shards_that_a_run_reads_are_needed(tokens: int | None, count: int) -> None:
    assert download.shards_needed(download.DATASETS["fineweb10B_gpt2"], tokens) == count


def test_a_dataset_is_downloaded_once_and_only_as_far_as_the_run_reads(gpt2_hub: Hub, tmp_path: Path) -> None:
    said: list[str] = []
    config = DataConfig(source="fineweb10B_gpt2")
    dataset = prepare(config, tmp_path / "cache", train_tokens_needed=150_000_000, say=said.append)
    names = ["vocab.json", "fineweb_val_000000.bin", "fineweb_train_000001.bin", "fineweb_train_000002.bin"]
    assert gpt2_hub.served == names and len(said) == 5 and said[0] == "fineweb10B_gpt2 is 4 files, 600 MB"
    assert (dataset.vocab_size, dataset.train.total_tokens, len(dataset.validation)) == (257, 200, 50)
    expected = np.random.default_rng(2).integers(0, 256, 100)
    assert dataset.train.take(100, 100).tolist() == expected.tolist()
    prepare(config, tmp_path / "cache", train_tokens_needed=150_000_000)
    assert gpt2_hub.served == names


def test_where_the_cache_has_no_locks_whole_files_are_put_into_it(gpt2_hub: Hub, tmp_path: Path, monkeypatch) -> None:
    config, cache = DataConfig(source="fineweb10B_gpt2"), tmp_path / "cache"
    whole = prepare(config, tmp_path / "other", train_tokens_needed=10)
    monkeypatch.setattr(one_at_a_time, "_no_locks", lambda cache: "No locks available")
    said: list[str] = []
    assert prepare(config, cache, train_tokens_needed=10, say=said.append).fingerprint == whole.fingerprint
    assert sum("has no locks" in line for line in said) == 1
    # The hub's client keeps locks of its own beside what it downloads.
    assert not [path for path in cache.rglob("*") if path.name.startswith(".") or path.suffix == ".lock"]
    gpt2_hub.served.clear()
    assert prepare(config, cache, train_tokens_needed=10) and gpt2_hub.served == []


def test_the_fingerprint_does_not_depend_on_how_much_was_downloaded(gpt2_hub: Hub, tmp_path: Path) -> None:
    config = DataConfig(source="fineweb10B_gpt2")
    one = prepare(config, tmp_path / "cache", train_tokens_needed=10)
    three = prepare(config, tmp_path / "cache", train_tokens_needed=250_000_000)
    assert one.train.total_tokens < three.train.total_tokens and one.fingerprint == three.fingerprint


def test_what_is_there_needs_no_network(gpt2_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = DataConfig(source="fineweb10B_gpt2")
    first = prepare(config, tmp_path / "cache", train_tokens_needed=10)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert prepare(config, tmp_path / "cache", train_tokens_needed=10).fingerprint == first.fingerprint


def test_a_damaged_shard_is_downloaded_again(gpt2_hub: Hub, tmp_path: Path) -> None:
    config = DataConfig(source="fineweb10B_gpt2")
    dataset = prepare(config, tmp_path / "cache", train_tokens_needed=10)
    path = dataset.train.paths[0]
    path.write_bytes(path.read_bytes()[:-2])
    gpt2_hub.served.clear()
    said: list[str] = []
    again = prepare(config, tmp_path / "cache", train_tokens_needed=10, say=said.append)
    assert gpt2_hub.served == [path.name] and again.fingerprint == dataset.fingerprint
    assert "cut short" in said[0] and "downloading it again" in said[0]


def test_the_challenge_layout_is_found_with_its_sentencepiece_model(hub: Hub, tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    text = tmp_path / "text.txt"
    text.write_text("the quick brown fox jumps over the lazy dog\n" * 20)
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(tmp_path / "m"),
        vocab_size=300,
        model_type="bpe",
        byte_fallback=True,
        minloglevel=2,
    )
    folder = f"{SP1024}/datasets/datasets/fineweb10B_sp1024"
    hub.files[f"{SP1024}/datasets/tokenizers/fineweb_1024_bpe.model"] = (tmp_path / "m.model").read_bytes()
    hub.files[f"{folder}/fineweb_val_000000.bin"] = _shard(tmp_path, 50, seed=0)
    hub.files[f"{folder}/fineweb_train_000000.bin"] = _shard(tmp_path, 100, seed=1)
    dataset = prepare(DataConfig(source="fineweb10B_sp1024"), tmp_path / "cache", train_tokens_needed=10)
    assert (dataset.vocab_size, dataset.train.total_tokens) == (300, 100)
    # A submission's script is told where the files lie, which may be more than a run reads: the data are the same.
    place = dataset.train.paths[0].parent
    (place / "fineweb_train_000001.bin").write_bytes(_shard(tmp_path, 100, seed=2))
    config = DataConfig(source="fineweb10B_sp1024")
    assert prepare_from(str(place), config).fingerprint == dataset.fingerprint
    assert prepare(DataConfig(source=str(place))).fingerprint != dataset.fingerprint, "a folder that is its own name"
    (place / "fineweb_val_000000.bin").write_bytes(_shard(tmp_path, 50, seed=3))
    assert prepare_from(str(place), config).fingerprint != dataset.fingerprint, "other text is other data"


def test_without_a_network_the_error_names_the_file_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ValueError, match=r"could not download vocab\.json .*prepare fineweb10B_gpt2 .*and copy "):
        prepare(DataConfig(source="fineweb10B_gpt2"), tmp_path / "cache", train_tokens_needed=10)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nonsense", "HF_ENDPOINT must be an address, as https://huggingface.co; HF_ENDPOINT is 'nonsense'"),
        ("http://me:secret@127.0.0.1:9", "; HF_ENDPOINT is 'http://...@127.0.0.1:9'"),
    ],
)
def test_the_address_of_another_hub_stands_in_the_error(tmp_path, monkeypatch, address, said) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ValueError) as refused:
        prepare(DataConfig(source="fineweb10B_gpt2"), tmp_path / "cache", train_tokens_needed=10)
    assert said in str(refused.value) and "secret" not in str(refused.value)


def test_a_file_that_the_hub_lacks_is_named(gpt2_hub: Hub, tmp_path: Path) -> None:
    del gpt2_hub.files[f"{GPT2}/fineweb_train_000001.bin"]
    with pytest.raises(ValueError, match=r"could not download fineweb_train_000001\.bin of kjj0/fineweb10B-gpt2"):
        prepare(DataConfig(source="fineweb10B_gpt2"), tmp_path / "cache", train_tokens_needed=10)

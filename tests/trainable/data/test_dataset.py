from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.text_bytes import text_bytes
from trainable.component_json import decode, encode
from trainable.data import shards, tokenizer
from trainable.data.dataset import DataConfig, TokenStream, batch
from trainable.data.preparation import cache_folder, known_vocab_size, prepare

WORDS = "the cat sat on the mat and the naïve dog ran off with a hat"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "text"
    folder.mkdir()
    for i in range(20):
        (folder / f"{i:02d}.txt").write_text(f"{i}: {WORDS}\n" * 3, encoding="utf-8")
    return folder


def _config(source: Path, **values: Any) -> DataConfig:
    return DataConfig(**{"source": str(source), "vocab_size": 280, "seq_len": 4, "batch_tokens": 8, **values})


def _stream(*lengths: int) -> TokenStream:
    ends = np.cumsum(lengths)
    parts = tuple(np.arange(end - n, end, dtype=np.uint16) for n, end in zip(lengths, ends, strict=True))
    return TokenStream(tuple(Path(f"{i}.bin") for i in range(len(parts))), parts, vocab_size=1000)


# --- config ----------------------------------------------------------------------------------------------------------


def test_the_vocabulary_is_known_beforehand_but_for_a_folder_of_shards(source: Path, tmp_path: Path) -> None:
    assert known_vocab_size(_config(source)) == known_vocab_size(DataConfig(vocab_size=280)) == 280
    assert known_vocab_size(DataConfig(source="fineweb10B_gpt2")) == 50_257
    (tmp_path / "some_train_000000.bin").touch()
    assert known_vocab_size(DataConfig(source=str(tmp_path))) is None


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"vocab_size": 256}, r"DataConfig\.vocab_size is 256 but must be 257"),
        ({"vocab_size": 65537}, r"DataConfig\.vocab_size is 65537"),
        ({"seq_len": 0}, r"DataConfig\.seq_len is 0"),
        ({"grad_accum_steps": 0}, r"DataConfig\.grad_accum_steps is 0"),
        ({"batch_tokens": 0}, r"DataConfig\.batch_tokens is 0"),
        ({"batch_tokens": 4096, "grad_accum_steps": 3}, "a positive multiple of seq_len \\* grad_accum_steps = 3072"),
        ({"source": ""}, r"DataConfig\.source is ''"),
    ],
)
def test_a_config_that_cannot_be_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DataConfig(**values)


def test_a_config_survives_its_json() -> None:
    config = DataConfig(source="fineweb10B_sp1024", grad_accum_steps=8)
    assert decode(encode(config)) == config


# --- the stream and its batches --------------------------------------------------------------------------------------


@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    position=st.integers(0, 200),
    count=st.integers(1, 100),
)
def test_the_stream_is_its_shards_end_to_end_again_and_again(lengths: list[int], position: int, count: int) -> None:
    stream = _stream(*lengths)
    assert stream.total_tokens == sum(lengths)
    assert stream.take(position, count).tolist() == [(position + i) % sum(lengths) for i in range(count)]


def test_batches_cover_the_stream_in_order_and_wrap() -> None:
    stream, config = _stream(10, 7, 12), DataConfig(seq_len=3, batch_tokens=6)
    position, inputs, targets = 0, [], []
    for _ in range(15):
        x, y, position = batch(stream, position, config)
        assert x.shape == y.shape == (2, 3) and x.dtype == y.dtype == torch.int64
        inputs += x.flatten().tolist()
        targets += y.flatten().tolist()
    assert position == 90
    assert inputs == [i % 29 for i in range(90)] and targets == [i % 29 for i in range(1, 91)]


def test_inputs_that_are_changed_in_place_leave_the_targets_alone() -> None:
    x, y, _ = batch(_stream(10), 0, DataConfig(seq_len=3, batch_tokens=6))
    x.zero_()
    assert y.flatten().tolist() == [1, 2, 3, 4, 5, 6]


def test_a_token_outside_the_vocabulary_names_its_shard() -> None:
    stream = TokenStream((Path("bad.bin"),), (np.array([1, 2, 300], dtype=np.uint16),), vocab_size=300)
    assert stream.take(0, 2).tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"bad\.bin: token 300 is beyond a vocabulary of 300"):
        stream.take(0, 3)


# --- text sources ----------------------------------------------------------------------------------------------------


def test_text_is_tokenised_with_a_marker_before_every_document(source: Path, tmp_path: Path) -> None:
    dataset = prepare(_config(source), tmp_path / "cache")
    tokens = dataset.train.take(0, dataset.train.total_tokens)
    bpe = tokenizer.Tokenizer.load(next((tmp_path / "cache").glob("*/tokenizer.json")))
    assert tokens[0] == dataset.validation[0] == bpe.bos
    assert (tokens == bpe.bos).sum() == 18 and (dataset.validation == bpe.bos).sum() == 2
    files = "".join(path.read_text(encoding="utf-8") for path in source.iterdir())
    read = text_bytes(bpe, tokens) + text_bytes(bpe, dataset.validation)
    assert sorted(read.decode().splitlines()) == sorted(files.splitlines())
    assert (dataset.vocab_size, bpe.vocab_size) == (280, 280)


def test_bytes_of_the_validation_stream_are_the_bytes_of_its_text(source: Path, tmp_path: Path) -> None:
    dataset = prepare(_config(source), tmp_path / "cache")
    bpe = tokenizer.Tokenizer.load(next((tmp_path / "cache").glob("*/tokenizer.json")))
    counted = dataset.bytes_of.count(dataset.validation[:-1], dataset.validation[1:]).sum()
    assert counted == len(text_bytes(bpe, dataset.validation))


def test_a_second_preparation_uses_the_first(source: Path, tmp_path: Path) -> None:
    said: list[str] = []
    first = prepare(_config(source), tmp_path / "cache", say=said.append)
    assert [line.split()[0] for line in said] == ["training", "tokenising", "prepared"]
    second = prepare(_config(source), tmp_path / "cache", say=said.append)
    assert len(said) == 3 and second.fingerprint == first.fingerprint


def test_the_fingerprint_is_of_text_and_vocabulary(source: Path, tmp_path: Path) -> None:
    prints = [prepare(_config(source), tmp_path / "a").fingerprint]
    assert prepare(_config(source), tmp_path / "b").fingerprint == prints[0]
    prints.append(prepare(_config(source, vocab_size=270), tmp_path / "a").fingerprint)
    (source / "00.txt").write_text("another text\n" * 3)
    prints.append(prepare(_config(source), tmp_path / "a").fingerprint)
    assert len(set(prints)) == 3


@pytest.mark.parametrize("name", ["data.json", "tokenizer.json", "text_train_000000.bin", "text_val_000000.bin"])
@pytest.mark.parametrize("damage", ["changed", "cut", "missing"])
def test_a_damaged_cache_is_told_and_prepared_again(source: Path, tmp_path: Path, name: str, damage: str) -> None:
    whole = prepare(_config(source), tmp_path / "cache")
    (path,) = (tmp_path / "cache").glob(f"*/{name}")
    data = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(data[:-1] + b"\x07" * (damage == "changed"))
    said: list[str] = []
    again = prepare(_config(source), tmp_path / "cache", say=said.append)
    assert "is unusable" in said[0] and name in said[0]
    assert again.fingerprint == whole.fingerprint
    assert prepare(_config(source), tmp_path / "cache", say=said.append) and len(said) == 4


def test_shards_are_cut_at_their_size_and_lose_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prepare(_config(source), tmp_path / "one")
    monkeypatch.setattr(shards, "TOKENS_PER_SHARD", 100)
    cut = prepare(_config(source), tmp_path / "many")
    assert len(cut.train.paths) > 3 and all(len(shard) == 100 for shard in cut.train.shards[:-1])
    total = whole.train.total_tokens
    assert cut.train.take(0, total).tolist() == whole.train.take(0, total).tolist()
    assert cut.validation.tolist() == whole.validation.tolist()


def test_a_source_too_small_to_hold_anything_out_is_refused_and_leaves_no_cache(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(ValueError, match=r"a\.txt"):
        prepare(_config(tmp_path / "a.txt", vocab_size=257), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_files_of_a_folder_that_are_no_text_and_empty_rows_are_told(source: Path, tmp_path: Path) -> None:
    (source / "picture.png").touch()
    (source / "rows.jsonl").write_text('{"text": ""}\n{"text": "a row"}\n')
    said: list[str] = []
    prepare(_config(source), tmp_path / "cache", say=said.append)
    assert "1 empty document left out" in said[-1]
    for _ in range(2):  # also where it is prepared already
        about = prepare(_config(source), tmp_path / "cache").description
        assert about.endswith("; 21 files read, left out 1 .png, 1 empty document left out")


def test_a_source_that_is_nothing_names_the_nearest_dataset(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither a file or folder nor a dataset: did you mean 'fineweb10B_sp1024'"):
        prepare(DataConfig(source="fineweb_sp1024"), tmp_path)


def test_a_cache_that_cannot_be_written_is_named(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"cannot write to the cache .*file.*set TUNER_CACHE"):
        prepare(_config(source), tmp_path / "file" / "cache")


def test_the_cache_folder_is_the_users_choice_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("TUNER_CACHE", raising=False)
    assert cache_folder() == tmp_path / "xdg" / "tuner"
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"


# --- several processes, and processes that die -----------------------------------------------------------------------

PREPARE = """
import os, signal, sys
from pathlib import Path
from trainable.data.dataset import DataConfig
from trainable.data.preparation import prepare

def say(line):
    print(line, flush=True)
    if line.startswith(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

print("ready", flush=True)
sys.stdin.readline()
config = DataConfig(source=sys.argv[1], vocab_size=280, seq_len=4, batch_tokens=8)
print("fingerprint", prepare(config, Path(sys.argv[2]), say=say).fingerprint)
"""


def _start(source: Path, cache: Path, die_at: str) -> subprocess.Popen[str]:
    """A process that has imported everything and prepares as soon as it is sent a line."""
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE, str(source), str(cache), die_at],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
    )


def test_two_processes_at_once_prepare_once(source: Path, tmp_path: Path) -> None:
    processes = [_start(source, tmp_path / "cache", die_at="never") for _ in range(2)]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum("tokenising" in output for output in outputs) == 1
    assert len({output.splitlines()[-1] for output in outputs}) == 1
    assert len(list((tmp_path / "cache").glob("text-*/data.json"))) == 1


@pytest.mark.parametrize("die_at", ["tokenising", "prepared"])
def test_a_killed_preparation_leaves_nothing_that_is_used(source: Path, tmp_path: Path, die_at: str) -> None:
    cache = tmp_path / "cache"
    killed = _start(source, cache, die_at)
    killed.communicate("go\n", timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert list(cache.glob("*.partial-*"))
    said: list[str] = []
    dataset = prepare(_config(source), cache, say=said.append)
    assert dataset.fingerprint == prepare(_config(source), tmp_path / "other").fingerprint
    assert said[0].startswith("training") and not list(cache.glob("*.partial-*"))


# --- folders of shards -----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shards"
    folder.mkdir()
    tokenizer.train_tokenizer([WORDS * 5], 280).save(folder / "tokenizer.json")
    shards.write(folder / "my_train_000000.bin", np.arange(100))
    shards.write(folder / "my_train_000001.bin", np.arange(100, 150))
    shards.write(folder / "my_val_000000.bin", np.arange(20))
    return folder


def test_a_folder_of_shards_is_read_as_it_is(folder: Path, tmp_path: Path) -> None:
    dataset = prepare(_config(folder), tmp_path / "cache")
    assert dataset.train.take(0, 150).tolist() == list(range(150))
    assert (dataset.validation.tolist(), dataset.vocab_size) == (list(range(20)), 280)
    assert "150 training tokens, 20 validation tokens" in dataset.description
    assert not (tmp_path / "cache").exists()


def test_several_validation_shards_are_one_stream(folder: Path) -> None:
    shards.write(folder / "my_val_000001.bin", np.arange(20, 30))
    assert prepare(_config(folder)).validation.tolist() == list(range(30))


def test_the_fingerprint_of_shards_sees_a_changed_token(folder: Path) -> None:
    before = prepare(_config(folder)).fingerprint
    shards.write(folder / "my_train_000001.bin", np.arange(101, 151))
    assert prepare(_config(folder)).fingerprint != before


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_folder_without_a_split_is_refused(folder: Path, split: str) -> None:
    for path in shards.shard_files(folder, split):
        path.unlink()
    with pytest.raises(ValueError, match=f"no shard of the {split} split"):
        prepare(_config(folder))


def test_validation_tokens_beyond_the_vocabulary_are_refused(folder: Path) -> None:
    shards.write(folder / "my_val_000000.bin", np.array([1, 280]))
    with pytest.raises(ValueError, match="validation token 280 is beyond a vocabulary of 280"):
        prepare(_config(folder))


def test_a_truncated_shard_of_a_folder_is_named(folder: Path) -> None:
    path = folder / "my_train_000001.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"my_train_000001\.bin holds .* cut short"):
        prepare(_config(folder))


# --- pre-tokenizers and passes ----------------------------------------------------------------------------------------


def test_another_pretokenizer_is_another_dataset_and_of_shards_an_error(source: Path, tmp_path: Path) -> None:
    for file in source.iterdir():
        file.write_text(file.read_text(encoding="utf-8") + "see https://cat.example/mat now\n" * 3, encoding="utf-8")
    cache = tmp_path / "cache"
    usual, apart = (prepare(_config(source, pretokenizer=name), cache) for name in ("bytelevel", "url_isolated"))
    assert usual.fingerprint != apart.fingerprint and len(list(cache.glob("text-*/data.json"))) == 2
    with pytest.raises(ValueError, match=r"pretokenizer is 'url_isolated' but must be bytelevel .*shards are cut"):
        prepare(_config(next(cache.glob("text-*/data.json")).parent, pretokenizer="url_isolated"), cache)


def test_a_pass_over_a_named_dataset_is_over_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        "trainable.data.preparation._from_download", lambda name, cache, tokens, say: asked.append(tokens)
    )
    for order in ("stream", "epochs"):
        prepare(DataConfig(source="fineweb10B_sp1024", order=order), tmp_path, train_tokens_needed=10)
    assert asked == [10, None]

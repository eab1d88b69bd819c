"""A look at data that prepares nothing refuses what a run refuses, in the same words, and leaves nothing behind."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainable.config import TrainConfig
from trainable.data import shards
from trainable.data.dataset import DataConfig
from trainable.data.plain_text import LONGEST_BLANK
from trainable.data.preparation import prepare, prepared
from trainable.data.text_size import TextSize
from trainable.evaluation.enough import check_enough
from trainable.evaluation.evaluate import EvaluationConfig
from tuner.plan.preflight import look

WORDS = "the cat sat on the mat and the naïve dog ran off with a hat\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "good.txt").write_text(WORDS * 50)
    return tmp_path / "texts"


def config_of(source: Path, vocab_size: int = 280, tokens: int | None = 8, **values) -> TrainConfig:
    data = DataConfig(source=str(source), vocab_size=vocab_size, seq_len=4, batch_tokens=8, **values)
    return replace(TrainConfig(), data=data, evaluation=EvaluationConfig(tokens=tokens, seq_len=4))


def planned(config: TrainConfig) -> str:
    """The refusal of a look, after which nothing is there that was not there before."""
    with pytest.raises(ValueError) as refused:
        look(config, None, lambda line: None)
    return str(refused.value)


def run(config: TrainConfig) -> str:
    """The refusal of a run, before Ray; no half-prepared data are left."""
    with pytest.raises(ValueError) as refused:
        check_enough(prepare(config.data), config)
    return str(refused.value)


# --- what stands in the files -----------------------------------------------------------------------------------------


def table(columns: dict[str, list]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue())


INSIDE = {  # beside a good text
    "JSON that ends in the middle": ("x.jsonl", b'{"text": "a"}\n{"text": "b', "line 2 is not JSON"),
    "no JSON": ("x.jsonl", b"text\n", "line 1 is not JSON"),
    "a list of objects": ("x.jsonl", b'[{"text": "a"}]', "line 1 has no field 'text'"),
    "a text that is a number": ("x.jsonl", b'{"text": 5}', "line 1 has the text 5 but it must be a string"),
    "a text that is a list": ("x.jsonl", b'{"text": ["a"]}', "line 1 has the text ['a']"),
    "a text under another name": ("x.jsonl", b'{"body": "a"}', "line 1 has no field 'text': valid fields: body"),
    "a text twice": ("x.jsonl", b'{"text": "a", "text": "b"}', "line 1 has the field 'text' twice"),
    "half a surrogate pair": ("x.jsonl", b'{"text": "a\\ud800b"}', "line 1 holds half a surrogate pair"),
    "gzip under another name": ("x.jsonl", gzip.compress(b"{}"), "begins as gzip does"),
    "bytes that are no UTF-8": ("x.md", b"caf\xe9", "is not UTF-8 text: byte 0xe9 at position 3"),
    "a binary file": ("x.txt", b"ab\0c", "holds a NUL byte at position 2"),
    "a cut table": ("x.parquet", table({"text": ["a"]})[:-20], "is not a Parquet file"),
    "a table of nothing": ("x.parquet", b"PAR1" + bytes(100) + b"PAR1", "is not a Parquet file"),
    "a table without texts": ("x.parquet", table({"Text": ["a"]}), "has no column 'text': did you mean 'Text'?"),
    "a nested column": ("x.parquet", table({"text": [["a"]]}), "row 1 has the text ['a']"),
    "a table of objects": ("x.parquet", table({"text": [{"text": "a"}]}), "row 1 has the text {'text': 'a'}"),
    "blanks without end": ("x.txt", b" " * (LONGEST_BLANK + 1), "more than 900,000 blanks in a row"),
}


@pytest.mark.parametrize("name", INSIDE)
def test_what_stands_in_files_is_refused_by_a_plan_as_by_a_run(folder: Path, cache: Path, name: str) -> None:
    file, content, words = INSIDE[name]
    (folder / file).write_bytes(content)
    said = planned(config_of(folder))
    assert words in said and str(folder / file) in said and not cache.exists()
    assert run(config_of(folder)) == said and "\n" not in said
    assert not cache.exists()


# --- texts without content --------------------------------------------------------------------------------------------

EMPTY = {  # the whole source
    "blanks": (" " * 5000, "holds nothing but 5,000 bytes of white space"),
    "white space of all kinds": (" \n\t\u00a0" * 500, "holds nothing but 2,500 bytes of white space"),
    "line ends": ("\r\n" * 500, "holds nothing but 1,000 bytes of white space"),
    "one byte": ("a", "is too small: nothing is left for the train split of its 1 byte of text"),
    "one character of several bytes": ("\u20ac", "is too small: nothing is left for the train split"),
    "blanks at the end": ("a cat " * 99 + " " * 900, "gives the val split nothing but"),
    "blanks up to the end": (" " * 9000 + "a cat " * 9, "gives the train split nothing but"),
}


@pytest.mark.parametrize("vocab_size", [257, 1024])
@pytest.mark.parametrize("name", EMPTY)
def test_a_text_without_content_never_reaches_the_tokenizer(tmp_path: Path, name: str, vocab_size: int) -> None:
    path = tmp_path / "x.txt"
    path.write_text(EMPTY[name][0], newline="")
    config = config_of(path, vocab_size)
    assert EMPTY[name][1] in planned(config) and run(config) == planned(config)


def test_rows_that_hold_nothing_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"text": ""}\n' * 30)
    assert "x.jsonl holds nothing but empty documents" in planned(config_of(tmp_path / "x.jsonl"))
    assert run(config_of(tmp_path / "x.jsonl")) == planned(config_of(tmp_path / "x.jsonl"))


@pytest.mark.parametrize("content", ["a" * 3000, "1 2 3 4 5 6 7 8 9 0", "ab" * 3000, "\u00e9" * 999])
def test_a_text_with_nothing_to_merge_names_the_vocabulary_that_fits(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.txt").write_text(content)
    said = run(config_of(tmp_path / "x.txt", vocab_size=1024))
    (fits,) = re.findall(r"the vocabulary cannot have 1,024 tokens: .*--set data.vocab_size=(\d+)$", said)
    assert prepare(config_of(tmp_path / "x.txt", vocab_size=int(fits)).data).vocab_size == int(fits)


# --- too little text --------------------------------------------------------------------------------------------------


def settings_of(said: str) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"--set evaluation\.(\w+)=(\d+)", said)}


@pytest.mark.parametrize(("tokens", "seq_len"), [(4096, 64), (4096, 4096), (None, 4096)])
def test_too_little_text_names_what_is_needed_and_settings_that_fit(folder: Path, tokens, seq_len) -> None:
    evaluation = EvaluationConfig(tokens=tokens, seq_len=seq_len)
    config = replace(config_of(folder), evaluation=evaluation)
    dataset = prepare(config.data)
    said = run(config)
    wanted = f"evaluation.tokens is {tokens:,}" if tokens else f"evaluation.seq_len is {seq_len:,}"
    assert said.startswith(f"{wanted} but the validation stream has only {len(dataset.validation) - 1:,} target tokens")
    assert planned(config) == said, "they are prepared: a plan knows as much"
    needed = int(re.findall(r"give about ([\d,]+) bytes of text", said)[0].replace(",", ""))
    assert f"(there are {len((WORDS * 50).encode()):,}, of which a tenth is held out)" in said
    check_enough(dataset, replace(config, evaluation=replace(evaluation, **settings_of(said))))
    (folder / "good.txt").write_text(WORDS * (needed // len(WORDS.encode()) + 2))
    check_enough(prepare(config.data), config)


def test_bytes_alone_tell_a_plan_of_too_little_text(folder: Path, cache: Path) -> None:
    said = planned(config_of(folder, tokens=100_000))
    assert re.match(r"evaluation.tokens is 100,000 but the \d+ bytes of validation text are at most \d+ target", said)
    assert re.search(r"give at least [\d,]+ bytes of text \(there are 3,050, of which a tenth", said)
    assert said.endswith(" or less") and not cache.exists()
    said = planned(config_of(folder, vocab_size=60_000))
    assert "the vocabulary cannot have 60,000 tokens: the text has at most" in said and "data.vocab_size=N" in said
    rows = replace(config_of(folder), evaluation=EvaluationConfig(seq_len=4, mainrun_rows=500))
    assert "evaluation.mainrun_rows is 500 of 4 tokens but the" in planned(rows)
    passes = config_of(folder, order="epochs")
    passes = replace(passes, data=replace(passes.data, batch_tokens=8000))
    assert planned(passes).startswith("data.batch_tokens is 8,000 but the")


def test_other_needs_of_a_run_are_refused_before_it_begins(folder: Path) -> None:
    dataset = prepare(config_of(folder).data)
    rows = replace(config_of(folder), evaluation=EvaluationConfig(seq_len=4, mainrun_rows=99_999))
    (fits,) = re.findall(r"mainrun_rows is 99999 .*--set evaluation.mainrun_rows=(\d+)$", run(rows))
    check_enough(dataset, replace(rows, evaluation=replace(rows.evaluation, mainrun_rows=int(fits))))
    passes = config_of(folder, order="epochs")
    long = replace(passes, data=replace(passes.data, batch_tokens=80_000))
    (fits,) = re.findall(r"a pass over the data has .*--set data.batch_tokens=(\d+)$", run(long))
    check_enough(dataset, replace(long, data=replace(long.data, batch_tokens=int(fits))))
    one = replace(passes, data=replace(passes.data, document_shuffle_prob=0.5))
    assert "has no markers between documents" in run(one), "one file is one document"
    for i in range(30):
        (folder / f"{i}.txt").write_text(WORDS)
    few = replace(one, data=replace(one.data, document_keep_frac=0.01))
    assert "document_keep_frac is 0.01, which keeps none of 28 documents: give more" in run(few)


def test_shards_that_are_too_little_say_how_long_a_split_must_be(folder: Path, tmp_path: Path) -> None:
    prepare(config_of(folder).data)
    (source,) = (path.parent for path in (tmp_path / "cache").glob("text-*/data.json"))
    said = run(config_of(source, tokens=5000))
    assert "give a validation split of at least 5,001 tokens, or --set evaluation.tokens=" in said
    assert planned(config_of(source, tokens=5000)) == said
    shards.write(source / "text_val_000000.bin", np.ones(5001))
    check_enough(prepare(config_of(source).data), config_of(source, tokens=5000))


# --- what a look leaves and says --------------------------------------------------------------------------------------


@pytest.fixture
def said() -> list[str]:
    return []


def test_a_text_that_is_fine_is_counted_and_what_only_a_run_can_tell_is_said(folder: Path, cache: Path, said) -> None:
    (folder / "rows.jsonl").write_text('{"text": ""}\n')
    assert look(config_of(folder), None, said.append) is None and not cache.exists()
    assert said == [
        f"reading {folder}",
        f"{folder}: 2,806 bytes of text for training, 244 for validation; 2 files read, 1 empty document left out; "
        "not checked, as a run must tokenise it first: that it gives a vocabulary of 280 tokens and 8 target tokens of "
        "validation text",
    ]


def test_data_that_are_prepared_are_opened_and_nothing_is_read_anew(folder: Path, said) -> None:
    dataset = prepare(config_of(folder).data)
    opened = look(config_of(folder), None, said.append)
    assert opened is not None and said == []
    assert (opened.fingerprint, opened.description) == (dataset.fingerprint, dataset.description)
    (folder / "good.txt").write_text(WORDS * 51)
    assert prepared(config_of(folder).data) is None, "the text is another now"


def test_a_source_is_read_once_for_several_looks(folder: Path, said) -> None:
    measured: dict[str, TextSize] = {}
    for vocab_size in (270, 280):
        look(config_of(folder, vocab_size), None, said.append, measured)
    assert sum(line.startswith("reading") for line in said) == 1 and len(said) == 3


def test_a_cache_that_cannot_be_written_is_refused_as_by_a_run(folder: Path, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "file" / "cache"))
    assert planned(config_of(folder)) == run(config_of(folder))
    assert "cannot write to the cache" in planned(config_of(folder))


def test_the_standard_library_is_left_to_the_run(cache: Path, said, monkeypatch) -> None:
    assert look(TrainConfig(), None, said.append) is None and not cache.exists()
    assert "not prepared on this machine yet" in said[0] and "a vocabulary of 1,024 tokens" in said[0]


def test_a_download_that_is_here_is_opened_and_a_damaged_one_is_left_to_the_run(cache: Path, monkeypatch) -> None:
    from trainable.data import hub

    asked: list[Callable] = []
    monkeypatch.setattr(hub, "reach", lambda *arguments: asked.append(arguments))
    name = "fineweb10B_gpt2"
    root = cache / "downloads" / name
    root.mkdir(parents=True)
    assert prepared(DataConfig(source=name), 10) is None
    (root / "vocab.json").write_text('{"a": 0, "<|endoftext|>": 1}')
    for split in ("val_000000", "train_000001"):
        shards.write(root / f"fineweb_{split}.bin", np.array([1, 0, 0, 0]))
    opened = prepared(DataConfig(source=name), 10)
    assert opened is not None and opened.vocab_size == 2 and opened.text_bytes is None
    (root / "fineweb_val_000000.bin").write_bytes(b"cut")
    assert prepared(DataConfig(source=name), 10) is None and (root / "fineweb_val_000000.bin").exists() and not asked

"""Data sets by name, each prepared from a hub on this machine and held against its campaign's rules."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import hub_server
from tests.hub_server import Hub, parquet, serving
from trainable.data import best_fit, climbmix, hacker_news, named, smollm_mixture
from trainable.data.dataset import DataConfig, batch
from trainable.data.hf_vocabulary import HFVocabulary
from trainable.data.preparation import check_source, prepare, prepared
from trainable.data.text_codec import check_known, codec_beside
from trainable.data.tokenizer import Tokenizer, train_tokenizer

TITLES = DataConfig(source="mainrun", vocab_size=330, order="epochs", seq_len=8, batch_tokens=16)
MIXTURE = DataConfig(source="speedrun", seq_len=16, batch_tokens=32)
PACKED = DataConfig(source="nanochat", vocab_size=300, seq_len=32, batch_tokens=64)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    with serving() as made:
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(hacker_news, "NUM_TITLES", 200)
        monkeypatch.setattr(smollm_mixture, "ROW", 16)
        monkeypatch.setattr(best_fit, "WAITING", 20)
        yield made


# --- mainrun ----------------------------------------------------------------------------------------------------------

# What `datasets` 5.2.0 gives: Dataset.from_dict({"i": range(37)}).shuffle(seed=1337)["i"][:7]
SHUFFLED = [26, 28, 12, 15, 34, 3, 23]


def test_the_titles_are_those_that_the_library_of_the_contest_draws(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hacker_news, "NUM_TITLES", 7)
    (tmp_path / "story.parquet").write_bytes(parquet({"title": [f" title {i}\t" for i in range(37)], "id": [0] * 37}))
    assert hacker_news.titles(tmp_path / "story.parquet") == [f"title {i}" for i in SHUFFLED]


def test_a_split_is_its_titles_with_the_separator_behind_each(hub: Hub) -> None:
    hub_server.hacker_news(hub, stories=260)
    dataset = prepare(TITLES, train_tokens_needed=10)
    folder = dataset.train.paths[0].parent
    titles = hacker_news.titles(folder.parent / "downloads" / "mainrun" / "story.parquet")
    vocabulary = HFVocabulary.load(folder / "tokenizer.json")
    ids = {name: i for i, (name, _) in enumerate(vocabulary.tokens)}
    assert (ids["<pad>"], ids["<eos>"], ids["<unk>"], dataset.vocab_size) == (0, 1, 2, 330)
    everything = dataset.train.take(0, dataset.train.total_tokens)
    for part, stream in ((titles[:180], everything), (titles[180:], dataset.validation)):
        assert ids["<unk>"] not in np.asarray(stream), (
            "the vocabulary is learnt on all titles: none of them lacks a token"
        )
        pieces = np.split(np.asarray(stream), np.flatnonzero(np.asarray(stream) == ids["<eos>"]) + 1)
        assert len(pieces.pop()) == 0  # the last token is a separator
        assert [vocabulary.text(piece) for piece in pieces] == [f" {title}" for title in part]
        assert dataset.characters is not None
        assert dataset.characters.count(np.asarray(stream)) == len("".join(f"{title}<eos>" for title in part))
        assert dataset.bytes_of.count(stream[:-1], stream[1:]).sum() + dataset.bytes_of.base_bytes[stream[0]] == len(
            "".join(part).encode()
        )


def test_what_occurs_in_no_title_has_no_token_and_is_named(tmp_path: Path) -> None:
    hacker_news.train_vocabulary(["a naïve cat"] * 9, 20).save(str(tmp_path / "tokenizer.json"))
    codec = codec_beside(tmp_path)
    assert not codec.is_whole and codec.unknown("a naïve cat") == []
    assert codec.unknown("a 学 cat, a 学 é") == ["学", ",", "é"]
    with pytest.raises(ValueError, match="--prompt has 'Q', 'B', which the vocabulary of the data has no tokens for"):
        check_known(codec, "QaB", "--prompt")


def test_web_addresses_may_be_kept_apart_without_a_space_before_a_title() -> None:
    texts = ["see HTTPS://a.b/c d", "see http://a.b/c e"] * 20
    vocabulary, plain = (hacker_news.train_vocabulary(texts, 33, rule) for rule in ("url_isolated", "bytelevel"))
    pieces = [
        [text for text, _ in made.pre_tokenizer.pre_tokenize_str("see http://a.b/c e")] for made in (vocabulary, plain)
    ]
    assert pieces == [["see", "Ġ", "http", "://", "a", ".", "b", "/", "c", "Ġe"], ["Ġsee", "Ġhttp", *pieces[0][3:]]]
    again = hacker_news.train_vocabulary(texts, 33, "url_isolated")
    assert again.to_str() == vocabulary.to_str()


def test_a_vocabulary_that_the_titles_cannot_fill_is_refused(hub: Hub) -> None:
    hub.files[f"{hub_server.STORIES}/story.parquet"] = parquet({"title": ["a b"] * 200})
    with pytest.raises(ValueError, match=r"cannot have 330 tokens: .*--set data\.vocab_size=\d+"):
        prepare(TITLES)


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [
        ({"title": ["a"] * 150}, "has 150 stories but the contest reads 200 titles"),
        ({"name": ["a"] * 300}, "is not the published file of stories"),
        ({"title": [None] * 300}, "has the title None but it must be a string"),
    ],
)
def test_another_file_than_the_published_one_is_refused(hub: Hub, columns: dict[str, Any], wrong: str) -> None:
    hub.files[f"{hub_server.STORIES}/story.parquet"] = parquet(columns)
    with pytest.raises(ValueError, match=wrong):
        prepare(TITLES)


# --- speedrun ---------------------------------------------------------------------------------------------------------

# Of 37 rows: .shuffle(seed=42).train_test_split(test_size=0.1, seed=42) of `datasets` 5.2.0
KEPT, HELD_OUT = [4, 0, 8, 7, 17, 2, 10, 3], [12, 28, 31, 23]


def test_the_mixture_is_shuffled_and_split_as_the_library_of_the_campaign_does() -> None:
    train, validation = smollm_mixture.splits(37)
    assert train[:8].tolist() == KEPT and validation.tolist() == HELD_OUT
    assert sorted([*train, *validation]) == list(range(37))


def test_the_mixture_has_its_shares_in_rows_of_joined_documents(hub: Hub, monkeypatch) -> None:
    hub_server.smollm(hub, documents=40, words=20)
    recipe = smollm_mixture.SmolLMMixture(name="speedrun", about="", first=smollm_mixture.SMOLLM_TOKENIZER, tokens=1500)
    monkeypatch.setitem(named.RECIPES, "speedrun", recipe)
    dataset = prepare(MIXTURE)
    import pyarrow.parquet as pq
    import tokenizers

    library = tokenizers.Tokenizer.from_str(hub_server.smollm_tokenizer().decode())
    rows = list[list[int]]()
    for name, wanted in (("fineweb-edu-dedup/train-00000-of-00234", 1050), ("cosmopedia-v2/train-00000-of-00104", 450)):
        file = hub.files[f"{hub_server.SMOLLM}/{name}.parquet"]
        joined = list[int]()
        for text in pq.read_table(io.BytesIO(file)).column("text").to_pylist():
            if len(joined) >= wanted:
                break
            joined += library.encode(text).ids
        assert len(joined) >= wanted
        rows += [joined[i : i + 16] for i in range(0, len(joined) - 15, 16)]
    train, validation = smollm_mixture.splits(len(rows))
    expected = [rows[i] for i in train]
    assert dataset.train.take(0, dataset.train.total_tokens).reshape(-1, 16).tolist() == expected
    assert dataset.validation.reshape(-1, 16).tolist() == [rows[i] for i in validation]
    assert "train-00001-of-00234.parquet" not in hub.served  # enough came from the first
    assert codec_beside(dataset.train.paths[0].parent).text(expected[0])


# --- nanochat ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def climbmix_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub_server.climbmix(hub, documents=60, words=20, last=8)
    monkeypatch.setattr(climbmix, "LAST", 8)
    return hub


def test_nanochats_rows_begin_with_a_document_and_are_packed_of_all_files_in_order(climbmix_hub: Hub) -> None:
    dataset = prepare(PACKED)
    bpe = Tokenizer.load(dataset.train.paths[0].parent / "tokenizer.json")
    assert dataset.vocab_size == 300 and bpe.bos == 291  # nine special tokens stand behind the merges
    import pyarrow.parquet as pq

    batches = []
    for number in range(8):
        table = pq.ParquetFile(io.BytesIO(climbmix_hub.files[f"{hub_server.CLIMBMIX}/shard_{number:05d}.parquet"]))
        texts = table.read().column("text").to_pylist()
        batches.append([bpe.encode_document(text) for text in texts])
    expected = [row.tolist() for row in best_fit.rows(batches, 33, 20)]
    rows = dataset.train.shards[0].reshape(-1, 33)
    assert rows.tolist() == expected and (rows[:, 0] == bpe.bos).all()
    assert (np.asarray(dataset.validation).reshape(-1, 33)[:, 0] == bpe.bos).all()
    inputs, targets, position = batch(dataset.train, 0, PACKED)
    assert position == 66 and inputs.tolist() == rows[:2, :-1].tolist() and targets.tolist() == rows[:2, 1:].tolist()


def test_nanochats_vocabulary_has_no_piece_of_three_digits_as_its_split_rule_has_it() -> None:
    texts = ["12345678 they'll go\n"] * 50
    own = train_tokenizer(texts, 276, pattern=climbmix.SPLIT, special=climbmix.SPECIAL).tokens
    gpt4 = train_tokenizer(texts, 268).tokens
    assert {b"12", b"34", b"56", b"78", b"'l"} <= set(own) and b"45" not in own
    assert {b"12", b"45", b"78"} <= set(gpt4) and b"34" not in gpt4


def test_more_tokens_are_the_same_and_some_behind_them_under_one_fingerprint(climbmix_hub: Hub) -> None:
    few = prepare(PACKED, train_tokens_needed=1000)
    first = few.train.take(0, few.train.total_tokens)
    assert few.train.total_tokens == 16 * 2 * 33  # 16 steps of two rows
    assert "shard_00007.parquet" in climbmix_hub.served  # for the vocabulary
    asked = len(climbmix_hub.asked)
    assert prepare(PACKED, train_tokens_needed=500).train.total_tokens == few.train.total_tokens
    more = prepare(PACKED, train_tokens_needed=3000)
    assert more.train.total_tokens == 47 * 2 * 33 and more.fingerprint == few.fingerprint
    assert more.train.take(0, len(first)).tolist() == first.tolist() and len(climbmix_hub.asked) == asked


def test_rows_of_another_length_are_other_data_of_the_same_vocabulary(climbmix_hub: Hub) -> None:
    one, other = (
        prepare(PACKED, train_tokens_needed=64),
        prepare(DataConfig(source="nanochat", vocab_size=300, seq_len=16, batch_tokens=64), train_tokens_needed=64),
    )
    assert one.fingerprint != other.fingerprint and other.train.row_tokens == 17
    folders = [dataset.train.paths[0].parent for dataset in (one, other)]
    assert folders[0] != folders[1]
    assert (folders[0] / "tokenizer.json").read_bytes() == (folders[1] / "tokenizer.json").read_bytes()
    by_path = prepare(DataConfig(source=str(folders[0]), seq_len=32, batch_tokens=64))
    assert by_path.train.row_tokens == 33


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"order": "epochs"}, "data.order is 'epochs' but must be 'stream' for nanochat"),
        ({"pretokenizer": "url_isolated"}, "nanochat has a rule of its own"),
    ],
)
def test_settings_that_contradict_the_recipe_are_refused_before_anything_is_asked(settings, wrong: str) -> None:
    config = DataConfig(source="nanochat", **settings)
    for ask in (prepare, prepared, check_source):
        with pytest.raises(ValueError, match=re.escape(wrong)):
            ask(config)


# --- all of them ------------------------------------------------------------------------------------------------------


def test_what_is_prepared_needs_no_network_and_what_is_damaged_is_made_again_of_what_was_downloaded(
    climbmix_hub: Hub, monkeypatch
) -> None:
    first = prepare(PACKED, train_tokens_needed=64)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert prepare(PACKED, train_tokens_needed=64).fingerprint == first.fingerprint
    opened = prepared(PACKED, 64)
    assert opened is not None and opened.fingerprint == first.fingerprint and check_source(PACKED, 64) == ""
    others = DataConfig(source="nanochat", vocab_size=300, seq_len=16, batch_tokens=64)
    line = check_source(others, 64, download_now=True)
    assert "about 9 files, 900 MB, all of them here" in line
    assert "is downloaded but not prepared on this machine yet: that comes first, and needs no network unless" in line
    assert prepare(others, train_tokens_needed=64).train.row_tokens == 17
    path = first.train.paths[0]
    path.write_bytes(path.read_bytes()[:-2])
    assert prepared(PACKED, 64) is None
    said: list[str] = []
    assert prepare(PACKED, train_tokens_needed=64, say=said.append).fingerprint == first.fingerprint
    assert "unusable" in said[0] and not any("downloading" in line for line in said)


@pytest.mark.parametrize(("config", "words"), [
    (TITLES, ["mainrun (100,000 titles of julien040/hacker-news-posts: 1 file, 426 MB", "BPE of 330 tokens"]),
    (MIXTURE, ["speedrun (a billion tokens of HuggingFaceTB/smollm-corpus", "49,152 tokens"]),
    (PACKED, ["nanochat (karpathy/climbmix-400b-shuffle: about 9 files, 900 MB", "of 300 tokens, learnt by rustbpe"]),
    (DataConfig(source="fineweb10B_gpt2"), ["kjj0/fineweb10B-gpt2: 3 files, 400 MB", "vocabulary of 50,257"]),
])  # fmt: skip
def test_a_plan_names_source_size_and_vocabulary_and_offline_one_line_says_how_to_prepare_ahead(
    config: DataConfig, words: list[str], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    line = check_source(config, 64)
    assert all(word in line for word in words) and "needs a network" in line
    for ask in (lambda: check_source(config, 64, download_now=True), lambda: prepare(config, train_tokens_needed=64)):
        with pytest.raises(ValueError, match=r"could not download .*python -m trainable\.data prepare ") as error:
            ask()
        assert "\n" not in str(error.value)
    assert not [*tmp_path.rglob("*")]

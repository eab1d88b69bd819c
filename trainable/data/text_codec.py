"""Text to tokens and back, by the vocabulary that lies beside a folder of shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from trainable.data.hf_vocabulary import HFVocabulary
from trainable.data.lossless import NEVER_IN_UTF8
from trainable.data.tokenizer import FILE_NAME, Tokenizer, is_own_format
from trainable.data.vocabulary_files import check_sentencepiece, vocabulary_file

SHOWN = 8  # characters in a message


class TextCodec(Protocol):
    """A vocabulary that has both directions."""

    @property
    def is_whole(self) -> bool:
        """Tell whether there are tokens for every character there is."""

    def unknown(self, text: str) -> list[str]:
        """Characters of a text that the vocabulary has no tokens for, each once, in their order."""

    @property
    def start(self) -> int | None:
        """The token before a document; None where the vocabulary has none."""

    def ids(self, text: str) -> list[int]:
        """Tokens of a text, without the one before a document."""

    def text(self, ids: Sequence[int]) -> str:
        """The text of some tokens; bytes that are no UTF-8 become the replacement character."""


class ByteLevelCodec:
    """Our own byte-level BPE."""

    def __init__(self, bpe: Tokenizer) -> None:
        self.bpe = bpe

    @property
    def start(self) -> int | None:
        return self.bpe.bos

    @property
    def is_whole(self) -> bool:
        return True  # it has all bytes

    def unknown(self, text: str) -> list[str]:
        return []

    def ids(self, text: str) -> list[int]:
        return [int(i) for i in self.bpe.encode(text)]

    def text(self, ids: Sequence[int]) -> str:
        return b"".join(self.bpe.tokens[i] for i in ids if i < len(self.bpe.tokens)).decode(errors="replace")


class HFCodec:
    """A tokenizer.json of the library tokenizers."""

    def __init__(self, vocabulary: HFVocabulary) -> None:
        self.vocabulary = vocabulary

    @property
    def start(self) -> int | None:
        return self.vocabulary.start

    @property
    def is_whole(self) -> bool:
        return self.vocabulary.single_bytes.issuperset({*range(256)} - NEVER_IN_UTF8)

    def unknown(self, text: str) -> list[str]:
        known = self.vocabulary.single_bytes
        rare = [character for character in dict.fromkeys(text) if not known.issuperset(character.encode())]
        return [character for character in rare if character not in self.text(self.ids(character))]  # or a token's own

    def ids(self, text: str) -> list[int]:
        return [int(i) for i in self.vocabulary.encode(text)]

    def text(self, ids: Sequence[int]) -> str:
        return self.vocabulary.text(ids)


class SentencePieceCodec:
    """A SentencePiece model."""

    def __init__(self, path: Path) -> None:
        check_sentencepiece(path)
        import sentencepiece

        self.model: Any = sentencepiece.SentencePieceProcessor()
        self.model.Load(str(path))

    @property
    def start(self) -> int | None:
        found = int(self.model.bos_id())
        return None if found < 0 else found

    @property
    def is_whole(self) -> bool:
        return not self.unknown("\U0010fffd")  # by its bytes, or not at all

    def unknown(self, text: str) -> list[str]:
        none = self.model.unk_id()
        return [character for character in dict.fromkeys(text) if none in self.model.encode(character)]

    def ids(self, text: str) -> list[int]:
        return [int(i) for i in self.model.encode(text)]

    def text(self, ids: Sequence[int]) -> str:
        return str(self.model.decode(list(ids)))


def check_known(codec: TextCodec, text: str, what: str) -> None:
    """Raise a ValueError for characters that have no tokens: the model would get something else in their place."""
    if lacking := codec.unknown(text):
        shown = ", ".join(map(repr, lacking[:SHOWN])) + (", ..." if len(lacking) > SHOWN else "")
        raise ValueError(f"{what} has {shown}, which the vocabulary of the data has no tokens for")


def codec_beside(folder: Path) -> TextCodec:
    """The codec of the shards in a folder. A ValueError where their vocabulary cannot turn text into tokens."""
    file = vocabulary_file(folder)
    if file is not None and file.name == FILE_NAME:
        return ByteLevelCodec(Tokenizer.load(file)) if is_own_format(file) else HFCodec(HFVocabulary.load(file))
    if file is not None and file.suffix == ".model":
        return SentencePieceCodec(file)
    raise ValueError(
        f"the vocabulary beside the shards in {folder} lists tokens but not how text is cut into them: text is written "
        f"with a {FILE_NAME} or a SentencePiece .model"
    )

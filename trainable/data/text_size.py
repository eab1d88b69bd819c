"""Size of the text that a source gives to each split, and the checks on it: a look that needs no tokenizer.

A byte-level token stands for one byte at least, so that bytes bound tokens from above. A run and a plan (``--dry-run``)
read the text by the same function, and so refuse the same in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from terminal.counted import counted

from trainable.data.text import TextSource


@dataclass
class SplitSize:
    """Size of one split of a source: training or validation."""

    documents: int = 0
    bytes: int = 0
    has_content: bool = False  # something else than white space

    @property
    def most_tokens(self) -> int:
        """Bound the tokens from above: the bytes, and a marker before each document."""
        return self.bytes + self.documents


@dataclass
class TextSize:
    """Size of a source's text, by split."""

    train: SplitSize = field(default_factory=SplitSize)
    validation: SplitSize = field(default_factory=SplitSize)
    empty: int = 0  # documents without text, which are left out

    @property
    def bytes(self) -> int:
        return self.train.bytes + self.validation.bytes


def measure(source: TextSource) -> TextSize:
    """Read all of a source. A ValueError for what is no text, and for a split that holds nothing to learn or score."""
    size = TextSize()
    for document in source.documents():
        if not document.text:
            size.empty += 1
            continue
        split = size.validation if document.held_out else size.train
        split.documents += 1
        split.bytes += len(document.text.encode())
        split.has_content = split.has_content or not document.text.isspace()
    if not (size.train.has_content or size.validation.has_content):
        there = f"{counted(size.bytes, 'byte')} of white space" if size.bytes else "empty documents"
        raise ValueError(f"{source.name} holds nothing but {there}: there is no text to learn from")
    for name, split in (("train", size.train), ("val", size.validation)):
        if not split.documents:
            raise ValueError(
                f"{source.name} is too small: nothing is left for the {name} split of its "
                f"{counted(size.bytes, 'byte')} of text, of which a tenth is held out; give more text"
            )
        if not split.has_content:
            raise ValueError(
                f"{source.name} gives the {name} split nothing but {counted(split.bytes, 'byte')} of white space; a "
                "tenth of the text is held out: by names of ten or more files, every tenth document of fewer, or the "
                "end of one"
            )
    return size

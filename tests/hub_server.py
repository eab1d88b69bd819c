"""A small Hugging Face hub on this machine, with little files in the form of those that the campaigns read.

It speaks what a download needs: HEAD and GET of ``resolve`` with the digest of large files (X-Linked-Etag), a redirect
to where the bytes are, ranges, and the API's list of a folder. By hand:

    python -m tests.hub_server [PORT]    # prints HF_ENDPOINT=http://127.0.0.1:PORT and serves until Ctrl-C
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from terminal.command_line import OneLineParser
from terminal.option_numbers import whole_number

CLIMBMIX = "datasets/karpathy/climbmix-400b-shuffle"
STORIES = "datasets/julien040/hacker-news-posts"
SMOLLM = "datasets/HuggingFaceTB/smollm-corpus"
GPT2 = "datasets/kjj0/fineweb10B-gpt2"
SP1024 = "datasets/willdepueoai/parameter-golf"


@dataclass
class Hub:
    """The files of a hub by ``repository/path``, and what was asked of it."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, range
    cut_at: int | None = None  # bytes after which the next body breaks off; once
    lies: set[str] = field(default_factory=set)  # files that come with other bytes than their digest says

    @property
    def served(self) -> list[str]:
        """The names of the files whose bytes were sent, in order."""
        return [path.rpartition("/")[2] for method, path, _ in self.asked if method == "GET" and "/bytes/" in path]


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        self.hub.asked.append((self.command, f"/{path}", self.headers.get("Range", "")))
        if path.startswith("api/"):
            self._list(path)
        elif path.startswith("bytes/"):
            self._bytes(path.removeprefix("bytes/"))
        else:
            self._resolve(path.replace("/resolve/main/", "/"))

    def _resolve(self, name: str) -> None:
        """A large file's answer: its digest and size, and the place of its bytes."""
        body = self.hub.files.get(name)
        if body is None:
            self._send(404, {"X-Error-Code": "EntryNotFound"})
            return
        self._send(
            302,
            {
                "Location": f"{self.hub.address.replace('127.0.0.1', 'localhost')}/bytes/{name}",  # another host
                "X-Repo-Commit": "c" * 40,
                "X-Linked-Etag": f'"{hashlib.sha256(body).hexdigest()}"',
                "X-Linked-Size": str(len(body)),
                "ETag": '"of the redirect"',
            },
        )

    def _bytes(self, name: str) -> None:
        body = self.hub.files[name]
        if name in self.hub.lies:
            body = bytes([body[0] ^ 1]) + body[1:]
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        headers = {"Content-Length": str(len(body) - start)}
        if asked:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        self._send(206 if asked else 200, headers, body[start:])

    def _list(self, path: str) -> None:
        found = re.fullmatch(r"api/(datasets/[^/]+/[^/]+)/tree/main/?(.*)", path)
        if found is None:
            self._send(404, {})
            return
        folder = f"{found[1]}/{found[2]}/" if found[2] else f"{found[1]}/"
        entries: list[dict[str, Any]] = [
            {"type": "file", "oid": "0" * 40, "size": len(body), "path": name.removeprefix(f"{found[1]}/")}
            for name, body in self.hub.files.items()
            if name.startswith(folder)
        ]
        body = json.dumps(entries).encode()
        self._send(200, {"Content-Type": "application/json", "Content-Length": str(len(body))}, body)

    def _send(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.hub.cut_at is not None and len(body) > self.hub.cut_at:
            self.wfile.write(body[: self.hub.cut_at])
            self.hub.cut_at = None
            self.close_connection = True
            return
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving(port: int = 0) -> Iterator[Hub]:
    """A hub at a free port of this machine."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


_SYLLABLES = [a + b + c for a in "bdfglmnprst" for b in "aeiou" for c in ("", "n", "r")]
WORDS = ["the", "of", "and", "naïve", "café", "1984", "2,048", "it's", "they'll"]
WORDS += [a + b for a in _SYLLABLES[::3] for b in _SYLLABLES[::2]]


def texts(count: int, words: int, seed: int) -> list[str]:
    """Made-up texts of about so many words each."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        chosen = draw.choices(WORDS, k=draw.randrange(1, 2 * words))
        made.append(" ".join(w + draw.choice(["", "", "", "s", "ed", ",", ".\n"]) for w in chosen))
    return made


def parquet(columns: dict[str, list[Any]], rows_a_group: int = 1000) -> bytes:
    """A Parquet file of some columns."""
    kept = io.BytesIO()
    pq.write_table(pa.table(columns), kept, row_group_size=rows_a_group)
    return kept.getvalue()


def shard(vocab_size: int, tokens: int, seed: int) -> bytes:
    """A token shard of the layout of FineWeb's, of tokens of which the small ones are frequent."""
    header = np.zeros(256, dtype="<i4")
    header[:3] = 20240520, 1, tokens
    drawn = vocab_size * np.random.default_rng(seed).random(tokens) ** 3
    return header.tobytes() + drawn.astype("<u2").tobytes()


def climbmix(hub: Hub, documents: int = 400, words: int = 60, training_files: int = 8, last: int = 6542) -> None:
    """nanochat's files: some for training, and the last one, which is held out."""
    for number in (*range(training_files), last):
        made = texts(1500 if number == last == 6542 else documents, words, seed=number)
        hub.files[f"{CLIMBMIX}/shard_{number:05d}.parquet"] = parquet({"text": made}, rows_a_group=300)


def hacker_news(hub: Hub, stories: int = 100_100) -> None:
    """The file of stories."""
    titles = [f" {text} " for text in texts(stories, 4, seed=1)]
    columns = {"id": list(range(stories)), "title": titles, "url": [""] * stories, "score": [1] * stories}
    hub.files[f"{STORIES}/story.parquet"] = parquet(columns, rows_a_group=50_000)


def smollm(hub: Hub, documents: int = 3000, words: int = 60) -> None:
    """Two files of one part, one of the other, and a small tokenizer of SmolLM's form."""
    for name, seed in (
        ("fineweb-edu-dedup/train-00000-of-00234", 10),
        ("fineweb-edu-dedup/train-00001-of-00234", 11),
        ("cosmopedia-v2/train-00000-of-00104", 12),
    ):
        hub.files[f"{SMOLLM}/{name}.parquet"] = parquet({"text": texts(documents, words, seed), "id": [0] * documents})
    hub.files["HuggingFaceTB/SmolLM2-135M/tokenizer.json"] = smollm_tokenizer()


def smollm_tokenizer(vocab_size: int = 600) -> bytes:
    """A tokenizer.json of SmolLM's form: digits for themselves, byte level, no space put before a text."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers

    made = tokenizers.Tokenizer(models.BPE())
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts(500, 60, seed=20), trainer)
    return made.to_str().encode()


def gpt2_vocabulary(extra: int = 0) -> bytes:
    """GPT-2's vocab.json with the single bytes, some longer tokens and the end of text."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    alphabet = [chr(b) for b in printable] + [chr(256 + n) for n in range(256 - len(printable))]
    longer = [f"{a}{b}" for a in alphabet for b in alphabet][:extra]
    return json.dumps({token: i for i, token in enumerate([*alphabet, *longer, "<|endoftext|>"])}).encode()


def fineweb(hub: Hub, tokens: int = 700_000) -> None:
    """Shards of both exports of FineWeb, and their vocabularies."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts(500, 60, seed=30)),
        model_writer=model,
        vocab_size=340,
        model_type="bpe",
        byte_fallback=True,
        minloglevel=2,
    )
    hub.files[f"{SP1024}/datasets/tokenizers/fineweb_1024_bpe.model"] = model.getvalue()
    for split, number in (("val", 0), ("train", 0), ("train", 1)):  # a run of its campaign reads into the second
        path = f"{SP1024}/datasets/datasets/fineweb10B_sp1024/fineweb_{split}_{number:06d}.bin"
        hub.files[path] = shard(340, tokens, seed=number + len(split))
    hub.files["openai-community/gpt2/vocab.json"] = gpt2_vocabulary(extra=743)
    for split, number in (("val", 0), ("train", 1)):
        hub.files[f"{GPT2}/fineweb_{split}_{number:06d}.bin"] = shard(1000, tokens, seed=number + len(split))


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; exit code 2 and one line for a port that cannot be had."""
    parser = OneLineParser(prog="python -m tests.hub_server", description="Serve small files in the form of the hub's.")
    parser.add_argument("port", nargs="?", type=whole_number(0, 65_535), default=0, help="default: a free one")
    options = parser.parse_args(arguments)
    try:
        with serving(options.port) as hub:
            for fill in (climbmix, hacker_news, smollm, fineweb):
                fill(hub)
            print(f"HF_ENDPOINT={hub.address}", flush=True)
            threading.Event().wait()
    except OSError as error:
        return parser.refuse(ValueError(f"port {options.port} cannot be had: {error.strerror}"))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

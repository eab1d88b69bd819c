"""A bucket on this machine: as much of S3 as campaigns use, over real HTTP. ``python s3_server.py PORT_FILE`` serves
until it is killed; the bucket is called ``bucket`` and dies with the process.

(moto would do; but every botocore asks for an older dateutil than the one that is pinned.)
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "bucket"
READ_ONLY_KEY = "reader"  # whoever signs with this access key may not write


class Handler(BaseHTTPRequestHandler):
    """The requests that pyarrow makes, each under one lock."""

    protocol_version = "HTTP/1.1"
    objects: dict[str, tuple[bytes, float]] = {}  # noqa: RUF012
    lock = threading.Lock()

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""

    def answer(self, code: int, body: bytes = b"", size: int | None = None, **headers: str) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body) if size is None else size), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, code: int, name: str) -> None:
        body = f"<Error><Code>{name}</Code><Message>{name}, says the server of the tests</Message></Error>"
        self.answer(code, b"" if self.command == "HEAD" else body.encode(), Content_Type="application/xml")

    def body(self) -> bytes:
        """Without the framing of HTTP's chunks, nor that of S3's own within them."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            content = b"".join(chunks(self.rfile))
        else:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            content = b"".join(chunks(io.BytesIO(content)))
        return content

    def handle_any(self) -> None:
        content = self.body()
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        if bucket != BUCKET:
            self.refuse(404, "NoSuchBucket")
        elif self.command in ("PUT", "POST", "DELETE") and f"Credential={READ_ONLY_KEY}/" in str(self.headers):
            self.refuse(403, "AccessDenied")
        else:
            query = parse_qs(url.query, keep_blank_values=True)
            with self.lock:
                getattr(self, f"do_{self.command.lower()}")(key, query, content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815

    def do_put(self, key: str, query: dict[str, list[str]], content: bytes) -> None:
        self.objects[key] = (content, time.time())
        self.answer(200, ETag=f'"{hashlib.md5(content).hexdigest()}"')

    def do_delete(self, key: str, query: dict[str, list[str]], content: bytes) -> None:
        self.objects.pop(key, None)
        self.answer(204)

    def do_post(self, key: str, query: dict[str, list[str]], content: bytes) -> None:
        assert "delete" in query, query
        for name in re.findall(r"<Key>(.*?)</Key>", content.decode()):
            self.objects.pop(name, None)
        self.answer(200, b"<DeleteResult></DeleteResult>", Content_Type="application/xml")

    def do_head(self, key: str, query: dict[str, list[str]], content: bytes) -> None:
        self.do_get(key, query, content)

    def do_get(self, key: str, query: dict[str, list[str]], content: bytes) -> None:
        if not key:
            self.list_objects(query)
            return
        if key not in self.objects:
            self.refuse(404, "NoSuchKey")
            return
        whole, at = self.objects[key]
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        body = whole[int(part[1]) : int(part[2]) + 1 if part[2] else None] if part else whole
        headers = {"Last_Modified": formatdate(at, usegmt=True), "ETag": f'"{hashlib.md5(whole).hexdigest()}"'}
        if part:
            headers["Content_Range"] = f"bytes {part[1]}-{int(part[1]) + len(body) - 1}/{len(whole)}"
        self.answer(206 if part else 200, b"" if self.command == "HEAD" else body, len(body), **headers)

    def list_objects(self, query: dict[str, list[str]]) -> None:
        prefix, delimiter = (query.get(name, [""])[0] for name in ("prefix", "delimiter"))
        keys, folders = [], set()
        for key in sorted(name for name in self.objects if name.startswith(prefix)):
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            if found:
                folders.add(prefix + head + found)
            else:
                keys.append(key)
        stamp = lambda at: time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))  # noqa: E731
        body = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key][0])}</Size>"
            f"<LastModified>{stamp(self.objects[key][1])}</LastModified></Contents>"
            for key in keys
        ) + "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in sorted(folders))
        count = f"<KeyCount>{len(keys) + len(folders)}</KeyCount><IsTruncated>false</IsTruncated>"
        whole = (
            f"<ListBucketResult><Name>{BUCKET}</Name><Prefix>{escape(prefix)}</Prefix>{count}{body}</ListBucketResult>"
        )
        self.answer(200, whole.encode(), Content_Type="application/xml")


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of ``SIZE[;...] BYTES SIZE[;...] BYTES ... 0 [trailers]``, each on lines of its own."""
    while size := int(file.readline().partition(b";")[0], 16):
        yield file.read(size)
        file.readline()
    while file.readline().strip():
        pass


def main() -> None:
    """Serve on a free port, which is written to the file that is named on the command line."""
    parser = argparse.ArgumentParser(description="Serve a bucket on this machine.")
    parser.add_argument("file", type=Path, metavar="PORT_FILE", help="to which the port is written")
    file = parser.parse_args().file
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    file.with_suffix(".new").write_text(str(server.server_address[1]))
    os.replace(file.with_suffix(".new"), file)
    server.serve_forever()


if __name__ == "__main__":
    main()

"""Files of an object store, through pyarrow's file systems: S3, Google Cloud and Azure are built into them, and pandas
opens the same URLs by them. Any other protocol is fsspec's, where the package that it needs is installed.

A put is whole or nothing: bytes are written at once, never appended, and nothing depends on a rename.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from pyarrow import fs

from storage.location import Url
from storage.waiting import waiting

T = TypeVar("T")

S3_ATTEMPTS = 5  # of a request that failed in a way that may pass
_NOISE = re.compile(r"\?\S*=\S*| \(Request ID: \S*\)")  # a query may be signed
_BY_URL = ("gs", "gcs", "abfs", "abfss")  # pyarrow makes these from the URL alone


class TooLargeError(OSError):
    """A file holds more bytes than whoever reads it takes."""

    def __init__(self, place: Path | Url, size: int, most_bytes: int) -> None:
        super().__init__(errno.EFBIG, f"it holds {size:,} bytes but may hold at most {most_bytes:,}", str(place))


@contextmanager
def failing_as_oserror(url: Url) -> Iterator[None]:
    """Turn what a store raises into an OSError with one line that names the place and holds no secret."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(2, "No such file", str(url)) from None
    except Exception as error:
        line = (str(error).splitlines() or [repr(error)])[0]
        raise OSError(f"{url}: {_NOISE.sub('', line)}") from error


def file_system(url: Url) -> tuple[fs.FileSystem, str]:
    """The file system of a URL, and its path there. A ValueError for a protocol that nothing here speaks."""
    rest = url.text.partition("://")[2]
    if url.scheme in _BY_URL:
        return _by_url(url.scheme, rest.partition("/")[0]), _azure_path(rest)
    return (_s3(rest.partition("/")[0]) if url.scheme == "s3" else _fsspec(url.scheme)), rest


@lru_cache
def _s3(bucket: str) -> fs.FileSystem:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    scheme, _, host = endpoint.rpartition("://")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region is None and not endpoint:
        region = fs.resolve_s3_region(bucket)
    options: dict[str, Any] = {  # its stubs do not know all of them
        "region": region,
        "scheme": scheme or "https",
        "endpoint_override": host or None,
        "connect_timeout": 5,
        "allow_delayed_open": True,  # one request for a small file instead of three
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=S3_ATTEMPTS),
    }
    return fs.S3FileSystem(**options)


@lru_cache
def _by_url(scheme: str, bucket: str) -> fs.FileSystem:
    return fs.FileSystem.from_uri(f"{scheme}://{bucket}/")[0]


def _azure_path(rest: str) -> str:
    """``container@account.dfs.core.windows.net/path`` -> ``container/path``; a bucket's path stays."""
    host, slash, path = rest.partition("/")
    return f"{host.partition('@')[0]}{slash}{path}"


@lru_cache
def _fsspec(scheme: str) -> fs.FileSystem:
    import fsspec
    from fsspec.registry import known_implementations

    try:
        found = fsspec.filesystem(scheme, use_listings_cache=False)  # others write there too
    except ImportError as error:
        needs = known_implementations.get(scheme, {}).get("err", str(error))
        raise ValueError(f"{scheme}:// cannot be used here: {needs}") from None
    except ValueError:
        raise ValueError(f"{scheme}:// is no known kind of storage: s3, gs and abfs are, and what fsspec has") from None
    handler: Any = fs.FSSpecHandler
    return fs.PyFileSystem(handler(found))


def read(url: Url, most_bytes: int | None = None) -> bytes:
    """The content of a file; a TooLargeError for one of more than ``most_bytes``."""

    def content() -> bytes | int:
        system, path = file_system(url)
        with failing_as_oserror(url), system.open_input_file(path) as file:  # a stream would ask for it in pieces
            size = 0 if most_bytes is None else int(file.size())
            return bytes(file.read()) if most_bytes is None or size <= most_bytes else size

    found = _asked(url, content)
    if isinstance(found, bytes):
        return found
    assert most_bytes is not None
    raise TooLargeError(url, found, most_bytes)


def write(url: Url, content: bytes | pa.Buffer) -> None:
    """Put a whole file."""

    def put() -> None:
        system, path = file_system(url)
        with failing_as_oserror(url), system.open_output_stream(path) as file:
            file.write(content)

    _asked(url, put)


def names(url: Url) -> list[str]:
    """Names in a folder; none where there is none."""

    def found() -> list[str]:
        system, path = file_system(url)
        with failing_as_oserror(url):
            return [each.base_name for each in system.get_file_info(fs.FileSelector(path, allow_not_found=True))]

    return _asked(url, found)


def info(url: Url) -> fs.FileInfo:
    """Return what the store says of a file or folder."""

    def found() -> fs.FileInfo:
        system, path = file_system(url)
        with failing_as_oserror(url):
            return system.get_file_info(path)

    return _asked(url, found)


def remove(url: Url, folder: bool = False) -> None:
    """Remove a file, or a folder with all that is in it, if it is there."""

    def gone() -> None:
        system, path = file_system(url)
        with suppress(FileNotFoundError), failing_as_oserror(url):
            (system.delete_dir if folder else system.delete_file)(path)

    _asked(url, gone)


def _asked(url: Url, work: Callable[[], T]) -> T:
    """Return what a request to the store of a URL returns; an OSError where that does not answer."""
    scheme, _, rest = url.text.partition("://")
    return waiting(f"{scheme}://{rest.partition('/')[0]}", work)

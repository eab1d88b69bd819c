"""Files of the Hugging Face hub: whole or absent, resumed where a download broke off, held against the hub's SHA-256.

The hub's own client begins a broken download anew, and does not look at the digest that the hub gives. So its client is
asked for addresses and bytes, and what comes is kept beside the file until it is whole. ``HF_ENDPOINT`` names another
hub, ``HF_TOKEN`` opens what needs an account.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terminal.size import size

from trainable.data.network_failure import NotDownloadedError, network_reason
from trainable.data.new_folder import made_folder
from trainable.data.prepared_folder import Say


@dataclass(frozen=True)
class HubFile:
    """A file of a repository on the hub."""

    repository: str
    path: str  # in the repository, and below the folder it is downloaded to
    kind: str = "dataset"  # of the repository; or model


def reach(file: HubFile, root: Path, advice: str) -> None:
    """Ask for a file's header once; a NotDownloadedError that gives ``advice`` where the hub does not answer."""
    with _one_clear_error(file, root, advice):
        _metadata(file)


def fetch(missing: list[HubFile], root: Path, say: Say, alone: bool, advice: str) -> None:
    """Download files into ``root``. A NotDownloadedError that gives ``advice`` where one cannot be had.

    ``alone``: no other process downloads into ``root`` meanwhile. Only then is what a broken download left behind used.
    """
    for number, file in enumerate(missing, start=1):
        with _one_clear_error(file, root, advice):
            _download(file, root, say, alone, f"({number} of {len(missing)})")


def listing(repository: str, folder: str, ending: str, root: Path, advice: str) -> list[HubFile]:
    """The files of a data set's folder with such an ending, by name, as the hub lists them."""
    from huggingface_hub import HfApi

    with _one_clear_error(HubFile(repository, folder), root, advice):
        tree = HfApi(endpoint=_endpoint()).list_repo_tree(repository, folder or None, repo_type="dataset")
        paths = sorted(entry.path for entry in tree if entry.path.endswith(ending))
        if not paths:
            raise ValueError(f"it lists no {ending} there")
    return [HubFile(repository, path) for path in paths]


def _endpoint() -> str | None:
    found = os.environ.get("HF_ENDPOINT")
    if found and not re.fullmatch(r"https?://[^/\s]+(/\S*)?", found):
        raise ValueError("HF_ENDPOINT must be an address, as https://huggingface.co")
    return found or None


def _named_endpoint() -> str:
    """The hub that is asked in place of the usual one, without what may be a secret in its address."""
    found = os.environ.get("HF_ENDPOINT")
    return f"; HF_ENDPOINT is {re.sub(r'//[^/]*@', '//...@', found)!r}" if found else ""


def _metadata(file: HubFile) -> Any:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(file.repository, file.path, repo_type=file.kind, endpoint=_endpoint())
    return get_hf_file_metadata(url, endpoint=_endpoint())


def _download(file: HubFile, root: Path, say: Say, alone: bool, which: str) -> None:
    found = _metadata(file)
    target = root / file.path
    version = re.sub(r"[^0-9A-Za-z]", "", found.etag or "")[:16]
    is_own = not (alone and version)  # of this process, which nobody goes on with
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8] if is_own else version}.partial")
    there = partial.stat().st_size if partial.exists() else 0
    of_size = "" if found.size is None else f", {size(found.size)}"
    resumed = f", of which {size(there)} are here" if there else ""
    say(f"downloading {file.path} of {file.repository} {which}{of_size}{resumed}")
    with made_folder(target.parent):
        try:
            _get(found, partial, there, target.name)
            _check_digest(partial, found.etag)
            os.replace(partial, target)
        finally:
            if is_own or (partial.exists() and not partial.stat().st_size):
                partial.unlink(missing_ok=True)


def _get(found: Any, partial: Path, there: int, name: str) -> None:
    """The bytes of a file behind those that are there. On a terminal a bar shows how far it is."""
    from urllib.parse import urlparse

    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._headers import build_hf_headers
    from huggingface_hub.utils.tqdm import enable_progress_bars

    enable_progress_bars()
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}  # what is packed on the way cannot be resumed
    if urlparse(found.location).netloc != urlparse(_endpoint() or "https://huggingface.co").netloc:
        headers.pop("authorization", None)  # the hub sends to a store of another host, which is to see no token
    with partial.open("ab") as file:
        http_get(
            found.location,
            file,
            resume_size=there,
            headers=headers,
            expected_size=found.size,
            displayed_filename=name,
        )


def _check_digest(path: Path, etag: str | None) -> None:
    """Raise a ValueError, and remove the file, where its digest is not the hub's: SHA-256, or git's SHA-1 of a blob."""
    if etag is None or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", etag):
        return
    git = len(etag) == 40
    found = hashlib.sha1(f"blob {path.stat().st_size}\0".encode()) if git else hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            found.update(block)
    if found.hexdigest() != etag:
        path.unlink()
        raise ValueError(
            f"it came damaged: its {'SHA-1' if git else 'SHA-256'} is {found.hexdigest()[:12]}..., the hub's "
            f"{etag[:12]}...; run the same command again"
        )


@contextmanager
def _one_clear_error(file: HubFile, root: Path, advice: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # one call to the outside has a dozen ways to fail; for the user they are one
        why = f"{network_reason(error)}{_named_endpoint()}"
        raise NotDownloadedError(
            f"could not download {file.path} of {file.repository} ({why}): where there is a network, "
            f"{advice} and copy {root.parent.parent} from there to here"
        ) from error

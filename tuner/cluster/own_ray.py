"""A Ray of our own on this machine, whatever else lives here: closed to others, and gone when its driver is.

- It is a new one (``address="local"``): neither ``RAY_ADDRESS`` nor another Ray on the machine is looked at, and what
  the environment says of other clusters is taken out of it while ours runs.
- It listens on the loopback interface only, and asks every client for a token that is in a file of this user (0600).
- Its files are in a folder of this user (0700): Ray makes its own folders writable for everybody.
- What it consists of is on record, and ended with its driver: see leftovers.py.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import ray
from ray._private import ray_constants, worker
from ray._raylet import (  # type: ignore[attr-defined]
    AuthenticationMode,
    AuthenticationTokenLoader,
    Config,
    get_authentication_mode,
)

from tuner.cluster import leftovers, mps
from tuner.cluster.in_time import in_time
from tuner.cluster.leftovers import OwnRayRecord, identity
from tuner.cluster.ray_errors import ray_error_line
from tuner.cluster.ray_signals import handlers_kept, own_sessions

OBJECT_STORE_BYTES = 100_000_000  # Tune passes reports, not data
TOKEN = "token"  # the file's name
LEAVE_SECONDS = 30.0  # for Ray to end in peace, which takes it some seconds
REAPER_SECONDS = 15.0  # longer than it takes to end everything

# A socket of Ray is in a folder of its own, below ours, below one of ``bases``; the system limits the whole path.
_LONGEST_SOCKET = "/tuner-12345678/r/session_2000-01-01_00-00-00_000000_1234567/sockets/plasma_store"
LONGEST_BASE = (103 if sys.platform == "darwin" else 107) - len(_LONGEST_SOCKET)

# What the environment may say of another cluster, of a job there, or of who may join it: the starts of names.
ELSEWHERE = (
    "RAY_ADDRESS",
    "RAY_API_SERVER_ADDRESS",
    "RAY_AUTH_",
    "RAY_CLIENT_MODE",
    "RAY_CLOUD_INSTANCE_ID",
    "RAY_CLUSTER_",
    "RAY_ENABLE_GCS_LEADER_ELECTION",
    "RAY_ENABLE_K8S_TOKEN_AUTH",
    "RAY_GCS_",
    "RAY_JOB_",
    "RAY_NAMESPACE",
    "RAY_NODE_",
    "RAY_OVERRIDE_",
    "RAY_RAYLET_PID",
    "RAY_REDIS_",
    "RAY_RUNTIME_ENV",
    "RAY_START_HOOK",
    "RAY_TLS_",
    "RAY_USE_TLS",
    "RAY_gcs_",
)


@dataclass
class OwnRay:
    """The one that runs, with what was in the environment before it."""

    folder: Path
    environment: dict[str, str]
    in_clusters: bool
    mps: Path | None = None  # where the files are of the MPS that was started with it
    reaper: subprocess.Popen[bytes] | None = None

    @property
    def temporary(self) -> Path:
        """Ray's own folder."""
        return self.folder / "r"


_running: OwnRay | None = None


def folder() -> Path | None:
    """Return the folder of the running Ray, which is removed with it; None where none runs."""
    return None if _running is None else _running.folder


def start(num_cpus: int, shares_gpus: bool = False) -> str:
    """Start it. A ValueError says why it does not come up; nothing of it is left then.

    With ``shares_gpus`` MPS is started too, for several trials on one GPU. Returns a line on that, or nothing.
    """
    global _running
    assert _running is None, "a driver has one Ray"
    folder, told = closed_folder(), ""
    _running = OwnRay(folder, dict(os.environ), ray_constants.ENABLE_RAY_CLUSTER)
    try:
        _shut_in(folder / TOKEN)
        driver = identity(os.getpid())
        assert driver is not None, "this process runs"
        OwnRayRecord(driver).write(folder)
        _running.reaper = leftovers.start_reaper(folder)
        told = _start_mps(_running) if shares_gpus else ""
        with own_sessions(folder.name), handlers_kept():
            _begin(num_cpus, _running.temporary)
        _check_shut()
    except BaseException as error:
        stop()
        if not isinstance(error, Exception):
            raise
        # a bare Exception is what Ray raises where its processes start too slowly
        raise ValueError(f"Ray did not start on this machine: {ray_error_line(error)}") from None
    return told


def _start_mps(ours: OwnRay) -> str:
    """Start MPS for the processes of a Ray that is about to start, unless there is one; returns a line for the user."""
    if mps.runs_already():
        return "trials on one GPU run side by side, by the MPS that runs on this machine"
    ours.mps = ours.folder / "mps"
    try:
        os.environ.update(mps.start(ours.mps, {leftovers.MARK: ours.folder.name}))
    except OSError as error:
        ours.mps = None
        return f"trials on one GPU take turns, since MPS did not start: {error}"
    return "trials on one GPU run side by side (MPS)"


def stop(dead: bool = False) -> bool:
    """End it with all its processes, and leave environment and disk as they were. Nothing where none runs.

    With ``dead`` no word is said to it: it would not answer. Returns whether Ray has answered; where it has not within
    ``LEAVE_SECONDS``, its processes are the reaper's.
    """
    global _running
    if (was := _running) is None:
        return True
    _running = None
    answered = not dead
    try:
        if not dead:
            answered = in_time(ray.shutdown, LEAVE_SECONDS)
        elif (node := worker._global_node) is not None:
            node.kill_all_processes(check_alive=False, allow_graceful=False)
    finally:
        if was.mps is not None:
            mps.stop(was.mps)  # where it does not answer, it is the reaper's
        if was.reaper is not None and was.reaper.stdin is not None:
            with suppress(OSError):
                was.reaper.stdin.write(b".")  # closing is not enough where the driver has forked: both then hold it
                was.reaper.stdin.close()
            with suppress(subprocess.TimeoutExpired):  # it goes on without us
                was.reaper.wait(REAPER_SECONDS)
        shutil.rmtree(was.folder, ignore_errors=True)
        ray_constants.ENABLE_RAY_CLUSTER = was.in_clusters
        os.environ.clear()
        os.environ.update(was.environment)
        _read_authentication()
    return answered


def _begin(num_cpus: int, folder: Path) -> None:
    ray.init(
        address="local",
        num_cpus=num_cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        object_store_memory=OBJECT_STORE_BYTES,
        _temp_dir=str(folder),
        _skip_env_hook=True,
    )


def is_running() -> bool:
    return _running is not None


def bases() -> Iterator[Path]:
    """Folders for temporary files, the wanted one first: short ones are needed, and TMPDIR may be long."""
    named = [os.environ.get("RAY_TMPDIR"), tempfile.gettempdir(), "/tmp", "/var/tmp", os.environ.get("XDG_RUNTIME_DIR")]
    found = [Path(os.path.abspath(name)) for name in [*named, "/dev/shm"] if name]
    yield from dict.fromkeys(found)


def closed_folder() -> Path:
    """A new folder that only this user enters, where Ray's sockets can be. A ValueError says what to do without."""
    tried = []
    for base in bases():
        if len(os.fsencode(base)) > LONGEST_BASE:
            tried.append(f"{base} is longer than {LONGEST_BASE} characters")
            continue
        folder: Path | None = None
        try:
            folder = Path(tempfile.mkdtemp(prefix="tuner-", dir=base))
            (folder / "r").mkdir()
            _write_token(folder / TOKEN)
        except OSError as error:
            tried.append(f"{base}: {error.strerror}")
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            continue
        return folder
    raise ValueError(
        f"Ray did not start on this machine: there is no folder for its sockets ({'; '.join(tried)}): "
        f"set TMPDIR to a folder that you can write, of at most {LONGEST_BASE} characters"
    )


def _write_token(path: Path) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_hex(32))


def _shut_in(token: Path) -> None:
    """Confine the Ray that is started next, and all its processes, to loopback and the token."""
    for name in [name for name in os.environ if name.startswith(ELSEWHERE)]:
        del os.environ[name]
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(token)
    # As on macOS, where Ray plays on one machine by default: the node's address is then 127.0.0.1, and all binds follow
    # it. Its option ``_node_ip_address`` does not do: the machine's outer address is put in place of a local one.
    os.environ[ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR] = "0"
    ray_constants.ENABLE_RAY_CLUSTER = False
    ray_constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV = False  # workers run here, with this interpreter: nothing to ship
    _read_authentication()


def _read_authentication() -> None:
    """Ray keeps what it once read of mode and token."""
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


def _check_shut() -> None:
    """A RuntimeError where Ray did not keep to it: then nobody is to be let in at all."""
    address = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
    if not ipaddress.ip_address(address).is_loopback:
        raise RuntimeError(f"it listens on {address} instead of the loopback interface")
    if get_authentication_mode() != AuthenticationMode.TOKEN:
        raise RuntimeError("it does not ask for a token")

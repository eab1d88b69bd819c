from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

from storage import files
from storage.location import location
from trainable.worker import watchdog
from trainable.worker.watchdog import Watchdog

HANGS = """
import sys, time
from storage.location import location
from trainable.worker.watchdog import Watchdog

def never_ends():
    while True:
        time.sleep(60)

dog = Watchdog(location(sys.argv[1]), "stalls/key.txt", 0.2)
with dog.watching():
    pass
time.sleep(0.6)  # nothing is expected now
with dog.watching():
    for _ in range(4):
        time.sleep(0.1)
        dog.pat()
    print("watched", flush=True)
    never_ends()
"""


def test_a_process_that_hangs_ends_with_where_it_hung_and_one_that_rests_does_not(tmp_path) -> None:
    folder, file = tmp_path, tmp_path / "stalls" / "key.txt"
    done = subprocess.run([sys.executable, "-c", HANGS, str(folder)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "watched\n")
    assert "Timeout" in file.read_text() and "never_ends" in file.read_text()


def test_in_an_object_store_too(bucket) -> None:
    folder = location(f"s3://bucket/{uuid.uuid4().hex}")
    file = folder / "stalls" / "key.txt"
    done = subprocess.run([sys.executable, "-c", HANGS, str(folder)], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (1, "watched\n"), done.stderr
    assert b"no progress for 0.2 s" in files.read(file) and b"never_ends" in files.read(file)


def test_a_closed_watchdog_leaves_nothing_and_watches_nothing(tmp_path: Path) -> None:
    dog = Watchdog(tmp_path, "a.txt", 0.05)
    dog.close()
    dog.close()
    with dog.watching():
        dog.pat()
    assert list(tmp_path.iterdir()) == []


DEEP = """
import sys, threading
from storage.location import location
from trainable.worker.watchdog import Watchdog

def deep(left):
    if left:
        deep(left - 1)
    threading.Event().wait()

for _ in range(150):
    threading.Thread(target=deep, args=(200,), daemon=True).start()
with Watchdog(location(sys.argv[1]), "stalls/key.txt", 1.0).watching():
    deep(200)
"""


def test_a_report_of_many_deep_threads_is_within_the_limit(tmp_path) -> None:
    assert subprocess.run([sys.executable, "-c", DEEP, str(tmp_path)], timeout=120, check=False).returncode == 1
    assert 100_000 < (tmp_path / "stalls" / "key.txt").stat().st_size < watchdog.MOST_BYTES


def test_what_an_object_store_gets_is_cut_at_the_limit(monkeypatch) -> None:
    monkeypatch.setattr(watchdog, "MOST_BYTES", 100)
    assert len(watchdog._tracebacks()) == 50

"""Recording stand-ins of the trackers' packages, and what the real ones have kept: both read in one form.

A stand-in has no more of a package than its adapter uses, and keeps runs as the service would: over the ends of
processes. Who adds a tracker adds a stand-in here, or reads the real package back.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

Points = list[tuple[int, str, float]]
INTERNAL = ("_step", "_runtime", "_timestamp", "_wandb")


@dataclass
class Seen:
    """A run as a tracker has it."""

    points: Points = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    row: dict[str, Any] = field(default_factory=dict)
    group: str = ""
    is_open: bool = True


Read = Callable[[], Mapping[str, Seen]]


class StandIn:
    """The runs of a service, by the name that people see, and which of the next calls fails."""

    def __init__(self) -> None:
        self.runs: dict[str, Seen] = {}
        self.calls, self.failing = 0, set[int]()

    def call(self) -> None:
        """Count a call of a verb that writes; the chosen ones fail."""
        self.calls += 1
        if self.calls in self.failing:
            raise ConnectionError("503 \x1b[31mnot now")


def wandb_stand_in(service: StandIn, folder: Path) -> ModuleType:
    """A server that refuses steps which it has, as W&B drops them."""
    steps: dict[str, int] = {}

    class Run:
        def __init__(self, name: str, number: str, resumed: bool) -> None:
            self.seen, self.number, self.resumed = service.runs[name], number, resumed
            self.starting_step = steps.get(number, -1) + 1
            self.settings = SimpleNamespace(sync_dir=str(folder / "wandb" / f"run-1-{number}"))
            self.summary = self.seen.row

        def log(self, values: Mapping[str, float], step: int, commit: bool) -> None:
            service.call()
            assert step > steps.get(self.number, -1), "W&B drops it"
            steps[self.number] = step
            self.seen.points += [(step, name, value) for name, value in values.items()]

        @property
        def tags(self) -> tuple[str, ...]:
            return tuple(self.seen.tags)

        @tags.setter
        def tags(self, tags: Any) -> None:
            self.seen.tags = set(tags)

        def finish(self, exit_code: int) -> None:
            self.seen.is_open = False

    def init(*, id: str, name: str, group: str, tags: list[str], config: Mapping[str, Any], resume: str, **more: Any):  # type: ignore[no-untyped-def]
        service.call()
        assert resume == "allow" and more["reinit"] == "create_new"
        resumed = name in service.runs
        seen = service.runs.setdefault(name, Seen())
        seen.group, seen.is_open, seen.tags = group, True, set(tags)
        seen.config |= config
        return Run(name, id, resumed)

    module = ModuleType("wandb")
    module.Settings = lambda **settings: settings  # type: ignore[attr-defined]
    there = SimpleNamespace(wandb_dir=str(folder / "wandb"), project=None)
    module.setup = lambda: SimpleNamespace(settings=there)  # type: ignore[attr-defined]
    module.init = init  # type: ignore[attr-defined]
    return module


def trackio_stand_in(service: StandIn, folder: Path) -> ModuleType:
    class Run:
        def __init__(self, name: str) -> None:
            self.seen = service.runs[name]
            self._next_step = max((point[0] for point in self.seen.points), default=-1) + 1

        def log(self, values: Mapping[str, float], step: int) -> None:
            service.call()
            rest = {name: value for name, value in values.items() if name.startswith("row/")}
            self.seen.row |= {name.removeprefix("row/"): value for name, value in rest.items()}
            self.seen.points += [(step, name, value) for name, value in values.items() if name not in rest]

        def finish(self) -> None:
            self.seen.is_open = False

    def init(*, project: str, name: str, group: str, config: Mapping[str, Any], resume: str, **more: Any) -> Run:
        service.call()
        assert resume == "allow"
        seen = service.runs.setdefault(name.removeprefix(f"{group}/"), Seen())
        seen.group, seen.is_open, seen.config = group, True, dict(config)
        seen.tags = set(str(config["tags"]).split(", "))
        return Run(name.removeprefix(f"{group}/"))

    module = ModuleType("trackio")
    module.init = init  # type: ignore[attr-defined]
    runs = lambda project: [SimpleNamespace(config=seen.config) for seen in service.runs.values()]  # noqa: E731
    module.Api = lambda: SimpleNamespace(runs=runs)  # type: ignore[attr-defined]
    return module


class MlflowServer:
    """A server with runs by number: what ``MlflowClient`` asks of it."""

    def __init__(self, service: StandIn) -> None:
        self.service = service
        self.named: dict[str, str] = {}
        self.found: dict[str, Any] = {}

    def seen(self, number: str) -> Seen:
        return self.service.runs[self.named[number]]

    def get_experiment_by_name(self, name: str) -> Any:
        return SimpleNamespace(experiment_id="1")

    def search_runs(self, numbers: Any, asked: str, page_token: Any) -> Any:
        page = [run for run in self.found.values() if run.data.tags["tuner.campaign_id"] in asked]
        return type("Page", (list,), {"token": None})(page)

    def create_run(self, experiment: str, began: int, tags: dict[str, str], name: str) -> Any:
        self.service.call()
        number = f"r{len(self.found)}"
        self.named[number] = name
        assert name not in self.service.runs, "a run is there once"
        self.service.runs[name] = Seen(group=tags["campaign"])
        data = SimpleNamespace(tags=dict(tags), params={}, metrics={})
        self.found[number] = SimpleNamespace(info=SimpleNamespace(run_id=number), data=data)
        return self.found[number]

    def get_run(self, number: str) -> Any:
        return self.found[number]

    def update_run(self, number: str, status: str) -> None:
        self.seen(number).is_open = True

    def get_metric_history(self, number: str, name: str) -> list[Any]:
        return [SimpleNamespace(step=step) for step, each, _ in self.seen(number).points if each == name]

    def log_batch(self, number: str, metrics: Any = (), params: Any = (), tags: Any = ()) -> None:
        self.service.call()
        assert len(metrics) <= 1000 and len(params) <= 100 and len(tags) <= 100
        seen, data = self.seen(number), self.found[number].data
        data.params |= {param.key: param.value for param in params}
        data.tags |= {tag.key: tag.value for tag in tags}
        for metric in metrics:
            if "/" in metric.key:
                seen.points.append((metric.step, metric.key, metric.value))
                data.metrics[metric.key] = metric.value
            else:
                seen.row[metric.key] = metric.value
        seen.config, seen.tags = data.params, set(data.tags.get("tags", "").split(", "))
        seen.row |= data.tags

    def set_tag(self, number: str, key: str, value: str) -> None:
        self.found[number].data.tags[key] = value

    def set_terminated(self, number: str, status: str, end_time: int | None = None) -> None:
        self.seen(number).is_open = False


def mlflow_stand_in(service: StandIn, folder: Path) -> ModuleType:
    def entity(*fields: str) -> Callable[..., Any]:
        return lambda *values: SimpleNamespace(**dict(zip(fields, values, strict=True)))

    server, module = MlflowServer(service), ModuleType("mlflow")
    module.MlflowClient = lambda: server  # type: ignore[attr-defined]
    module.entities = SimpleNamespace(  # type: ignore[attr-defined]
        Metric=entity("key", "value", "timestamp", "step"),
        Param=entity("key", "value"),
        RunTag=entity("key", "value"),
    )
    return module


STAND_INS = {"wandb": wandb_stand_in, "trackio": trackio_stand_in, "mlflow": mlflow_stand_in}


# --- what the real packages have kept ---------------------------------------------------------------------------------


def read_tensorboard(folder: Path) -> Mapping[str, Seen]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    found = {}
    for run in sorted(path for path in (folder / "tensorboard").iterdir() if path.is_dir()):
        files = EventAccumulator(str(run), size_guidance={"scalars": 0, "tensors": 0}).Reload()
        seen = Seen(group=folder.name)
        said: dict[str, str] = {}
        if "row" in files.Tags()["tensors"]:
            text = files.Tensors("row")[0].tensor_proto.string_val[0].decode()
            said = dict(line.strip().partition(": ")[::2] for line in text.splitlines())
        seen.row, seen.tags, seen.is_open = dict(said), set(said.get("tags", "").split(", ")), not said
        for tag in files.Tags()["scalars"]:
            seen.points += [(e.step, tag, e.value) for e in files.Scalars(tag) if not tag.startswith("row/")]
        content = files.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        hparams = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
        seen.config = {n: getattr(v, str(v.WhichOneof("kind"))) for n, v in hparams.items()}
        name = said.get("name", run.name)
        found[name] = seen
    return found


def read_mlflow(folder: Path) -> Mapping[str, Seen]:
    import mlflow

    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("tuner")
    found = {}
    for run in client.search_runs([experiment.experiment_id], max_results=1000):
        assert run.info.run_name not in found, "a run is there once"
        history = [
            m for name in run.data.metrics if "/" in name for m in client.get_metric_history(run.info.run_id, name)
        ]
        assert all(len(client.get_metric_history(run.info.run_id, n)) == 1 for n in run.data.metrics if "/" not in n)
        seen = found[run.info.run_name] = Seen([(m.step, m.key, m.value) for m in history], run.data.params)
        seen.tags, seen.group = set(run.data.tags["tags"].split(", ")), run.data.tags["campaign"]
        seen.row, seen.is_open = {**run.data.metrics, **run.data.tags}, run.info.status == "RUNNING"
    return found


def read_trackio(folder: Path) -> Mapping[str, Seen]:
    from trackio.sqlite_storage import SQLiteStorage

    found: dict[str, Seen] = {}
    for record in SQLiteStorage.get_run_records("tuner"):
        name = str(record["name"]).removeprefix(f"{folder.name}/")
        assert name not in found, "a run is there once"
        config = SQLiteStorage.get_run_config("tuner", record["name"], run_id=record["id"]) or {}
        seen = found[name] = Seen(config=config, tags=set(config["tags"].split(", ")), group=config["_Group"])
        for log in SQLiteStorage.get_logs("tuner", record["name"], run_id=record["id"]):
            step = log["step"]
            for each, value in log.items():
                if each.startswith("row/"):
                    seen.row[each.removeprefix("row/")] = value
                elif each not in ("step", "timestamp"):
                    seen.points.append((step, each, value))
        seen.is_open = "tuner.mark" not in config
    return found


def read_wandb(folder: Path) -> Mapping[str, Seen]:
    """Read what ``wandb sync`` would send, file by file in the order in which they were begun."""
    from wandb.proto import wandb_internal_pb2

    found: dict[str, Seen] = {}
    last: dict[str, int] = {}
    for file in sorted(Path("wandb").glob("offline-run-*/run-*.wandb"), key=lambda file: file.stat().st_mtime_ns):
        seen = Seen()
        for record in _records(file.read_bytes()):
            said = wandb_internal_pb2.Record.FromString(record)
            if said.HasField("run"):
                seen = found.setdefault(said.run.display_name, seen)
                seen.group, seen.tags, seen.is_open = said.run.run_group, set(said.run.tags), True
                seen.config |= {item.key: json.loads(item.value_json) for item in said.run.config.update}
            elif said.HasField("history"):
                items = {(i.key or ".".join(i.nested_key)): json.loads(i.value_json) for i in said.history.item}
                step = int(items["_step"])
                assert step > last.get(str(file.parent)[-16:], -1), "W&B drops it"
                last[str(file.parent)[-16:]] = step
                seen.points += [(step, n, v) for n, v in items.items() if n not in INTERNAL]
            elif said.HasField("summary"):
                for item in said.summary.update:
                    seen.row[item.key or ".".join(item.nested_key)] = json.loads(item.value_json)
            elif said.HasField("exit"):
                seen.is_open = False
    return found


def _records(content: bytes) -> Iterator[bytes]:
    """Take a file of LevelDB's log format apart: blocks of 32 KiB with pieces of records, after seven bytes."""
    block, at, whole = 1 << 15, 7, b""
    while at + 7 <= len(content):
        if block - at % block < 7:
            at += block - at % block
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        if kind == 0:
            return
        whole += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or its last piece
            yield whole
            whole = b""


READERS = {"tensorboard": read_tensorboard, "mlflow": read_mlflow, "trackio": read_trackio, "wandb": read_wandb}

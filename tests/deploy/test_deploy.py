"""The cluster files, against Ray's own validator where there is one. deploy/rehearse.sh runs one of them for real."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parents[2]
LAUNCHER = ["cluster.yaml", "deploy/on_premises.yaml", "deploy/gcp.yaml"]
CLOUD = ["cluster.yaml", "deploy/gcp.yaml"]
SHARED = {"cluster.yaml": "/mnt/tuner", "deploy/gcp.yaml": "/mnt/tuner", "deploy/on_premises.yaml": "/shared"}
SCRIPTS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "deploy").glob("*.sh"))


def read(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text())


@pytest.mark.parametrize("name", LAUNCHER)
def test_rays_own_validator_takes_the_file(name) -> None:
    prepared = prepare_config(read(name))
    validate_config(prepared)  # raises where it does not
    assert prepared["head_node_type"] in prepared["available_node_types"]


def test_rays_own_validator_refuses_a_field_that_it_does_not_know() -> None:
    with pytest.raises(Exception, match="max_worker"):
        validate_config(prepare_config({**read("cluster.yaml"), "max_worker": 3}))


@pytest.mark.parametrize("name", LAUNCHER)
def test_every_start_asks_for_the_token_and_keeps_the_dashboard_at_home(name) -> None:
    config = read(name)
    head, worker = config["head_start_ray_commands"][-1], config["worker_start_ray_commands"][-1]
    assert "RAY_AUTH_MODE=token" in head and "RAY_AUTH_MODE=token" in worker
    assert "--dashboard-host=127.0.0.1" in head and "0.0.0.0" not in (ROOT / name).read_text()
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"


@pytest.mark.parametrize("name", LAUNCHER)
def test_the_checkout_is_installed_with_the_pinned_versions(name) -> None:
    config = read(name)
    assert config["file_mounts"]["~/tuner"] == "."
    (command,) = config["setup_commands"]
    assert command.endswith("bash ~/tuner/deploy/setup_node.sh")
    assert f"TUNER_CACHE={SHARED[name]}/cache" in command  # data are prepared once, not by every machine that comes
    for start in (config["head_start_ray_commands"][-1], config["worker_start_ray_commands"][-1]):
        assert f"TUNER_CACHE={SHARED[name]}/cache" in start


@pytest.mark.parametrize("name", CLOUD)
def test_the_head_stays_and_trains_nothing_and_workers_with_one_gpu_come_by_demand(name) -> None:
    config = read(name)
    types = config["available_node_types"]
    head, worker = types["head"], types["gpu_worker"]
    assert config["head_node_type"] == "head" and head["resources"] == {"CPU": 0}
    assert worker["resources"]["GPU"] == 1 and worker["min_workers"] == 0 < worker["max_workers"]
    assert config["provider"]["cache_stopped_nodes"] is False


@pytest.mark.parametrize("name", CLOUD)
def test_no_cloud_machine_outlives_its_use(name) -> None:
    config = read(name)
    assert config["head_setup_commands"] == ["bash ~/tuner/deploy/end_when_idle.sh install head 180 48"]
    assert config["worker_setup_commands"] == ["bash ~/tuner/deploy/end_when_idle.sh install worker 30"]


def test_on_aws_only_the_workers_are_spot_machines() -> None:
    types = read("cluster.yaml")["available_node_types"]
    market = {name: kind["node_config"].get("InstanceMarketOptions") for name, kind in types.items()}
    assert market == {"head": None, "gpu_worker": {"MarketType": "spot"}}


@pytest.mark.parametrize("kind", ["head", "worker"])
def test_on_aws_each_machine_has_its_own_role_our_security_group_and_guarded_credentials(kind) -> None:
    config = read("cluster.yaml")
    machine = config["available_node_types"]["gpu_worker" if kind == "worker" else kind]["node_config"]
    assert machine["IamInstanceProfile"] == {"Arn": f"arn:aws:iam::YOUR_ACCOUNT:instance-profile/tuner-{kind}"}
    assert machine["MetadataOptions"] == {"HttpTokens": "required"}  # IMDSv2
    assert machine["InstanceInitiatedShutdownBehavior"] == "terminate"
    # A group that Ray makes has SSH open to 0.0.0.0/0 beside every rule of ours.
    assert machine["SecurityGroupIds"] == ["sg-YOUR_GROUP"] and "security_group" not in config["provider"]


def test_the_kubernetes_job_is_a_ray_job_whose_retries_resume() -> None:
    job = read("deploy/kuberay.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    spec = job["spec"]
    cluster = spec["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"} and spec["backoffLimit"] >= 1
    assert "--resume night" in spec["entrypoint"] and "--name night" in spec["entrypoint"]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    (group,) = cluster["workerGroupSpecs"]
    for pod in (cluster["headGroupSpec"]["template"], group["template"]):
        (container,) = pod["spec"]["containers"]
        assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["spec"]["volumes"]}
        assert {"name": "TUNER_CACHE", "value": "/shared/cache"} in container["env"]
        assert {"name": "shm", "mountPath": "/dev/shm"} in container["volumeMounts"]
        assert container["resources"]["requests"] == container["resources"]["limits"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    constraint = re.search(r"^ray==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert constraint is not None and cluster["rayVersion"] == constraint.group(1)


def test_no_pod_of_kubernetes_runs_as_root_or_may_become_it() -> None:
    spec = read("deploy/kuberay.yaml")["spec"]
    cluster = spec["rayClusterSpec"]
    templates = [spec["submitterPodTemplate"], cluster["headGroupSpec"]["template"]]
    templates += [group["template"] for group in cluster["workerGroupSpecs"]]
    for pod in (template["spec"] for template in templates):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            kept = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
            assert container["securityContext"] == kept
    user = re.search(r"^USER (\d+):", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert (
        user is not None and int(user.group(1)) == spec["submitterPodTemplate"]["spec"]["securityContext"]["runAsUser"]
    )


def test_gpu_pods_go_where_clouds_let_only_gpu_pods_go_and_the_job_has_an_end() -> None:
    spec = read("deploy/kuberay.yaml")["spec"]
    (group,) = spec["rayClusterSpec"]["workerGroupSpecs"]
    taint = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    assert group["template"]["spec"]["tolerations"] == [taint]
    assert spec["activeDeadlineSeconds"] > 0


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs shellcheck")
def test_shellcheck_has_nothing_to_say_of_any_script() -> None:
    done = subprocess.run(["shellcheck", *SCRIPTS], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("script", SCRIPTS)
def test_bash_can_read_every_script(script) -> None:
    done = subprocess.run(["bash", "-n", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_there_is_a_script_for_slurm_and_the_rehearsal() -> None:
    assert {"deploy/slurm.sh", "deploy/rehearse.sh", "deploy/hosts.sh", "deploy/rehearse_image.sh"} <= set(SCRIPTS)

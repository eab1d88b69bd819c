"""What an AWS account is asked for: the policies' reach, and deploy/aws_setup.sh against a stand-in for `aws`."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
AWS = """
printf '%s\\037' "$@" >> "$CALLS"; printf '\\036' >> "$CALLS"
case "$*" in
  *"get-caller-identity"*) echo 123456789012 ;;
  *" get-"*) [ -n "$AGAIN" ] ;;
  *describe-vpcs*) echo vpc-1 ;;
  *describe-security-groups*) [ -n "$AGAIN" ] && echo sg-old || echo None ;;
  *create-security-group*) echo sg-new ;;
esac
"""


def statements(role: str) -> list[dict]:
    return json.loads((DEPLOY / f"aws_{role}_policy.json").read_text())["Statement"]


def test_every_right_that_changes_something_is_tied_to_this_clusters_machines_role_and_bucket() -> None:
    for statement in statements("head"):
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        assert statement["Effect"] == "Allow" and not any("*" in action for action in actions)
        if statement["Resource"] == "*":
            assert all(action.startswith("ec2:Describe") for action in actions)
        if {"ec2:TerminateInstances", "iam:PassRole", "ec2:CreateTags"} & set(actions):
            assert "Condition" in statement


def test_a_head_starts_only_the_machines_of_cluster_yaml() -> None:
    cluster = yaml.safe_load((DEPLOY.parent / "cluster.yaml").read_text())
    (machines,) = [s for s in statements("head") if s["Sid"] == "StartWorkersOfThisClusterOnly"]
    worker = cluster["available_node_types"]["gpu_worker"]["node_config"]
    assert machines["Condition"]["StringEquals"] == {
        "aws:RequestTag/ray-cluster-name": cluster["cluster_name"],
        "ec2:InstanceType": worker["InstanceType"],
        "ec2:MetadataHttpTokens": worker["MetadataOptions"]["HttpTokens"],
    }


def test_a_worker_reaches_the_bucket_and_nothing_else() -> None:
    assert {s["Sid"] for s in statements("worker")} == {"ListTheBucket", "KeepCampaignsInTheBucket"}
    assert all(s in statements("head") for s in statements("worker"))


def set_up(folder: Path, *given: str, again: bool = False) -> tuple[subprocess.CompletedProcess[str], list[list[str]]]:
    calls = folder / "calls"
    calls.write_text("")
    variables = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(calls), "AGAIN": "yes" * again}
    command = ["bash", str(DEPLOY / "aws_setup.sh"), *given]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    return done, [call.split("\037")[2:] for call in calls.read_text().split("\036") if call]  # without --output text


def option(call: list[str], name: str) -> str:
    return call[call.index(name) + 1]


def test_the_account_gets_two_roles_and_a_group_that_only_one_address_reaches(stand_in, tmp_path) -> None:
    stand_in(tmp_path, aws=AWS)
    done, calls = set_up(tmp_path, "my-bucket", "192.0.2.7")
    assert done.returncode == 0, done.stderr
    policies = [json.loads(option(call, "--policy-document")) for call in calls if "put-role-policy" in call]
    assert len(policies) == 2 and not re.search("YOUR_", json.dumps(policies))
    assert "arn:aws:s3:::my-bucket/*" in json.dumps(policies[1])
    among, ssh = [call for call in calls if "authorize-security-group-ingress" in call]
    assert option(among, "--source-group") == "sg-new" and "--protocol=-1" in among  # NFS (2049) too
    assert (option(ssh, "--port"), option(ssh, "--cidr")) == ("22", "192.0.2.7/32")
    assert "SecurityGroupIds: [sg-new]" in done.stdout
    assert "arn:aws:iam::123456789012:instance-profile/tuner-worker" in done.stdout


def test_a_second_run_makes_nothing_twice(stand_in, tmp_path) -> None:
    stand_in(tmp_path, aws=AWS)
    done, calls = set_up(tmp_path, "my-bucket", "192.0.2.7", again=True)
    assert done.returncode == 0 and "SecurityGroupIds: [sg-old]" in done.stdout
    assert not [call for call in calls if call[1].startswith(("create-", "add-", "authorize-"))]


@pytest.mark.parametrize(
    "given", [(), ("my-bucket",), ("My_Bucket", "192.0.2.7"), ("my-bucket", "0.0.0.0/0"), ("my-bucket", "x")]
)
def test_bad_input_asks_nothing_of_the_account(stand_in, tmp_path, given) -> None:
    stand_in(tmp_path, aws=AWS)
    done, calls = set_up(tmp_path, *given)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and not calls

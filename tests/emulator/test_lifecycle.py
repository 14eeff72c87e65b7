# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starting, recording, resetting and stopping."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.emulator import Emulator, EmulatorError
from tests.emulator.client import ROOT, read_env
from tests.emulator.helpers import REGION, refusal

DEADLINE = 60


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_the_command_prints_what_to_export_logs_requests_and_ends_on_a_signal(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    command = [sys.executable, "-m", "tests.emulator", "--log", str(log), "--seed", "7"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        emulator = Emulator()
        emulator.env = read_env("".join(process.stdout.readline() for _ in range(8)))
        assert emulator.env["AWS_ENDPOINT_URL"] == emulator.env["HTTP_PROXY"] == emulator.env["http_proxy"]
        assert emulator.env["AWS_ACCESS_KEY_ID"] == "testing"
        assert "AWS_REGION" not in emulator.env
        emulator.client("sts").get_caller_identity()
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
    assert [json.loads(line)["operation"] for line in log.read_text().splitlines()] == ["GetCallerIdentity"]


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    env_file = tmp_path / "env"
    parent = (
        "import subprocess, sys, time, pathlib\n"
        f"command = [sys.executable, '-m', 'tests.emulator', '--env-file', {str(env_file)!r}, '--with-parent']\n"
        "child = subprocess.Popen(command)\n"
        f"while not pathlib.Path({str(env_file)!r}).exists() and child.poll() is None: time.sleep(0.1)\n"
        "print(child.pid)\n"
    )
    run = subprocess.run([sys.executable, "-c", parent], cwd=ROOT, capture_output=True, text=True, check=True)
    assert wait_until_gone(int(run.stdout))


def test_an_unknown_patch_is_named() -> None:
    with pytest.raises(EmulatorError, match=r"no\.such\.patch: no such patch"):
        Emulator(without=["no.such.patch"]).start()


def test_stopping_twice_is_fine() -> None:
    emulator = Emulator()
    emulator.stop()
    emulator.stop()
    assert emulator.env == {}


def test_requests_are_recorded(emulator: Emulator) -> None:
    sqs = emulator.client("ec2", REGION)
    sqs.describe_vpcs()
    refusal(sqs.delete_vpc, VpcId="vpc-0")
    emulator.client("s3").list_buckets()
    found = emulator.requests()
    assert [(one["service"], one["operation"], one["region"], one["status"], one["error"]) for one in found] == [
        ("ec2", "DescribeVpcs", REGION, 200, None),
        ("ec2", "DeleteVpc", REGION, 400, "InvalidVpcID.NotFound"),
        ("s3", "ListBuckets", "us-east-1", 200, None),
    ]
    assert {(one["account"], one["access_key"]) for one in found} == {("123456789012", "testing")}
    assert [one["operation"] for one in emulator.requests(writes=True)] == ["DeleteVpc"]
    assert len(emulator.requests(writes=False)) == 2
    emulator.clear_requests()
    assert emulator.requests() == []


def test_an_assumed_role_is_recorded_with_its_account(emulator: Emulator) -> None:
    import boto3

    answer = emulator.client("sts").assume_role(RoleArn="arn:aws:iam::222222222222:role/x", RoleSessionName="test")
    keys = answer["Credentials"]
    boto3.client(
        "sqs",
        region_name=REGION,
        endpoint_url=emulator.endpoint,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    ).list_queues()
    last = emulator.requests()[-1]
    assert (last["service"], last["operation"], last["account"]) == ("sqs", "ListQueues", "222222222222")


def test_what_moto_lacks_is_said_at_once(emulator: Emulator) -> None:
    assert refusal(emulator.client("ec2").describe_vpc_encryption_controls) == "NotImplemented"
    assert emulator.requests()[-1]["error"] == "NotImplemented"


def test_reset_empties_everything(emulator: Emulator) -> None:
    emulator.client("ec2", REGION).create_vpc(CidrBlock="10.0.0.0/16")
    emulator.client("iam").create_user(UserName="x")
    emulator.reset()
    assert len(emulator.client("ec2", REGION).describe_vpcs()["Vpcs"]) == 1
    assert emulator.client("iam").list_users()["Users"] == []

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is around a booted machine of a fleet: the stand-in for CloudWatch's agent, Node.js, the application."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import shutil
import subprocess
import typing as t
from importlib.machinery import SourceFileLoader
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml
from ansible_collections.palier.aws.plugins.plugin_utils import fleets, instances

from tools import boot_packages
from tools.boot import free_ports
from tools.collection import ROOT

CONTROL = boot_packages.AGENT / "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"
SCENARIO = ROOT / "molecule" / "boot_fleet"
BACKEND = ROOT / "examples" / "clefcloud" / "backend"


@pytest.fixture(scope="module")
def control() -> t.Any:
    """The stand-in for the agent's program."""
    loader = SourceFileLoader("agent_control", str(CONTROL))
    spec = importlib.util.spec_from_loader("agent_control", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    # Not by the loader, which would leave a cache beside it, and so in its package.
    exec(compile(CONTROL.read_text(), str(CONTROL), "exec"), module.__dict__)
    return module


def config(runtime: str = "node") -> dict[str, t.Any]:
    """What the role has a machine of a fleet give the agent."""
    described = {"name": "app", "min": 1, "max": 2, "scaling": {"cpu_high": 80, "cpu_low": 20, "minutes": 2}}
    application = {"runtime": runtime, "port": 3000, "health_path": "/"}
    found = fleets.fleets([{**described, "cloudwatch_agent": True, "application": application}], "a-b", "/aws/ec2/a/b")
    return fleets.agent_config(found[0])


@pytest.mark.parametrize("runtime", ["node", "docker"])
def test_the_agent_takes_what_the_role_writes(control: t.Any, runtime: str) -> None:
    control.check(config(runtime))
    only_metrics = config(runtime)
    del only_metrics["logs"]
    control.check(only_metrics)


def change(path: str, value: object) -> dict[str, t.Any]:
    """The role's configuration with one thing changed."""
    found = copy.deepcopy(config())
    *above, last = path.split("/")
    place: t.Any = found
    for name in above:
        place = place[int(name) if name.isdigit() else name]
    place[last] = value
    return found


FIRST = "logs/logs_collected/files/collect_list/0"


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("metric", {}, "unknown keys"),
        ("agent/metrics_collection_interval", 0, "no number of seconds"),
        ("agent/metrics_collection_interval", "60", "no number of seconds"),
        ("metrics/metric_collected", {}, "unknown keys"),
        ("metrics/metrics_collected", {}, "empty"),
        ("metrics/metrics_collected/memory", {"measurement": ["used"]}, "unknown keys"),
        ("metrics/metrics_collected/mem", {}, "lacks"),
        ("metrics/metrics_collected/mem/measurement", [], "no list"),
        ("metrics/metrics_collected/mem/measurement", ["mem_used_percentage"], "mem_used_percentage"),
        ("metrics/metrics_collected/disk/measurement", ["mem_used_percent"], "mem_used_percent"),
        ("metrics/metrics_collected/disk/resources", ["root"], "root"),
        ("metrics/append_dimensions", {"InstanceId": "${aws:ImageId}"}, "takes no InstanceId"),
        ("metrics/aggregation_dimensions", [["path", "path"]], "twice"),
        ("logs", {}, "lacks"),
        ("logs/logs_collected/files/collect_list", [], "no list"),
        (f"{FIRST}/path", "/var/log/a", "unknown keys"),
        (f"{FIRST}/file_path", "a.log", "no path"),
        (f"{FIRST}/log_group_name", "a b", "no group"),
        (f"{FIRST}/log_stream_name", "a:b", "no stream"),
    ],
)
def test_the_agent_refuses_what_is_wrong(control: t.Any, path: str, value: object, why: str) -> None:
    with pytest.raises(control.WrongError, match=why):
        control.check(change(path, value))


def test_the_agent_refuses_one_file_twice_and_nothing_at_all(control: t.Any) -> None:
    found = config()
    listed = found["logs"]["logs_collected"]["files"]["collect_list"]
    listed.append(listed[0])
    with pytest.raises(control.WrongError, match="twice"):
        control.check(found)
    with pytest.raises(control.WrongError, match="nothing to send"):
        control.check({"agent": {}})


def test_a_refusal_ends_the_command(control: t.Any, tmp_path: Path) -> None:
    path = tmp_path / "cloudwatch.json"
    path.write_text(json.dumps(change("agent/metrics_collection_interval", 0)))
    done = subprocess.run(
        [CONTROL, "-a", "fetch-config", "-m", "ec2", "-s", "-c", f"file:{path}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "metrics_collection_interval is no number of seconds" in done.stderr


def test_nodes_package_has_its_programs_where_they_are_looked_for(tmp_path: Path) -> None:
    source = tmp_path / "wheel"
    for name in ("bin/node", "lib/node_modules/npm/bin/npm-cli.js", "lib/node_modules/npm/bin/npx-cli.js"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("#!/bin/sh\nexit 0\n")
    boot_packages.lay_out_node(source, tmp_path / "tree")
    programs = tmp_path / "tree/usr/bin"
    assert sorted(path.name for path in programs.iterdir()) == ["node", "npm", "npx"]
    for path in programs.iterdir():
        assert os.access(path, os.X_OK)
        assert path.resolve().is_relative_to(tmp_path / "tree")


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="there is no dpkg-deb")
def test_a_package_has_its_files_and_their_modes(tmp_path: Path) -> None:
    described, path = boot_packages.package("agent", boot_packages.AGENT, tmp_path / "deep" / "agent.deb")
    assert described.startswith("Package: agent\nVersion: 99\n")
    listed = subprocess.run(["dpkg-deb", "--contents", path], check=True, capture_output=True, text=True).stdout
    modes = {line.split()[-1]: line.split()[0] for line in listed.splitlines()}
    assert modes["./opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"] == "-rwxr-xr-x"
    assert modes["./usr/lib/systemd/system/amazon-cloudwatch-agent.service"] == "-rw-r--r--"
    assert not (boot_packages.AGENT / "DEBIAN").exists()


def test_the_machine_finds_every_host_that_it_asks() -> None:
    variables = yaml.safe_load((SCENARIO / "vars" / "main.yml").read_text())
    stack = yaml.safe_load((ROOT / "inventories/clefcloud/group_vars/stacks.yml").read_text())
    (fleet,) = stack["ec2_app_fleets"]
    region = stack["stack_region"]
    (command,) = instances.agent_setup(fleet, region)
    asked = {command.split("https://")[1].split("/")[0], fleet["application"]["repository"].split("/")[2]}
    asked |= {f"{service}.{region}.amazonaws.com" for service in ("ssm", "secretsmanager", "s3")}
    assert asked <= set(variables["boot_names"])
    assert variables["boot_port"] == fleet["application"]["port"]
    assert variables["boot_first_version"] == fleet["application"]["version"]


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node.js")
def test_the_application_says_what_it_knows_but_no_password() -> None:
    (port,) = free_ports(1)
    settings = {"PORT": str(port), "DB_ENGINE": "postgres", "DB_HOST": "db", "DB_PASSWORD": "hidden"}
    node = shutil.which("node")
    assert node
    with subprocess.Popen(
        [node, BACKEND / "src" / "main.js"], env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == f"listening on 127.0.0.1:{port}\n"
            with urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                said = json.load(answer)
            assert said["version"] == "1.0.0"
            assert said["database"] == {"engine": "postgres", "host": "db", "password": True}
            assert "hidden" not in json.dumps(said)
        finally:
            process.terminate()
            out, _errors = process.communicate(timeout=20)
    assert "GET / 200" in out
    assert process.returncode == 0


def test_the_application_can_be_built_without_a_registry() -> None:
    described = json.loads((BACKEND / "package.json").read_text())
    locked = json.loads((BACKEND / "package-lock.json").read_text())
    assert list(locked["packages"]) == [""]
    assert (locked["name"], locked["version"]) == (described["name"], described["version"])

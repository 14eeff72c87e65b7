# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The script that brings an application under Docker Compose to a version, with an engine that only keeps records.

The engine is one with containerd's image store: what has no name is forgotten. molecule/boot runs it on real ones.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tools.collection import ROOT

SCRIPT = ROOT / "roles" / "ec2_app" / "files" / "app-deploy-docker"
#: An engine: images by name, containers by id with the image that they run. A source with "broken" in it builds an
#: image that does not come up, one with "unbuildable" builds none.
ENGINE = """
import hashlib, pathlib, sys
state = pathlib.Path({state!r})
source = pathlib.Path({source!r}, "app.py")
images, containers = state / "images", state / "containers"
words = sys.argv[1:]
text = " ".join(words)

def named(name):
    path = images / name
    if not path.exists():
        sys.exit("No such image: " + name)
    return path

def running():
    return sorted(containers.iterdir())

if text.startswith("compose ps"):
    print("\\n".join(one.name for one in running()))
elif text.startswith("compose --progress plain build"):
    if "unbuildable" in source.read_text():
        sys.exit("it does not build")
    (images / "app:local").write_text(source.read_text())
elif text.startswith("compose up") and "--scale" in words:
    count = int(text.split("app=")[1].split()[0])
    if count > len(running()):
        name = "app-" + str(sum(1 for _ in state.glob("made-*")) + 1)
        (state / ("made-" + name)).touch()
        (containers / name).write_text(named("app:local").read_text())
elif text.startswith("compose exec") and "wget" in words:
    name = words[-1].split("//")[1].split(":")[0]
    sys.exit("broken" in (containers / name).read_text())
elif words[:2] == ["image", "inspect"]:
    print(hashlib.sha256(named(words[-1]).read_bytes()).hexdigest())
elif words[:2] == ["image", "tag"]:
    (images / words[3]).write_text(named(words[2]).read_text())
elif words[:2] == ["image", "rm"]:
    named(words[2]).unlink()
elif words[0] == "inspect":
    print("/" + words[-1] if "Name" in text else 9)
elif words[0] == "rm":
    for name in words[1:]:
        (containers / name).unlink() if not name.startswith("-") else None
elif words[0] not in ("compose", "stop", "logs"):
    sys.exit("what is " + text)
"""
#: Programs that are replaced: nothing waits, and there is one user.
PROGRAMS = {"sleep": "#!/bin/sh\n", "runuser": '#!/bin/sh\nshift 3\nexec "$@"\n', "app-env": "#!/bin/sh\n"}


class Machine:
    """A machine on which the script runs.

    :param root: where everything is that it would find in the usual places.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state, self.source, self.remote = root / "state", root / "source", root / "remote"
        for path in (root / "bin", root / "app/nginx", self.state / "images", self.state / "containers", self.remote):
            path.mkdir(parents=True)
        self.environment = {
            "PATH": f"{root / 'bin'}:{os.environ['PATH']}",
            "HOME": str(root),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "x@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        (root / "app/.env").write_text('A="b"\n')
        (root / "app/compose.yaml").write_text("services: {}\n")
        engine = ENGINE.format(state=str(self.state), source=str(self.source))
        for name, text in {**PROGRAMS, "docker": f"#!{sys.executable} -IS\n{engine}"}.items():
            self.program(name, text)
        places = {
            "/etc/palier/deploy.conf": root / "deploy.conf",
            "/usr/local/sbin/app-env": root / "bin/app-env",
            "/opt/app": root / "app",
            "/run/": f"{root}/",
        }
        script = SCRIPT.read_text()
        for usual, here in places.items():
            script = script.replace(usual, str(here))
        self.program("app-deploy", script)
        self.git("init", "--quiet", "--initial-branch=main")

    def program(self, name: str, text: str) -> None:
        """Install a program."""
        (self.root / "bin" / name).write_text(text)
        (self.root / "bin" / name).chmod(0o755)

    def git(self, *words: str) -> None:
        """Do something with the application's repository."""
        subprocess.run(["git", "-C", self.remote, *words], check=True, env=self.environment, capture_output=True)

    def deploy(self, version: str) -> subprocess.CompletedProcess[str]:
        """Bring a version into the repository, where it is its own source, and to the machine."""
        (self.remote / "app.py").write_text(version)
        self.git("add", "app.py")
        self.git("commit", "--quiet", "--allow-empty", "--message", version)
        return self.run(version)

    def run(self, version: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        (self.root / "deploy.conf").write_text(
            f"APP_USER=me\nAPP_HOME={self.root}\nAPP_SOURCE={self.source}\nAPP_REPOSITORY=file://{self.remote}\n"
            f"APP_VERSION=main # {version}\nAPP_CONTAINER_PORT=8000\nAPP_HEALTH_PATH=/\n"
        )
        return subprocess.run(["app-deploy"], env=self.environment, capture_output=True, text=True, check=False)

    def images(self) -> dict[str, str]:
        """What the engine has: sources by name."""
        return {path.name: path.read_text() for path in (self.state / "images").iterdir()}

    def runs(self) -> list[str]:
        """The source of each container."""
        return [path.read_text() for path in (self.state / "containers").iterdir()]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine that has nothing yet."""
    if not (shutil.which("git") and shutil.which("flock")):
        pytest.skip("it takes git and flock")
    return Machine(tmp_path)


def good(done: subprocess.CompletedProcess[t.Any]) -> str:
    """What a run that went well has said."""
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def test_a_version_takes_the_place_of_the_one_before(machine: Machine) -> None:
    good(machine.deploy("one"))
    assert (machine.runs(), machine.images()) == (["one"], {"app:local": "one"})
    good(machine.deploy("two"))
    assert (machine.runs(), machine.images()) == (["two"], {"app:local": "two"})


def test_the_same_version_changes_nothing(machine: Machine) -> None:
    good(machine.deploy("one"))
    before = sorted((machine.state / "containers").iterdir())
    assert "runs already" in good(machine.run("one"))
    assert sorted((machine.state / "containers").iterdir()) == before
    assert machine.images() == {"app:local": "one"}


@pytest.mark.parametrize("bad", ["broken", "unbuildable"])
def test_a_version_that_fails_leaves_everything_as_it_was(machine: Machine, bad: str) -> None:
    good(machine.deploy("one"))
    failed = machine.deploy(bad)
    assert failed.returncode == 1
    assert "goes on" in failed.stderr
    # What the next boot starts is the image of the name app:local.
    assert (machine.runs(), machine.images()) == (["one"], {"app:local": "one"})
    assert (machine.source / "app.py").read_text() == "one"

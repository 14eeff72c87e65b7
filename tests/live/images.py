# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The base images, made from Debian packages by mmdebstrap, kept by Docker under the digest of their recipe.

mmdebstrap knows Debian's archive by itself, and apt the proxies and mirrors that the machine is set up with: no host
name stands here.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent / "recipes"
#: The first part of the names of images that are ours to remove.
PREFIX = "palier-live"
#: What no container reads.
_LEFT_OUT = ("doc", "man", "locale", "info", "lintian")


@dataclass(frozen=True)
class Base:
    """A base image.

    :param name: as MiniStack or a Dockerfile asks for it, below L{PREFIX}.
    :param packages: of Debian.
    :param files: of L{HERE} by the place where they go; they are executable.
    :param changes: lines of a Dockerfile.
    """

    name: str
    packages: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    suite: str = "trixie"

    @property
    def image(self) -> str:
        """The name with its tag."""
        return f"{PREFIX}/{self.name}"

    @property
    def digest(self) -> str:
        """A checksum of everything that decides what the image holds, but for the versions of the packages."""
        content = {source: (HERE / source).read_text(encoding="utf-8") for source in self.files.values()}
        recipe = [self.suite, self.packages, self.files, self.changes, content, _LEFT_OUT]
        return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]

    def command(self) -> list[str]:
        """What writes the image's files as a tar archive to its standard output."""
        copies = [f"--customize-hook=copy-in {HERE / source} {target}" for target, source in self.files.items()]
        modes = [f'--customize-hook=chmod 755 "$1{target}/{Path(src).name}"' for target, src in self.files.items()]
        left_out = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _LEFT_OUT]
        packages = f"--include={','.join(self.packages)}"
        return ["mmdebstrap", "--quiet", "--variant=minbase", packages, *left_out, *copies, *modes, self.suite, "-"]


#: MiniStack asks for the database by the official image's name; the version is the roles' default.
POSTGRES = Base(
    "postgres:17-alpine",
    ("postgresql-17",),
    {"/usr/local/bin": "postgres/docker-entrypoint.sh"},
    ("ENV LANG=C.UTF-8", "EXPOSE 5432", 'ENTRYPOINT ["docker-entrypoint.sh"]', 'CMD ["postgres"]'),
)
PYTHON = Base("python:3", ("python3", "python3-pg8000", "python-is-python3"), changes=("ENV LANG=C.UTF-8",))
BASES = (POSTGRES, PYTHON)


def docker(*arguments: str, **options: t.Any) -> str:
    """Run Docker's client.

    :returns: its standard output.
    :raises RuntimeError: it failed, or is not there; the text is what it said.
    """
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, **options)
    except FileNotFoundError as error:
        raise RuntimeError("docker is not installed") from error
    if done.returncode:
        raise RuntimeError(f"docker {' '.join(arguments)}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout.strip()


def is_made(base: Base) -> bool:
    """Whether Docker has the image by the recipe as it stands now."""
    label = '{{index .Config.Labels "palier.recipe"}}'
    try:
        return docker("image", "inspect", "--format", label, base.image) == base.digest
    except RuntimeError:
        return False


def make(base: Base) -> bool:
    """Make a base image unless Docker has it.

    :returns: whether it was made now.
    :raises RuntimeError: it cannot be made; the text says why.
    """
    if is_made(base):
        return False
    changes = [f"--change={line}" for line in (*base.changes, f"LABEL palier.recipe={base.digest}")]
    with subprocess.Popen(base.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        try:
            docker("import", *changes, "-", base.image, stdin=writer.stdout)
        finally:
            said = (writer.stderr.read() if writer.stderr else b"").decode(errors="replace")
        if writer.wait():
            raise RuntimeError(f"mmdebstrap for {base.image}: {said.strip()[-2000:]}")
    return True


def build(folder: Path, image: str, version: str, base: str = PYTHON.image) -> None:
    """Build an application's image.

    :param folder: with its Dockerfile.
    :param image: the name with its tag.
    :param version: what the application says of itself.
    :param base: the image that it is built on.
    """
    arguments = (f"--build-arg=BASE={base}", f"--build-arg=VERSION={version}")
    docker("build", "--quiet", *arguments, f"--tag={image}", str(folder))

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What C{molecule/boot*} need around their playbooks: images, ports, a way to the local AWS, an end without remains."""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import socket
import socketserver
import sys
import tempfile
import threading
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from tools import boot_images, boot_packages, remains
from tools.docker_engine import output, own_mtu, quietly

#: Makes what a machine downloads: of an image, in a directory.
Offer = t.Callable[[str, Path], None]
#: What marks everything that a run makes.
LABEL = "palier.boot"
#: Where a host keeps the authorities that it trusts beside the usual ones.
HOST_AUTHORITIES = Path("/usr/local/share/ca-certificates")


class Relay(socketserver.ThreadingUnixStreamServer):
    """A socket in the file system that leads to a port on the loopback interface, which a container cannot reach."""

    daemon_threads = True

    def __init__(self, path: Path, host: str, port: int) -> None:
        self.target = (host, port)
        super().__init__(str(path), Handler)


class Handler(socketserver.BaseRequestHandler):
    """One connection."""

    server: Relay

    def handle(self) -> None:
        """Pass on what either side says, until both have ended."""
        with socket.create_connection(self.server.target) as other:
            back = threading.Thread(target=pass_on, args=(other, self.request), daemon=True)
            back.start()
            pass_on(self.request, other)
            back.join()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Hand on what a socket receives; at its end, end the other one's input."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def relay(path: Path, endpoint: str) -> t.Iterator[None]:
    """A L{Relay} for a while.

    :param path: where the socket is made.
    :param endpoint: URL of the local AWS.
    """
    url = urlsplit(endpoint)
    with Relay(path, url.hostname or "127.0.0.1", url.port or 80) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def apt_settings(dump: str) -> str:
    """What a machine must know of the way to the archives, from the host's own apt: its proxies.

    :param dump: what ``apt-config dump`` writes.
    :returns: a file for ``/etc/apt/apt.conf.d``.
    """
    wanted = ("Acquire::http::Proxy", "Acquire::https::Proxy")
    return "".join(f"{line}\n" for line in dump.splitlines() if line.startswith(wanted) and '""' not in line)


def host_settings(directory: Path) -> None:
    """Write down what a machine takes over from this host: proxies, and authorities that it trusts."""
    (directory / "apt.conf").write_text(apt_settings(output("apt-config", "dump")))
    authorities = directory / "host-ca"
    authorities.mkdir()
    for path in sorted(HOST_AUTHORITIES.rglob("*.crt")):
        shutil.copy(path, authorities)


def sweep(run: str) -> list[str]:
    """Remove what a run has made in the engine, however it ended.

    :param run: its name.
    :returns: what there was.
    """
    label = f"label={LABEL}={run}"
    found = []
    for kind, listing, removal in (
        ("container", ("ps", "--all"), ("rm", "--force", "--volumes")),
        ("network", ("network", "ls"), ("network", "rm")),
        ("volume", ("volume", "ls"), ("volume", "rm", "--force")),
    ):
        for name in output("docker", *listing, "--quiet", "--filter", label).split():
            found.append(f"{kind} {name}")
            quietly("docker", *removal, name)
    return found


@contextlib.contextmanager
def prepared(
    stand_ins: t.Sequence[str], offer: Offer, image: str, endpoint: str, say: t.Callable[[str], None]
) -> t.Iterator[dict[str, str]]:
    """What a scenario's playbooks find in their environment, and the end of all that they made.

    :param stand_ins: images of L{boot_images.STAND_INS}.
    :param offer: makes what the machine downloads.
    :param image: a machine of L{boot_images.MACHINES}.
    :param endpoint: URL of the local AWS.
    :param say: is told what takes a while.
    :raises ImageError: if an image cannot be made; UnreachableError if the machine's archive cannot be reached.
    :raises NoEngineError: if images cannot be made here.
    """
    boot_images.prepare_host(say)
    images = {name: boot_images.ensure(boot_images.STAND_INS[name], say) for name in stand_ins}
    images["machine"] = boot_images.ensure(boot_images.MACHINES[image], say)
    # Its name is the run's: unique, and short enough for a socket.
    with tempfile.TemporaryDirectory(prefix=f"palier-boot-{remains.mark()}-", dir=remains.SOCKETS) as name:
        directory = Path(name)
        directory.chmod(0o755)
        host_settings(directory)
        # Not by the playbooks: where they run, everything outside is the local AWS.
        offer(image, directory / "downloads")
        ports = dict(zip(("http", "ssh", "registry"), free_ports(3), strict=True))
        with relay(directory / "aws.sock", endpoint):
            try:
                yield {
                    "PALIER_BOOT_DIRECTORY": name,
                    "PALIER_BOOT_IMAGE": image,
                    "PALIER_BOOT_IMAGES": json.dumps(images),
                    "PALIER_BOOT_PORTS": json.dumps({**ports, "mtu": own_mtu()}),
                }
            finally:
                sweep(directory.name)


#: What C{molecule/boot} needs: the server of a single application, in containers.
surroundings = functools.partial(prepared, ["world", "nginx", "python"], boot_packages.offer)
#: What C{molecule/boot_fleet} needs: one of many, without containers.
fleet_surroundings = functools.partial(prepared, ["world"], boot_packages.offer_fleet)


def script(region: str) -> str:
    """The script of the last command that Systems Manager was given, as its agent writes it to a file."""
    import boto3

    commands = boto3.client("ssm", region_name=region).list_commands()["Commands"]
    last = max(commands, key=lambda command: command["RequestedDateTime"])
    return "\n".join(last["Parameters"]["commands"]) + "\n"


def main(arguments: t.Sequence[str] | None = None) -> int:
    """What the playbooks ask for: ``script REGION FILE``."""
    _verb, region, target = list(sys.argv[1:] if arguments is None else arguments)
    Path(target).write_text(script(region))
    return 0


if __name__ == "__main__":
    sys.exit(main())

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starts MiniStack with its data plane, and takes away everything that ran in it."""

from __future__ import annotations

import base64
import contextlib
import datetime
import fcntl
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.error
import urllib.request
import venv
from pathlib import Path

from tests.live.images import PREFIX, docker
from tools import remains

ROOT = Path(__file__).resolve().parent.parent.parent
#: MiniStack pins a botocore of its own, so it lives in an environment of its own.
HOME = ROOT / ".cache" / "ministack"
PACKAGE = "ministack[full]==1.5.33"
#: An access key that is an account's number is the root user of that account.
ACCOUNT = "000000000000"
#: What MiniStack writes on the containers that it starts: which one of several it is that did.
_OWNER = "ministack.instance"


class PlatformError(Exception):
    """The platform cannot start or does not answer; the text says why."""


def free_ports(number: int) -> list[int]:
    """Ports of loopback that are free now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def install() -> Path:
    """MiniStack's Python, installed if it is not there yet.

    :raises PlatformError: it cannot be installed.
    """
    python = HOME / "bin" / "python"
    HOME.parent.mkdir(parents=True, exist_ok=True)
    # Tests that run side by side want it at the same time.
    with HOME.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (HOME / "bin" / "ministack").exists():
            return python
        venv.create(HOME, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise PlatformError(f"{PACKAGE} cannot be installed: {done.stderr.strip()[-500:]}")
    return python


def write_certificates(folder: Path, names: t.Iterable[str]) -> None:
    """A certificate authority for this run only, and a certificate of its for names.

    :param folder: gets ca.pem, server.pem and server.key.
    :param names: DNS names, wildcards included.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.datetime.now(datetime.UTC)

    def builder(name: str, issuer: x509.Name | None, key: t.Any) -> x509.CertificateBuilder:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return (
            x509.CertificateBuilder(subject_name=subject, issuer_name=issuer or subject, public_key=key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=2))
        )

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    identifier = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    root = (
        builder("palier.aws live run", None, root_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(identifier, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        builder("live", root.subject, key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(root.public_bytes(pem))
    (folder / "server.pem").write_bytes(leaf.public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").write_bytes(secret)
    (folder / "server.key").chmod(0o600)


def image_name(line: str) -> str:
    """The name by which an image goes away.

    :param line: its repository, tag and digest as Docker lists them.
    """
    repository, tag, digest = line.split()
    return f"{repository}:{tag}" if tag != "<none>" else f"{repository}@{digest}"


def remove_images(ports: t.Iterable[int]) -> None:
    """Remove the images that were pulled for tasks.

    :param ports: of the registries that they came from.
    """
    # By name and never by id: the application's own image has the same id.
    form = "{{.Repository}} {{.Tag}} {{.Digest}}"
    for port in ports:
        with contextlib.suppress(RuntimeError):
            lines = docker("images", "--digests", f"--format={form}", f"--filter=reference=127.0.0.1:{port}/*/*")
            lines += "\n" + docker("images", "--digests", f"--format={form}", f"--filter=reference=127.0.0.1:{port}/*")
            for name in dict.fromkeys(image_name(line) for line in lines.splitlines() if line):
                with contextlib.suppress(RuntimeError):
                    docker("rmi", name)


def sweep_images(settings: Path) -> None:
    """Remove the images that were pulled for a platform whose run was killed.

    :param settings: what that run has written, if it is there.
    """
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(settings.read_text(encoding="utf-8"))
        if remains.is_dead(str(found.get("run", ""))):
            remove_images(found["registries"].values())


class Platform:
    """A running platform; use it in a C{with} statement.

    :param folder: keeps the log; its other files are removed in the end.
    :param regions: those that have a registry and load balancers.
    :param names: the stacks' own names, for the certificate.
    """

    def __init__(self, folder: Path, regions: t.Sequence[str], names: t.Sequence[str] = ()) -> None:
        self.folder = folder.resolve()
        self.regions = list(regions)
        balancers = [f"*.{region}.elb.amazonaws.com" for region in self.regions]
        own = [f"*.dkr.ecr.{region}.amazonaws.com" for region in self.regions]
        self.names = [*names, "*.cloudfront.net", *balancers, *own]
        self.port, self.tls_port, self.proxy_port, *registries = free_ports(3 + len(self.regions))
        self.registries = dict(zip(self.regions, registries, strict=True))
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._stack = contextlib.ExitStack()

    @property
    def environment(self) -> dict[str, str]:
        """What any client of AWS, of the load balancers, distributions and names needs."""
        proxy = f"http://127.0.0.1:{self.proxy_port}"
        keys = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
        direct = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
        trusted = str(self.folder / "trusted.pem")
        return {
            "AWS_ENDPOINT_URL": self.url,
            **keys,
            **proxies,
            **direct,
            "SSL_CERT_FILE": trusted,
            "AWS_CA_BUNDLE": trusted,
        }

    @property
    def docker_environment(self) -> dict[str, str]:
        """What Docker's client needs: where it keeps the registries' passwords."""
        return {**os.environ, "DOCKER_CONFIG": str(self.folder / "docker")}

    def __enter__(self) -> Platform:
        with self._stack:
            self._start()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        python = install()
        self.folder.mkdir(parents=True, exist_ok=True)
        sweep_images(self.folder / "settings.json")
        scratch = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="palier-live-")))
        write_certificates(self.folder, self.names)
        (self.folder / "trusted.pem").write_bytes((self.folder / "ca.pem").read_bytes())
        for name in ("server.pem", "server.key", "trusted.pem", "ca.pem", "settings.json"):
            self._stack.callback((self.folder / name).unlink, missing_ok=True)
        self._write_login()
        settings = {
            "port": self.port,
            "tls_port": self.tls_port,
            "proxy_port": self.proxy_port,
            "registries": self.registries,
            "run": remains.mark(),
            "certificate": str(self.folder / "server.pem"),
            "key": str(self.folder / "server.key"),
        }
        (self.folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        self._stack.callback(self._sweep)
        log = self._stack.enter_context((self.folder / "ministack.log").open("wb"))
        self.process = subprocess.Popen(
            [str(python), "-m", "tests.live", str(self.folder / "settings.json")],
            cwd=ROOT,
            env=self._server_environment(scratch),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self._stack.callback(self._stop)
        self._wait()

    def _server_environment(self, scratch: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **{name: value for name, value in kept.items() if not name.lower().endswith("_proxy")},
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(scratch),
            "S3_DATA_DIR": str(scratch / "s3"),
            "DOCKER_CONFIG": str(self.folder / "docker"),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            # Requests without a signature get what anybody may have, as on AWS.
            "AUTH": "true",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": self.regions[0],
            "MINISTACK_IMAGE_PREFIX": PREFIX,
            # Containers are reached at their own addresses, from here and from one another.
            "DOCKER_NETWORK": "bridge",
            "MINISTACK_HOSTNAME": self.owner.rpartition(":")[0],
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LIVE_REGISTRIES": json.dumps(self.registries),
        }

    def _write_login(self) -> None:
        folder = self.folder / "docker"
        folder.mkdir(exist_ok=True)
        login = base64.b64encode(b"AWS:" + ACCOUNT.encode()).decode()
        hosts = [f"127.0.0.1:{port}" for port in self.registries.values()]
        document = {"auths": {host: {"auth": login} for host in hosts}}
        (folder / "config.json").write_text(json.dumps(document), encoding="utf-8")

    def _wait(self) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                    f"{self.url}/_ministack/health", timeout=5
                ):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        end = (self.folder / "ministack.log").read_text(errors="replace")[-2000:]
        raise PlatformError(f"MiniStack does not answer:\n{end}")

    def _stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def containers(self) -> list[str]:
        """The ids of the containers that this platform started, whatever their state."""
        return docker("ps", "--all", "--quiet", f"--filter=label={_OWNER}={self.owner}").split()

    @property
    def owner(self) -> str:
        """What MiniStack writes on its containers."""
        return f"palier-live-{remains.mark()}-{self.port}:{self.port}"

    def _sweep(self) -> None:
        """Remove what MiniStack left: containers with their volumes, images that were pulled for tasks."""
        with contextlib.suppress(RuntimeError):
            if left := self.containers():
                docker("rm", "--force", "--volumes", *left)
        remove_images(self.registries.values())

    def opener(self, *handlers: t.Any) -> urllib.request.OpenerDirector:
        """Opens addresses as they are on AWS."""
        proxy = f"http://127.0.0.1:{self.proxy_port}"
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({"http": proxy, "https": proxy}),
            urllib.request.HTTPSHandler(context=context),
            *handlers,
        )


if __name__ == "__main__":
    sys.exit("python -m tools.containers runs it")

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a registry may be, how long is waited, which token is used. Requests are tested in tests/integration/ecr."""

from __future__ import annotations

import contextlib
import datetime
import ssl
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from ansible_collections.palier.aws.plugins.module_utils import registry_client
from ansible_collections.palier.aws.plugins.module_utils.registry_client import RegistryError, Token, TokenSource
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "url",
    ["https://1.dkr.ecr.eu-west-3.amazonaws.com", "http://127.0.0.1:5000", "http://localhost/v2/", "http://[::1]:5000"],
)
def test_encrypted_and_loopback_addresses_are_taken(url):
    assert registry_client.check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://registry.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        "ftp://127.0.0.1",
        "https://",
        "127.0.0.1:5000",
    ],
)
def test_others_are_refused(url):
    with pytest.raises(RegistryError, match="is not encrypted"):
        registry_client.check_url(url)


@given(st.integers(1, 40), st.none() | st.integers(0, 10_000).map(str) | st.just("Wed, 21 Oct 2026 07:28:00 GMT"))
def test_pauses_grow_to_a_limit_and_listen_to_the_server(attempt, asked):
    seconds = registry_client.pause(attempt, asked)
    assert 0 < seconds <= 60
    if asked and asked.isdigit():
        assert seconds >= min(int(asked), 60)
    else:
        assert seconds <= 20


def test_a_token_is_fetched_once_for_all_threads():
    fetched = []

    def fetch() -> Token:
        fetched.append(len(fetched))
        return Token(f"token-{len(fetched)}", 10_000.0)

    source = TokenSource(fetch, lambda: 0.0)
    threads = [threading.Thread(target=source.get) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1


def test_a_refused_token_is_replaced_once_whoever_says_so_last():
    numbers = iter(range(9))
    source = TokenSource(lambda: Token(f"token-{next(numbers)}", 10_000.0), lambda: 0.0)
    old = source.get()
    source.refused(old)
    new = source.get()
    source.refused(old)
    assert (old, new, source.get()) == ("token-0", "token-1", "token-1")


@pytest.fixture
def stranger(tmp_path: Path) -> t.Iterator[tuple[str, Path]]:
    """The address of a server whose certificate nobody has signed but itself, and the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stranger")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = tmp_path / "certificate.pem"
    path.write_bytes(certificate.public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, tmp_path / "key.pem")
    with Server(("127.0.0.1", 0), Empty) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}", path
        server.shutdown()
        thread.join()


class Server(HTTPServer):
    """Says nothing of clients that hang up."""

    def handle_error(self, *_args: t.Any) -> None:
        pass


class Empty(BaseHTTPRequestHandler):
    """A registry without content."""

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_args: t.Any) -> None:
        pass


def test_a_certificate_that_does_not_verify_is_said_at_once(stranger: tuple[str, Path]) -> None:
    url, certificate = stranger
    waited: list[float] = []
    with contextlib.closing(registry_client.Pools(1)) as pools:
        registry = registry_client.Registry(url, None, pools, waited.append)
        with pytest.raises(RegistryError, match="certificate verify failed"):
            registry.blob_size("app", "sha256:0")
    assert (registry.requests, waited) == (1, [])
    with contextlib.closing(registry_client.Pools(1, str(certificate))) as pools:
        assert registry_client.Registry(url, None, pools).blob_size("app", "sha256:0") is None

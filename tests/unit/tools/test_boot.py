# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is around a booted machine: its seed, its way to the local AWS, what it takes from the host, what is removed."""

from __future__ import annotations

import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import jinja2
import pytest
import yaml

from tools import boot as subject
from tools import boot_images, boot_packages
from tools.collection import ROOT

SCENARIO = ROOT / "molecule" / "boot"


def test_the_seed_says_what_ec2_says_of_an_instance() -> None:
    environment = jinja2.Environment(autoescape=False)
    environment.filters["to_json"] = json.dumps
    template = environment.from_string((SCENARIO / "templates" / "meta-data.j2").read_text())
    key = "ssh-ed25519 AAAA someone: else"
    assert yaml.safe_load(template.render(boot_run="palier-boot-x", boot_key=key)) == {
        "instance-id": "i-palier-boot-x",
        "local-hostname": "machine",
        "public-keys": [key],
    }


@pytest.mark.parametrize("scenario", ["boot", "boot_fleet"])
def test_the_world_answers_to_every_name_that_the_machine_asks_for(scenario: str) -> None:
    names = yaml.safe_load((ROOT / "molecule" / scenario / "vars" / "main.yml").read_text())["boot_names"]
    conf = (SCENARIO / "images" / "world" / "etc" / "nginx" / "nginx.conf").read_text()
    served = re.findall(r"^    server_name (\S+);$", conf, flags=re.MULTILINE)
    patterns = [one[1:] if one.startswith("~") else re.escape(one) for one in served]
    # Whatever is not served by name is a download.
    files = ("amazoncloudwatch-agent-", "deb.nodesource.com", "download.docker.com", "s3.", "truststore.")
    assert [
        name for name in names if not name.startswith(files) and not any(re.fullmatch(one, name) for one in patterns)
    ] == []
    assert not [name for name in names if name.startswith(files) and any(re.fullmatch(one, name) for one in patterns)]


@pytest.mark.parametrize("line", ['Acquire::http::Proxy "http://a:1";', 'Acquire::https::Proxy::b "DIRECT";'])
def test_proxies_come_from_the_host(line: str) -> None:
    dump = f'APT::Architecture "amd64";\nAcquire::http::Proxy "";\n{line}\n'
    assert subject.apt_settings(dump) == f"{line}\n"


def test_authorities_come_from_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted = tmp_path / "trusted" / "deep"
    trusted.mkdir(parents=True)
    (trusted / "own.crt").write_text("a certificate")
    monkeypatch.setattr(subject, "HOST_AUTHORITIES", tmp_path / "trusted")
    run = tmp_path / "run"
    run.mkdir()
    subject.host_settings(run)
    assert [path.name for path in (run / "host-ca").iterdir()] == ["own.crt"]


class Answer(BaseHTTPRequestHandler):
    """Answers with the path that was asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_socket_in_a_directory_leads_to_the_local_aws(tmp_path: Path) -> None:
    path = tmp_path / "aws.sock"
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with (
            subject.relay(path, f"http://127.0.0.1:{server.server_port}"),
            socket.socket(socket.AF_UNIX) as asking,
        ):
            asking.connect(str(path))
            asking.sendall(b"GET /here HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: asking.recv(1000), b""))
        server.shutdown()
        thread.join()
    assert answer.endswith(b"/here")


def test_ports_are_different_ones() -> None:
    assert len(set(subject.free_ports(3))) == 3


def test_what_a_run_made_is_removed_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {"ps": "c1\nc2\n", "network": "n1\n", "volume": ""}
    removed: list[tuple[str, ...]] = []

    def output(*command: str) -> str:
        assert command[-2:] == ("--filter", "label=palier.boot=run")
        return listed[command[1]]

    monkeypatch.setattr(subject, "output", output)
    monkeypatch.setattr(subject, "quietly", lambda *command: removed.append(command[1:]) or True)
    assert subject.sweep("run") == ["container c1", "container c2", "network n1"]
    assert removed == [
        ("rm", "--force", "--volumes", "c1"),
        ("rm", "--force", "--volumes", "c2"),
        ("network", "rm", "n1"),
    ]


def test_a_repository_lists_its_packages_by_digest(tmp_path: Path) -> None:
    path = tmp_path / "pool" / "a.deb"
    path.parent.mkdir()
    path.write_bytes(b"abc")
    listed = boot_packages.index([("Package: a\n", path)], tmp_path)
    assert listed == (
        "Package: a\nFilename: pool/a.deb\nSize: 3\n"
        "SHA256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n"
    )
    assert f" {len(listed)} stable/binary-" in boot_packages.release("bookworm", "stable", listed)


def test_no_image_gets_a_directory_that_a_clone_does_not_carry() -> None:
    # git keeps files alone; an empty directory that an image needs belongs into its recipe's commands.
    places = [place for place in boot_images.FILES.rglob("*") if place.is_dir()]
    assert places
    assert [place for place in places if not any(place.iterdir())] == []

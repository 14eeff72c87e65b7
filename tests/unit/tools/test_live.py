# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pure parts of the local AWS that runs containers: its proxy, its patches, its images."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import tarfile
from io import BytesIO
from xml.etree import ElementTree

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.live import images, patches, platform, proxy
from tests.live.__main__ import at_registry, registry_host
from tests.live.patches import application_scaling, cloudfront, ec2, ecs, rds_snapshots, target_health

URL = "https://files.example.com/private/a.txt"


# The proxy.


@pytest.mark.parametrize(
    ("head", "port", "sent"),
    [
        (b"CONNECT shop.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", 443, b""),
        (
            b"GET http://shop.example.com/a?b=c HTTP/1.1\r\nHost: shop.example.com\r\nConnection: keep-alive\r\n\r\n",
            80,
            b"GET /a?b=c HTTP/1.1\r\nConnection: close\r\nHost: shop.example.com\r\n\r\n",
        ),
        (b"GET http://shop.example.com:8080 HTTP/1.0\r\n\r\n", 8080, b"GET / HTTP/1.0\r\nConnection: close\r\n\r\n"),
    ],
)
def test_where_a_request_goes(head, port, sent):
    assert proxy.route(head) == (port, sent)


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\n\r\n", b"GET ftp://x/ HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n"])
def test_what_the_proxy_does_not_pass_on(head):
    with pytest.raises(proxy.RefusedError):
        proxy.route(head)


async def _through(proxy_port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy_port)
    writer.write(request)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def test_the_proxy_carries_and_refuses():
    async def run() -> tuple[bytes, bytes]:
        async def handle(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nhello")
            await writer.drain()
            writer.close()

        target = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = target.sockets[0].getsockname()[1]
        front = await proxy.serve(0, {80: port})
        door = front.sockets[0].getsockname()[1]
        async with target, front:
            fine = await _through(door, b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n")
            refused = await _through(door, b"CONNECT a:22 HTTP/1.1\r\n\r\n")
        return fine, refused

    fine, refused = asyncio.run(run())
    assert fine.endswith(b"hello")
    assert refused.startswith(b"HTTP/1.1 403")


def test_a_port_stands_for_a_registry():
    registries = {5001: registry_host("000000000000", "eu-west-3")}
    scope = {"type": "http", "server": ("127.0.0.1", 5001), "headers": [(b"Host", b"127.0.0.1:5001"), (b"a", b"b")]}
    assert at_registry(scope, registries)["headers"] == [
        (b"a", b"b"),
        (b"host", b"000000000000.dkr.ecr.eu-west-3.amazonaws.com"),
    ]
    other = {**scope, "server": ("127.0.0.1", 80)}
    assert at_registry(other, registries) is other


# The patches.


def test_every_patch_says_what_it_restores():
    found = patches.all_patches()
    assert len({one.name for one in found}) == len(found) > 10
    for one in found:
        assert one.restores.endswith(".")
        assert one.source
        assert all(touched.startswith("ministack.") and ":" in touched for touched in one.touches)
        assert one.apply.__doc__


@pytest.mark.parametrize(
    ("image", "local"),
    [
        ("000000000000.dkr.ecr.eu-west-3.amazonaws.com/shop/web:v1", "127.0.0.1:5001/shop/web:v1"),
        ("000000000000.dkr.ecr.eu-west-3.amazonaws.com/web@sha256:ab", "127.0.0.1:5001/web@sha256:ab"),
        ("000000000000.dkr.ecr.us-east-1.amazonaws.com/web:v1", "000000000000.dkr.ecr.us-east-1.amazonaws.com/web:v1"),
        ("nginx:1.27", "nginx:1.27"),
    ],
)
def test_where_an_image_is_pulled_from(image, local):
    assert ecs.local_image(image, {"eu-west-3": 5001}) == local


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def trusted(key):
    public = key.public_key()
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {"K1": public.public_bytes(*form).decode()}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode().translate(str.maketrans("+=/", "-_~"))


def canned(key, url: str, until: int) -> dict[str, str]:
    policy = {"Statement": [{"Resource": url, "Condition": {"DateLessThan": {"AWS:EpochTime": until}}}]}
    text = json.dumps(policy, separators=(",", ":")).encode()
    signature = encoded(key.sign(text, padding.PKCS1v15(), hashes.SHA1()))
    return {"Expires": str(until), "Signature": signature, "Key-Pair-Id": "K1"}


def test_a_signed_address_is_let_in(key, trusted):
    assert cloudfront.admits(URL, canned(key, URL, 1000), trusted, 999)


@pytest.mark.parametrize(
    "change",
    [
        {"Expires": "2000"},
        {"Key-Pair-Id": "K2"},
        {"Signature": encoded(b"x" * 256)},
        {"Expires": "soon"},
    ],
)
def test_a_tampered_address_is_not(key, trusted, change):
    assert not cloudfront.admits(URL, canned(key, URL, 1000) | change, trusted, 999)


def test_late_other_and_unsigned_addresses_are_not_let_in(key, trusted):
    query = canned(key, URL, 1000)
    assert not cloudfront.admits(URL, query, trusted, 1000)
    assert not cloudfront.admits(URL + "x", query, trusted, 999)
    assert not cloudfront.admits(URL, {}, trusted, 999)


def test_a_custom_policy_begins_and_ends_and_has_wildcards(key, trusted):
    condition = {"DateLessThan": {"AWS:EpochTime": 100}, "DateGreaterThan": {"AWS:EpochTime": 50}}
    policy = {"Statement": [{"Resource": "https://files.example.com/private/*", "Condition": condition}]}
    text = json.dumps(policy).encode()
    signature = encoded(key.sign(text, padding.PKCS1v15(), hashes.SHA256()))
    query = {"Policy": encoded(text), "Signature": signature, "Key-Pair-Id": "K1", "Hash-Algorithm": "SHA256"}
    assert cloudfront.admits(URL, query, trusted, 60)
    assert not cloudfront.admits(URL, query, trusted, 40)
    assert not cloudfront.admits("https://files.example.com/other", query, trusted, 60)


CONFIG = """<DistributionConfig><DefaultCacheBehavior><TargetOriginId>s3</TargetOriginId></DefaultCacheBehavior>
<CacheBehaviors><Items><CacheBehavior><PathPattern>/private/*</PathPattern><TrustedKeyGroups><Items>
<KeyGroup>G1</KeyGroup></Items></TrustedKeyGroups></CacheBehavior></Items></CacheBehaviors></DistributionConfig>"""


@pytest.mark.parametrize(("path", "groups"), [("/private/a", ["G1"]), ("/", []), ("/privates", [])])
def test_which_paths_want_a_signature(path, groups):
    assert cloudfront.trusted_groups(ElementTree.fromstring(CONFIG), path) == groups


def test_scaling_keeps_bounds_and_moves_the_service():
    moved = []
    scaling = application_scaling.Scaling(lambda *arguments: moved.append(arguments))
    target = {"ResourceId": "service/c/s", "MinCapacity": 2, "MaxCapacity": 4}
    here = "000000000000:eu-west-3"
    arn = scaling.answer("RegisterScalableTarget", here, target)["ScalableTargetARN"]
    assert ":eu-west-3:000000000000:" in arn
    assert scaling.answer("RegisterScalableTarget", here, {**target, "MinCapacity": 1})["ScalableTargetARN"] == arn
    assert moved == [("service/c/s", 2, 4), ("service/c/s", 1, 4)]
    [found] = scaling.answer("DescribeScalableTargets", here, {"ResourceIds": ["service/c/s"]})["ScalableTargets"]
    assert found["MinCapacity"] == 1
    assert scaling.answer("DescribeScalableTargets", "000000000000:us-east-1", {})["ScalableTargets"] == []


def test_policies_go_with_their_target():
    scaling = application_scaling.Scaling(lambda *_arguments: None)
    policy = {"ResourceId": "service/c/s", "PolicyName": "cpu"}
    with pytest.raises(application_scaling.MissingError):
        scaling.answer("PutScalingPolicy", "1:r", policy)
    scaling.answer("RegisterScalableTarget", "1:r", {"ResourceId": "service/c/s", "MinCapacity": 1, "MaxCapacity": 1})
    first = scaling.answer("PutScalingPolicy", "1:r", policy)["PolicyARN"]
    assert scaling.answer("PutScalingPolicy", "1:r", policy)["PolicyARN"] == first
    assert len(scaling.answer("DescribeScalingPolicies", "1:r", {"ResourceId": "service/c/s"})["ScalingPolicies"]) == 1
    scaling.answer("DeregisterScalableTarget", "1:r", {"ResourceId": "service/c/s"})
    assert scaling.answer("DescribeScalingPolicies", "1:r", {})["ScalingPolicies"] == []
    with pytest.raises(application_scaling.MissingError):
        scaling.answer("DeregisterScalableTarget", "1:r", {"ResourceId": "service/c/s"})


def test_a_restore_makes_what_the_snapshot_had_and_the_request_wants():
    snapshot = {
        "DBInstanceClass": "db.t4g.micro", "StorageType": "gp3", "Engine": "postgres", "EngineVersion": "17.5",
        "MasterUsername": "owner", "_password": "secret", "DBName": "shop", "AllocatedStorage": 20,
        "StorageEncrypted": True, "KmsKeyId": "k",
    }  # fmt: skip
    request = {
        "DBInstanceIdentifier": "new", "DBSnapshotIdentifier": "s", "MultiAZ": "true", "Tags.Tag.1.Key": "a",
        "ManageMasterUserPassword": "true", "Action": "RestoreDBInstanceFromDBSnapshot",
    }  # fmt: skip
    made = rds_snapshots.creation(request, snapshot)
    assert made["DBInstanceIdentifier"] == "new"
    assert made["DBName"] == "shop"
    assert made["StorageEncrypted"] == "true"
    assert made["ManageMasterUserPassword"] == made["MultiAZ"] == "true"
    assert made["Tags.Tag.1.Key"] == "a"
    assert "Action" not in made
    assert "DBSnapshotIdentifier" not in made


def test_archive_has_one_file():
    with tarfile.open(fileobj=BytesIO(rds_snapshots.archive("a", b"xyz"))) as tar:
        assert tar.extractfile("a").read() == b"xyz"


# Images.


def test_the_digest_follows_the_recipe():
    base = images.PYTHON
    assert base.digest == dataclasses.replace(base).digest
    assert base.digest != dataclasses.replace(base, packages=("python3",)).digest
    assert base.digest != dataclasses.replace(base, changes=("ENV A=b",)).digest
    assert base.digest != dataclasses.replace(base, suite="bookworm").digest


def test_the_command_copies_files_and_names_no_host():
    command = images.POSTGRES.command()
    assert any("copy-in" in part and "docker-entrypoint.sh /usr/local/bin" in part for part in command)
    assert not any("://" in part for part in command)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("127.0.0.1:5000/web v1 sha256:ab", "127.0.0.1:5000/web:v1"),
        ("127.0.0.1:5000/web <none> sha256:ab", "127.0.0.1:5000/web@sha256:ab"),
    ],
)
def test_images_go_by_name(line, name):
    assert platform.image_name(line) == name


def test_the_certificate_is_for_the_names(tmp_path):
    from cryptography import x509

    platform.write_certificates(tmp_path, ["*.example.com", "example.com"])
    leaf = x509.load_pem_x509_certificate((tmp_path / "server.pem").read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["*.example.com", "example.com"]
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes()))
    assert (tmp_path / "server.key").stat().st_mode & 0o077 == 0


def test_free_ports_differ():
    assert len(set(platform.free_ports(5))) == 5


# Health checks.

GROUP = {"TargetGroupArn": "g", "HealthCheckPath": "/up", "Matcher": {"HttpCode": "200-299"}, "Port": 80}


@pytest.mark.parametrize(
    ("matcher", "status", "good"),
    [("200", 200, True), ("200", 301, False), ("200-299", 204, True), ("200,302", 302, True), ("200,302", 301, False)],
)
def test_matcher(matcher, status, good):
    assert target_health.matches(matcher, status) is good


def test_results_of_checks_are_believed_for_a_while_only():
    now, asked, status = [0.0], [], [0]

    def ask(*arguments):
        asked.append(arguments)
        return status[0]

    checks = target_health.Checks(ask, lambda: now[0])
    target = {"Id": "10.0.0.1", "Port": 8000}
    assert not checks.healthy(GROUP, target)
    assert asked == [("10.0.0.1", 8000, "/up", 5.0)]
    assert not checks.healthy(GROUP, target)
    assert len(asked) == 1
    now[0], status[0] = 0.5, 200
    assert checks.healthy(GROUP, target)
    status[0] = 503
    now[0] += 1
    assert checks.healthy(GROUP, target)
    now[0] += 2
    assert not checks.healthy(GROUP, target)
    assert len(asked) == 3


def test_a_health_check_may_have_a_port_of_its_own():
    asked = []
    checks = target_health.Checks(lambda *arguments: asked.append(arguments) or 200)
    assert checks.healthy({**GROUP, "HealthCheckPort": "9000"}, {"Id": "10.0.0.1", "Port": 8000})
    assert asked[0][1] == 9000


def test_replaced_deployments_are_forgotten_when_the_new_one_is_complete():
    failed = {"status": "ACTIVE", "rolloutState": "FAILED", "runningCount": 0}
    draining = {"status": "ACTIVE", "rolloutState": "COMPLETED", "runningCount": 1}
    service = {"deployments": [failed, draining, {"status": "PRIMARY", "rolloutState": "IN_PROGRESS"}]}
    target_health.forget_replaced(service)
    assert len(service["deployments"]) == 3
    service["deployments"][2]["rolloutState"] = "COMPLETED"
    target_health.forget_replaced(service)
    assert service["deployments"] == [draining, {"status": "PRIMARY", "rolloutState": "COMPLETED"}]


@pytest.mark.parametrize(("run", "removed"), [("dead", [5001, 5002]), ("alive", []), (None, [])])
def test_images_of_a_killed_run_go(tmp_path, monkeypatch, run, removed):
    settings = tmp_path / "settings.json"
    found = []
    monkeypatch.setattr(platform.remains, "is_dead", lambda mark: mark == "dead")
    monkeypatch.setattr(platform, "remove_images", found.extend)
    platform.sweep_images(settings)
    settings.write_text(json.dumps({"registries": {"a": 5001, "b": 5002}, **({"run": run} if run else {})}))
    platform.sweep_images(settings)
    assert found == removed


def test_a_platform_names_its_containers_after_its_run():
    found = platform.Platform(platform.ROOT, ["eu-west-3"])
    assert platform.remains.mark_in(found.owner) == platform.remains.mark()


@pytest.mark.parametrize(
    ("filters", "public", "meant"),
    [
        ({}, (), True),
        ({}, ("52.0.0.1",), True),
        ({}, ("52.0.0.2",), False),
        ({"domain": ["vpc"], "tag:Name": ["any"]}, (), True),
        ({"public-ip": ["52.0.0.1", "52.0.0.2"]}, (), True),
        ({"allocation-id": ["eipalloc-2"]}, (), False),
        ({"association-id": ["eipassoc-1"]}, ("52.0.0.1",), False),
    ],
)
def test_which_addresses_are_meant(filters, public, meant):
    address = {"AllocationId": "eipalloc-1", "PublicIp": "52.0.0.1", "Domain": "vpc", "AssociationId": None}
    assert ec2.is_meant(address, filters, public) is meant

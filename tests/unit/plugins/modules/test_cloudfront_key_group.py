# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module cloudfront_key_group as a whole, against the emulator."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.modules import cloudfront_key_group
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.emulator import Emulator
from tests.emulator.fixtures import emulator, emulator_process
from tests.unit.module_runner import recorded_calls, run_module, writes

__all__ = ["emulator", "emulator_process"]


def pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


OLD, NEW = {"name": "2025", "pem": pem()}, {"name": "2026", "pem": pem()}


@pytest.fixture
def cloud(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> t.Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    return emulator.client("cloudfront")


def group(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    result = run_module(cloudfront_key_group, {"name": "shop", **options}, check)
    assert not result.get("failed"), result["msg"]
    return result


def steps(result: dict[str, t.Any]) -> list[tuple[str, str]]:
    return [(step["action"], step["resource"].split()[1]) for step in result["plan"]]


def keys(cloud: t.Any) -> list[str]:
    return [key["Id"] for key in cloud.list_public_keys()["PublicKeyList"].get("Items") or []]


def test_created_once(cloud: t.Any) -> None:
    result = group(keys=[OLD])
    assert steps(result) == [("create", "public"), ("create", "key")]
    assert list(result["key_group"]["public_keys"]) == ["2025"]
    again = group(keys=[{**OLD, "pem": f"\n{OLD['pem'].strip()}"}])
    assert (again["changed"], again["key_group"]) == (False, result["key_group"])
    (found,) = cloud.list_key_groups()["KeyGroupList"]["Items"]
    assert found["KeyGroup"]["KeyGroupConfig"]["Items"] == keys(cloud)


def test_check_mode_writes_nothing_and_says_the_same(cloud: t.Any) -> None:
    for wanted in ([OLD], [NEW], [OLD, NEW]):
        with recorded_calls() as calls:
            planned = group(check=True, keys=wanted)
        done = group(keys=wanted)
        assert writes(calls) == []
        assert [planned[key] for key in ("changed", "plan", "diff")] == [
            done[key] for key in ("changed", "plan", "diff")
        ]


def test_a_new_key_is_there_before_the_old_one_leaves(cloud: t.Any) -> None:
    first = group(keys=[OLD])["key_group"]
    with recorded_calls() as calls:
        both = group(keys=[OLD, NEW])["key_group"]
    assert writes(calls) == ["CreatePublicKey", "UpdateKeyGroup"]
    assert (both["id"], both["public_keys"]["2025"]) == (first["id"], first["public_keys"]["2025"])
    with recorded_calls() as calls:
        last = group(keys=[NEW])["key_group"]
    assert writes(calls) == ["UpdateKeyGroup", "DeletePublicKey"]
    assert keys(cloud) == [last["public_keys"]["2026"]] == [both["public_keys"]["2026"]]


def test_another_text_under_the_same_name_replaces_the_key(cloud: t.Any) -> None:
    group(keys=[OLD])
    with recorded_calls() as calls:
        result = group(keys=[{**OLD, "pem": NEW["pem"]}])
    assert writes(calls) == ["CreatePublicKey", "UpdateKeyGroup", "DeletePublicKey"]
    assert list(result["key_group"]["public_keys"].values()) == keys(cloud)


def test_half_built_and_half_destroyed(cloud: t.Any) -> None:
    made = group(keys=[OLD])["key_group"]["id"]
    cloud.delete_key_group(Id=made, IfMatch=cloud.get_key_group(Id=made)["ETag"])
    assert steps(group(keys=[OLD])) == [("create", "key")]
    made = cloud.list_key_groups()["KeyGroupList"]["Items"][0]["KeyGroup"]["Id"]
    cloud.delete_key_group(Id=made, IfMatch=cloud.get_key_group(Id=made)["ETag"])
    assert steps(group(state="absent")) == [("skip", "key"), ("delete", "public")]
    assert not group(state="absent")["changed"]


def test_keys_of_others_stay(cloud: t.Any) -> None:
    run_module(cloudfront_key_group, {"name": "shop-media", "keys": [NEW]})
    group(keys=[OLD])
    group(state="absent")
    assert len(keys(cloud)) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [("-----BEGIN PRIVATE KEY-----\nSECRETSECRET", "holds a PRIVATE key"), ("ssh-rsa SECRETSECRET", "no public key")],
)
def test_what_is_no_public_key_is_refused_and_not_repeated(cloud: t.Any, text: str, message: str) -> None:
    result = run_module(cloudfront_key_group, {"name": "shop", "keys": [{"name": "a", "pem": text}]})
    assert result["failed"]
    assert message in result["msg"]
    assert "SECRETSECRET" not in result["msg"]

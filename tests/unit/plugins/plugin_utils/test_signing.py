# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Signatures are checked as CloudFront would, with the public key, and against botocore's own signer."""

from __future__ import annotations

import base64
import datetime
import json
import typing as t
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.palier.aws.plugins.plugin_utils import signing
from botocore.signers import CloudFrontSigner
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
URL = "https://media.example.com/private/film.mp4"
END = 1767290400
NETWORK = "192.0.2.0/24"


def pem(key: t.Any) -> str:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


KEYS = {"rsa": pem(RSA), "ec": pem(EC)}


def decoded(text: str) -> bytes:
    return base64.b64decode(text.translate(str.maketrans("-_~", "+=/")))


def check(kind: str, message: bytes, signature: str, algorithm: str = "SHA1") -> None:
    """Raise InvalidSignature unless the signature is the key's."""
    digest = getattr(hashes, algorithm)()
    if kind == "rsa":
        RSA.public_key().verify(decoded(signature), message, padding.PKCS1v15(), digest)
    else:
        EC.public_key().verify(decoded(signature), message, ec.ECDSA(digest))


def canned(resource: str) -> bytes:
    """The policy that CloudFront makes of a URL and its end."""
    text = '{"Statement":[{"Resource":"%s","Condition":{"DateLessThan":{"AWS:EpochTime":%d}}}]}'
    return (text % (resource, END)).encode()


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256"])
@pytest.mark.parametrize("url", [URL, f"{URL}?size=large"])
def test_canned_url(kind: str, algorithm: str, url: str) -> None:
    made = signing.signed_url(url, "K1", KEYS[kind], END, hash_algorithm=algorithm)
    assert made.startswith(f"{url}{'&' if '?' in url else '?'}Expires={END}&Signature=")
    query = parse_qs(urlsplit(made).query)
    assert query["Key-Pair-Id"] == ["K1"]
    assert query.get("Hash-Algorithm", ["SHA1"]) == [algorithm]
    check(kind, canned(url), query["Signature"][0], algorithm)


@pytest.mark.parametrize("kind", KEYS)
def test_custom_url(kind: str) -> None:
    album = "https://media.example.com/private/*"
    made = signing.signed_url(URL, "K1", KEYS[kind], END, starts=END - 60, ip=NETWORK, resource=album)
    query = parse_qs(urlsplit(made).query)
    policy = decoded(query["Policy"][0])
    assert json.loads(policy) == {
        "Statement": [
            {
                "Resource": album,
                "Condition": {
                    "DateLessThan": {"AWS:EpochTime": END},
                    "DateGreaterThan": {"AWS:EpochTime": END - 60},
                    "IpAddress": {"AWS:SourceIp": NETWORK},
                },
            }
        ]
    }
    check(kind, policy, query["Signature"][0])
    assert "Expires" not in query


def test_a_signature_of_another_url_does_not_hold() -> None:
    query = parse_qs(urlsplit(signing.signed_url(URL, "K1", KEYS["rsa"], END)).query)
    with pytest.raises(InvalidSignature):
        check("rsa", canned(f"{URL}x"), query["Signature"][0])


def botocore_signer() -> CloudFrontSigner:
    return CloudFrontSigner("K1", lambda message: RSA.sign(message, padding.PKCS1v15(), hashes.SHA1()))


@given(
    path=st.from_regex(r"/[A-Za-z0-9/._-]{0,30}(\?[a-z]+=[a-z0-9]*)?", fullmatch=True),
    end=st.integers(min_value=1, max_value=4102444800),
)
def test_botocore_signs_the_same_canned_url(path: str, end: int) -> None:
    url = f"https://d111111abcdef8.cloudfront.net{path}"
    moment = datetime.datetime.fromtimestamp(end, datetime.UTC)
    assert signing.signed_url(url, "K1", KEYS["rsa"], end) == botocore_signer().generate_presigned_url(
        url, date_less_than=moment
    )


@pytest.mark.parametrize(("starts", "ip"), [(END - 60, None), (None, NETWORK), (END - 60, NETWORK)])
def test_botocore_signs_the_same_custom_url(starts: int | None, ip: str | None) -> None:
    moments = [datetime.datetime.fromtimestamp(one, datetime.UTC) if one else None for one in (END, starts)]
    policy = botocore_signer().build_policy(URL, moments[0], date_greater_than=moments[1], ip_address=ip)
    made = signing.signed_url(URL, "K1", KEYS["rsa"], END, starts=starts, ip=ip)
    assert json.loads(policy) == json.loads(decoded(parse_qs(urlsplit(made).query)["Policy"][0]))


def test_cookies_of_one_file_have_a_canned_policy() -> None:
    made = signing.signed_cookies(URL, "K1", KEYS["rsa"], END)
    assert list(made) == ["CloudFront-Expires", "CloudFront-Signature", "CloudFront-Key-Pair-Id"]
    assert made["CloudFront-Expires"] == str(END)
    check("rsa", canned(URL), made["CloudFront-Signature"])


@pytest.mark.parametrize(
    ("resource", "more"),
    [("https://media.example.com/private/*", {}), (URL, {"ip": NETWORK}), (URL, {"starts": END - 60})],
)
def test_cookies_of_many_files_have_a_custom_policy(resource: str, more: dict) -> None:
    made = signing.signed_cookies(resource, "K1", KEYS["ec"], END, hash_algorithm="SHA256", **more)
    policy = decoded(made["CloudFront-Policy"])
    assert json.loads(policy)["Statement"][0]["Resource"] == resource
    assert made["CloudFront-Hash-Algorithm"] == "SHA256"
    check("ec", policy, made["CloudFront-Signature"], "SHA256")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(END, END), (str(END), END), ("2026-01-01T18:00:00+00:00", END), ("2026-01-01T19:00:00+01:00", END)],
)
def test_times(value: t.Any, seconds: int) -> None:
    assert signing.epoch(value, "expires") == seconds


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"url": "media.example.com/film.mp4"}, "is no address"),
        ({"url": f"{URL}#start"}, "has a fragment"),
        ({"url": f"{URL}?Expires=1"}, "has the parameter Expires"),
        ({"key_pair_id": ""}, "key_pair_id is empty"),
        ({"expires": "tomorrow"}, "expires is 'tomorrow'"),
        ({"expires": "2026-01-01T18:00:00"}, "a time with its zone"),
        ({"starts": END}, "not before expires"),
        ({"hash_algorithm": "MD5"}, "hash_algorithm is 'MD5'"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "is no private key"),
        ({"private_key": pem(ec.generate_private_key(ec.SECP384R1()))}, "curve P-256"),
    ],
)
def test_what_cannot_be_signed(arguments: dict[str, t.Any], message: str) -> None:
    given_ = {"url": URL, "key_pair_id": "K1", "private_key": KEYS["rsa"], "expires": END, **arguments}
    with pytest.raises(AnsibleFilterError, match=message) as caught:
        signing.signed_url(**given_)
    assert "AAAA" not in str(caught.value)

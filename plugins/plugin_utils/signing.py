# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Signed URLs and cookies, by which CloudFront lets a visitor see what a protected path holds.

CloudFront Developer Guide, "Create a signed URL using a canned policy" and "... using a custom policy", "Set signed
cookies that use a canned policy" and "... a custom policy". CloudFront takes signatures of RSA and, since 2025, of
ECDSA P-256 keys, over SHA-1 or, when that is said in the URL or cookie, SHA-256.
"""

from __future__ import annotations

import base64
import datetime
import json
import typing as t
from urllib.parse import parse_qsl, urlsplit

from ansible.errors import AnsibleFilterError

#: Base64 as CloudFront wants it in URLs.
_SAFE = bytes.maketrans(b"+=/", b"-_~")
#: What CloudFront reads from a URL, so the URL must not have them before.
RESERVED = frozenset({"Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"})
HASHES = ("SHA1", "SHA256")


def signed_url(
    url: str,
    key_pair_id: str,
    private_key: str,
    expires: t.Any,
    starts: t.Any = None,
    ip: str | None = None,
    resource: str | None = None,
    hash_algorithm: str = "SHA1",
) -> str:
    """A URL that shows a protected file until a time.

    The policy is a canned one, which makes a short URL, unless a start, an address or another resource is named.

    :param url: the file's URL, with its query string if it has one.
    :param key_pair_id: id of the public key at CloudFront, C(K...).
    :param private_key: PEM text of the private key, RSA or ECDSA P-256.
    :param expires: when it ends: seconds since 1970, or an ISO 8601 time with its zone.
    :param starts: when it begins, likewise.
    :param ip: the address or the network that may use it, C(192.0.2.0/24).
    :param resource: what else it holds for, with C(*) and C(?) as wildcards, such as C(https://media.example.com/a/*).
    :param hash_algorithm: C(SHA1) or C(SHA256).
    :raises AnsibleFilterError: what is not usable.
    """
    _check_url(url)
    custom = starts is not None or bool(ip) or bool(resource)
    policy = policy_text(resource or url, expires, starts, ip)
    values = {"Policy": safe_base64(policy.encode())} if custom else {"Expires": str(epoch(expires, "expires"))}
    values |= _signature(policy, key_pair_id, private_key, hash_algorithm)
    query = "&".join(f"{name}={value}" for name, value in values.items())
    return f"{url}{'&' if '?' in url else '?'}{query}"


def signed_cookies(
    resource: str,
    key_pair_id: str,
    private_key: str,
    expires: t.Any,
    starts: t.Any = None,
    ip: str | None = None,
    hash_algorithm: str = "SHA1",
) -> dict[str, str]:
    """The cookies, by name, that show protected files until a time.

    The policy is a canned one for a single file, and a custom one for a wildcard, a start or an address.

    :param resource: URL of the file, or a pattern such as C(https://media.example.com/private/*).

    The other parameters and the errors are those of L{signed_url}.
    """
    _check_scheme(resource)
    custom = starts is not None or bool(ip) or "*" in resource
    policy = policy_text(resource, expires, starts, ip)
    values = {"Policy": safe_base64(policy.encode())} if custom else {"Expires": str(epoch(expires, "expires"))}
    values |= _signature(policy, key_pair_id, private_key, hash_algorithm)
    return {f"CloudFront-{name}": value for name, value in values.items()}


def policy_text(resource: str, expires: t.Any, starts: t.Any = None, ip: str | None = None) -> str:
    """The policy that is signed. A canned one is not sent: CloudFront makes it anew, so each byte of it counts."""
    condition: dict[str, t.Any] = {"DateLessThan": {"AWS:EpochTime": epoch(expires, "expires")}}
    if starts is not None:
        condition["DateGreaterThan"] = {"AWS:EpochTime": epoch(starts, "starts")}
        if condition["DateGreaterThan"]["AWS:EpochTime"] >= condition["DateLessThan"]["AWS:EpochTime"]:
            raise AnsibleFilterError(f"starts is {starts}, which is not before expires, {expires}: nobody could use it")
    if ip:
        condition["IpAddress"] = {"AWS:SourceIp": ip}
    policy = {"Statement": [{"Resource": resource, "Condition": condition}]}
    return json.dumps(policy, separators=(",", ":"), ensure_ascii=False)


def epoch(value: t.Any, name: str) -> int:
    """Seconds since 1970 of such a number or of an ISO 8601 time.

    :param name: the parameter's name, for the message.
    :raises AnsibleFilterError: when it is neither, or a time without a zone.
    """
    text = str(value).strip()
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise AnsibleFilterError(
            f"{name} is '{text}': write seconds since 1970 or a time with its zone, such as 2026-06-15T09:41:00+00:00"
        )
    return int(moment.timestamp())


def safe_base64(value: bytes) -> str:
    """Base64 in the letters that CloudFront takes in a URL and a cookie."""
    return base64.b64encode(value).translate(_SAFE).decode()


def _check_scheme(url: str) -> None:
    if not url.startswith(("https://", "http://", "http*://")):
        raise AnsibleFilterError(f"'{url}' is no address: write it whole, such as https://media.example.com/film.mp4")


def _check_url(url: str) -> None:
    _check_scheme(url)
    parts = urlsplit(url)
    if parts.fragment:
        raise AnsibleFilterError(
            f"'{url}' has a fragment, which never reaches CloudFront: add it behind the signed URL"
        )
    taken = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} & RESERVED)
    if taken:
        raise AnsibleFilterError(f"'{url}' has the parameter {taken[0]}, which CloudFront reads itself: rename it")


def _signature(policy: str, key_pair_id: str, private_key: str, hash_algorithm: str) -> dict[str, str]:
    if hash_algorithm not in HASHES:
        raise AnsibleFilterError(f"hash_algorithm is '{hash_algorithm}': write one of {', '.join(HASHES)}")
    if not key_pair_id:
        raise AnsibleFilterError(
            "key_pair_id is empty: write the id that CloudFront gave the public key, such as K2JC…"
        )
    values = {"Signature": safe_base64(sign(policy.encode(), private_key, hash_algorithm)), "Key-Pair-Id": key_pair_id}
    # CloudFront takes SHA-1 for granted.
    return {**values, "Hash-Algorithm": hash_algorithm} if hash_algorithm != "SHA1" else values


def sign(message: bytes, private_key: str, hash_algorithm: str) -> bytes:
    """The signature of a message.

    :raises AnsibleFilterError: when the text is no private key that CloudFront knows; it is not repeated.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    digest = hashes.SHA1() if hash_algorithm == "SHA1" else hashes.SHA256()
    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise AnsibleFilterError(
            "private_key is no private key as PEM text without a password: write what `openssl genrsa 2048` or"
            " `openssl ecparam -name prime256v1 -genkey -noout` prints"
        ) from error
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), digest)
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key.sign(message, ec.ECDSA(digest))
    raise AnsibleFilterError(
        "private_key is neither an RSA key nor an ECDSA key of the curve P-256: CloudFront takes these"
    )

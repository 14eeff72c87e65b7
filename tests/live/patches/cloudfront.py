# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudFront: names of distributions, and files for whoever has a signed address."""

from __future__ import annotations

import base64
import fnmatch
import json
import time
import typing as t

from tests.live.patches import around, patch

_GUIDE = "Amazon CloudFront developer guide"


@patch(
    restores="A distribution answers under its alternate domain names, where DNS leads there.",
    source=f"{_GUIDE}, Use custom URLs by adding alternate domain names (CNAMEs)",
    touches="ministack.app:_parse_cloudfront_dataplane_host",
)
def alternate_names() -> None:
    """Follow the alias."""
    from ministack import app

    from tests.live.patches.route53 import resolve

    @around(app, "_parse_cloudfront_dataplane_host")
    def parse(original: t.Callable[..., str | None], host: str) -> str | None:
        return original(resolve(host))


def policy_of(url: str, query: t.Mapping[str, str]) -> dict[str, t.Any]:
    """The policy that an address carries, or stands for.

    :param url: the address without what the signature added.
    :param query: what the signature added.
    """
    if "Policy" in query:
        return t.cast("dict[str, t.Any]", json.loads(_decoded(query["Policy"])))
    condition = {"DateLessThan": {"AWS:EpochTime": int(query["Expires"])}}
    return {"Statement": [{"Resource": url, "Condition": condition}]}


def _decoded(text: str) -> bytes:
    return base64.b64decode(text.translate(str.maketrans("-_~", "+=/")))


def admits(url: str, query: t.Mapping[str, str], keys: t.Mapping[str, str], now: float) -> bool:
    """Whether a request for a restricted file is let through.

    :param url: the address without what the signature added.
    :param query: C{Key-Pair-Id}, C{Signature}, and C{Policy} or C{Expires}.
    :param keys: the trusted public keys in PEM by their ids.
    :param now: seconds since the epoch.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding

    try:
        policy = policy_of(url, query)
        signed = _decoded(query["Policy"]) if "Policy" in query else json.dumps(policy, separators=(",", ":")).encode()
        key = serialization.load_pem_public_key(keys[query["Key-Pair-Id"]].encode())
        algorithm = hashes.SHA256() if query.get("Hash-Algorithm") == "SHA256" else hashes.SHA1()
        key.verify(_decoded(query["Signature"]), signed, padding.PKCS1v15(), algorithm)  # type: ignore[union-attr, call-arg]
        statement = policy["Statement"][0]
        until = statement["Condition"]["DateLessThan"]["AWS:EpochTime"]
        since = statement["Condition"].get("DateGreaterThan", {}).get("AWS:EpochTime", 0)
    except (KeyError, ValueError, InvalidSignature):
        return False
    return since <= now < until and fnmatch.fnmatchcase(url, statement["Resource"])


#: What a signature adds to an address; CloudFront takes it off before it asks the origin.
_ADDED = ("Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm")


@patch(
    restores="Where a behaviour trusts key groups, a request without a valid signature of theirs is refused with 403.",
    source=f"{_GUIDE}, Serve private content with signed URLs and signed cookies; Use signed URLs",
    touches="ministack.services.cloudfront:handle_viewer_request",
)
def signed_urls() -> None:
    """MiniStack stores the key groups and asks nobody for a signature."""
    from ministack.services import cloudfront

    @around(cloudfront, "handle_viewer_request")
    async def handle(
        original: t.Callable[..., t.Any],
        dist: t.Any,
        method: str,
        path: str,
        raw_path: str,
        raw_query: str,
        *rest: t.Any,
    ) -> t.Any:
        groups = trusted_groups(cloudfront._dist_config_el(dist), path)
        if not groups:
            return await original(dist, method, path, raw_path, raw_query, *rest)
        pairs = [pair.partition("=")[::2] for pair in raw_query.split("&") if pair]
        added = {name: value for name, value in pairs if name in _ADDED}
        kept = "&".join(f"{name}={value}" for name, value in pairs if name not in _ADDED)
        headers, body, query, *more = rest
        scheme = "https" if headers.get("x-forwarded-proto") == "https" else "http"
        url = f"{scheme}://{headers['host']}{raw_path}" + (f"?{kept}" if kept else "")
        if not admits(url, added, _keys_of(cloudfront, groups), time.time()):
            answer = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code></Error>'
            return 403, {"Content-Type": "text/xml", "X-Cache": "Error from cloudfront"}, answer.encode()
        query = {name: value for name, value in query.items() if name not in _ADDED}
        return await original(dist, method, path, raw_path, kept, headers, body, query, *more)


def trusted_groups(config: t.Any, path: str) -> list[str]:
    """The key groups that the behaviour for a path trusts.

    :param config: a DistributionConfig as an XML element.
    :param path: of the request.
    """
    behaviours = [one for one in config.iter() if _name(one) == "CacheBehavior"]
    for one in [*behaviours, *(one for one in config.iter() if _name(one) == "DefaultCacheBehavior")]:
        pattern = next((child.text for child in one if _name(child) == "PathPattern"), None)
        if pattern is None or fnmatch.fnmatchcase(path, pattern if pattern.startswith(("/", "*")) else f"/{pattern}"):
            return [child.text for child in one.iter() if _name(child) == "KeyGroup"]
    return []


def _name(element: t.Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _keys_of(cloudfront: t.Any, groups: list[str]) -> dict[str, str]:
    ids = [key for group in groups for key in cloudfront._key_groups[group]["Config"]["Items"]]
    return {key: cloudfront._public_keys[key]["Config"]["EncodedKey"] for key in ids if key in cloudfront._public_keys}

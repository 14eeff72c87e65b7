# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to an origin access control, a key group and a response headers policy."""

from __future__ import annotations

import hashlib
import re
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils.cloudfront import Shape
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----(?P<body>[A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*\Z")

#: Names of a key may have these (CloudFront API reference, PublicKeyConfig); everything else becomes a hyphen.
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def by_name(found: t.Iterable[Shape], name: str) -> Shape | None:
    """The one with this name; CloudFront has each name once."""
    return next((one for one in found if one["Name"] == name), None)


# -- origin access control ---------------------------------------------------------------------------------------------


def wanted_control(params: Shape) -> Shape:
    """``OriginAccessControlConfig`` of the module's options."""
    return {
        "Name": params["name"],
        "Description": params.get("description") or "",
        "SigningProtocol": "sigv4",
        "SigningBehavior": params["signing_behavior"],
        "OriginAccessControlOriginType": params["origin_type"],
    }


def plan_one(kind: str, name: str, current: Shape | None, wanted: Shape | None) -> list[Step]:
    """What makes a named thing as it is wanted, or removes it.

    :param kind: what it is, in the reader's words.
    :param current: its configuration, or ``None`` when it does not exist.
    :param wanted: the configuration it shall have, or ``None`` when it shall not be.
    """
    label = f"cloudfront {kind} {name}"
    if wanted is None:
        gone = Step("skip", label, "does not exist")
        return [Step("delete", label, "state is absent", current)] if current is not None else [gone]
    if current is None:
        return [Step("create", label, "does not exist", None, wanted)]
    changed = [key for key in wanted if not _same(current.get(key), wanted[key])]
    if not changed:
        return [Step("keep", label, "is as wanted")]
    before = {key: current.get(key) for key in changed}
    return [Step("modify", label, f"{', '.join(changed)}: differs", before, {key: wanted[key] for key in changed})]


def _same(one: t.Any, other: t.Any) -> bool:
    """Whether two values mean the same: what is not set, empty or off is all one to CloudFront."""
    if isinstance(one, dict) or isinstance(other, dict):
        left, right = one or {}, other or {}
        return all(_same(left.get(key), right.get(key)) for key in {*left, *right})
    return bool((one or None) == (other or None))


# -- key group ---------------------------------------------------------------------------------------------------------


def normal_key(name: str, pem: str) -> str:
    """A public key in the form in which CloudFront takes and returns it.

    :param name: the user's name of the key, for the message.
    :raises AnsibleAWSError: when the text is no public key. It is not repeated: it may be the private one.
    """
    found = _PEM.match(pem.strip())
    if found is None:
        what = "holds a PRIVATE key, which must not leave its owner" if "PRIVATE KEY" in pem else "is no public key"
        raise AnsibleAWSError(
            message=f"keys: the text of {name} {what}: give the PEM that `openssl pkey -in private.pem -pubout` prints,"
            " which begins with -----BEGIN PUBLIC KEY-----"
        )
    body = "".join(found["body"].split())
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])


def key_name(group: str, name: str, pem: str) -> str:
    """The name under which AWS keeps a key. A key cannot be changed there, so its content is part of its name."""
    return _NOT_IN_A_NAME.sub("-", f"{group}-{name}-{hashlib.sha256(pem.encode()).hexdigest()[:8]}")


def owner_comment(group: str) -> str:
    """The comment by which the keys of a group are found again, also when no group lists them."""
    return f"Key of the key group {group}"


def wanted_keys(group: str, keys: list[Shape]) -> dict[str, Shape]:
    """C(PublicKeyConfig) of each key without a caller reference, by AWS's name.

    :param keys: the user's keys, each with C(name) and C(pem).
    :raises AnsibleAWSError: when one is no public key.
    """
    found = {}
    for key in keys:
        pem = normal_key(key["name"], key["pem"])
        name = key_name(group, key["name"], pem)
        found[name] = {"Name": name, "EncodedKey": pem, "Comment": owner_comment(group)}
    return found


def plan_keys(
    group: str, comment: str, wanted: dict[str, Shape] | None, keys: list[Shape], current: Shape | None
) -> list[Step]:
    """What makes a key group and its keys as they are wanted, in the order that CloudFront accepts.

    New keys come first, then the group, and old keys last: a key that a group lists cannot go.

    :param wanted: the keys by AWS's name, or ``None`` when neither group nor keys shall be.
    :param keys: all public keys of the account.
    :param current: the group, with C(KeyGroupConfig), or ``None``.
    """
    ours = {key["Name"]: key for key in keys if key.get("Comment") == owner_comment(group)}
    names = {key["Id"]: key["Name"] for key in keys}
    shape = None if wanted is None else {"Comment": comment, "Keys": sorted(wanted)}
    config = current["KeyGroupConfig"] if current else {}
    has = {
        "Comment": config.get("Comment") or "",
        "Keys": sorted(names.get(key, key) for key in config.get("Items") or []),
    }
    steps = [
        Step("create", _key_label(name), "does not exist", None, {"public_key": name})
        for name in wanted or {}
        if name not in ours
    ]
    steps += plan_one("key group", group, has if current else None, shape)
    return steps + [
        Step("delete", _key_label(name), "is in no key group any more", {"public_key": name})
        for name in sorted(ours)
        if name not in (wanted or {})
    ]


def _key_label(name: str) -> str:
    return f"cloudfront public key {name}"


# -- response headers policy -------------------------------------------------------------------------------------------


def wanted_headers(params: Shape) -> Shape:
    """``ResponseHeadersPolicyConfig`` of the module's options."""
    security: Shape = {"ContentTypeOptions": {"Override": True}}
    if params["hsts_max_age"]:
        security["StrictTransportSecurity"] = {
            "Override": True,
            "AccessControlMaxAgeSec": params["hsts_max_age"],
            "IncludeSubdomains": params["hsts_subdomains"],
            "Preload": params["hsts_preload"],
        }
    if params["frame_options"] != "none":
        security["FrameOptions"] = {"Override": True, "FrameOption": params["frame_options"]}
    if params["referrer_policy"] != "none":
        security["ReferrerPolicy"] = {"Override": True, "ReferrerPolicy": params["referrer_policy"]}
    if params.get("content_security_policy"):
        security["ContentSecurityPolicy"] = {
            "Override": True,
            "ContentSecurityPolicy": params["content_security_policy"],
        }
    return {"Name": params["name"], "Comment": params.get("comment") or "", "SecurityHeadersConfig": security}


# -- function ----------------------------------------------------------------------------------------------------------


def wanted_function(params: Shape) -> Shape:
    """What the module's options say of a function."""
    return {"Comment": params.get("comment") or "", "Runtime": params["runtime"], "Code": params["code"]}

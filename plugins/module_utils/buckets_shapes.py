# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Between the module's options and the shapes in which S3 takes and returns a bucket's settings."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.common.dict_transformations import snake_dict_to_camel_dict

Shape = dict[str, t.Any]

#: Our name of each block-public-access setting, and AWS's.
PUBLIC_ACCESS = {
    "block_public_acls": "BlockPublicAcls",
    "block_public_policy": "BlockPublicPolicy",
    "ignore_public_acls": "IgnorePublicAcls",
    "restrict_public_buckets": "RestrictPublicBuckets",
}


def present(values: Shape) -> Shape:
    """The entries that have a value: S3 refuses empty elements."""
    return {key: value for key, value in values.items() if value is not None}


def encryption_rule(option: Shape | None, current: Shape | None) -> Shape:
    """The bucket's default encryption rule.

    Without the option, whatever encryption the bucket has is good and AES256 is given to one without any. A key or a
    bucket key that was not named stays, and so does what this module has no option for.

    :param option: ``sse``, ``kms_key_id`` and ``bucket_key``, or ``None``.
    :param current: the rule that AWS has, or ``None``.
    """
    current = current or {}
    if option is None and current:
        return current
    option = option or {"sse": "AES256"}
    before = current.get("ApplyServerSideEncryptionByDefault", {})
    kept = before if before.get("SSEAlgorithm") == option["sse"] else {}
    default = {**kept, **present({"SSEAlgorithm": option["sse"], "KMSMasterKeyID": _key(option, kept)})}
    rule = {**current, "ApplyServerSideEncryptionByDefault": default}
    return {**rule, **present({"BucketKeyEnabled": option.get("bucket_key")})}


def _key(option: Shape, kept: Shape) -> str | None:
    """The wanted key, in AWS's spelling if AWS already has that key: an id and its ARN are the same key."""
    wanted, has = option.get("kms_key_id"), kept.get("KMSMasterKeyID")
    return has if wanted and has and has.endswith(f"/{wanted}") else wanted


def website_shape(option: Shape) -> Shape | None:
    """``WebsiteConfiguration`` of the option ``website``; ``None`` when the option is empty."""
    if option.get("redirect_all_requests_to"):
        return {"RedirectAllRequestsTo": redirect_target(option["redirect_all_requests_to"])}
    if not option.get("index_document"):
        return None
    shape: Shape = {"IndexDocument": {"Suffix": option["index_document"]}}
    if option.get("error_document"):
        shape["ErrorDocument"] = {"Key": option["error_document"]}
    if option.get("routing_rules"):
        shape["RoutingRules"] = [_routing_rule(rule) for rule in option["routing_rules"]]
    return shape


def redirect_target(target: str) -> Shape:
    """``www.example.com`` or ``https://www.example.com`` as S3 takes it."""
    url = urlsplit(target if "://" in target else f"//{target}")
    return present({"HostName": url.netloc, "Protocol": url.scheme or None})


def _routing_rule(rule: Shape) -> Shape:
    parts = {"condition": rule.get("condition"), "redirect": rule["redirect"]}
    filled = {key: present(value) for key, value in parts.items() if value}
    return snake_dict_to_camel_dict(filled, capitalize_first=True)


def logging_shape(option: Shape, bucket: str, current: Shape | None) -> Shape | None:
    """``LoggingEnabled`` of the option ``logging``; what this module has no option for stays as it is."""
    if not option.get("target_bucket"):
        return None
    prefix = option.get("target_prefix")
    named = {"TargetBucket": option["target_bucket"], "TargetPrefix": f"{bucket}/" if prefix is None else prefix}
    return {**(current or {}), **named}


def cors_shape(rules: list[Shape]) -> list[Shape] | None:
    """``CORSRules`` of the option ``cors_rules``; ``None`` when there is none."""
    return [_cors_rule(rule) for rule in rules] or None


def _cors_rule(rule: Shape) -> Shape:
    return present(
        {
            "ID": rule.get("id"),
            "AllowedOrigins": rule["allowed_origins"],
            "AllowedMethods": rule["allowed_methods"],
            "AllowedHeaders": rule.get("allowed_headers") or None,
            "ExposeHeaders": rule.get("expose_headers") or None,
            "MaxAgeSeconds": rule.get("max_age_seconds"),
        }
    )


def canonical_cors(rules: list[Shape] | None) -> list[Shape]:
    """CORS rules for comparing: the order of rules counts (the first match wins), that inside one does not."""
    return [
        {key: sorted(value) if isinstance(value, list) else value for key, value in rule.items()}
        for rule in rules or []
    ]


def lifecycle_shape(rules: list[Shape]) -> list[Shape] | None:
    """``Rules`` of the option ``lifecycle_rules``; ``None`` when there is none."""
    return [_lifecycle_rule(rule) for rule in rules] or None


def _lifecycle_rule(rule: Shape) -> Shape:
    shape = {
        "ID": rule["id"],
        "Status": rule.get("status") or "Enabled",
        "Filter": {"Prefix": rule.get("prefix") or ""},
        "Transitions": _transitions(rule.get("transitions"), "Days"),
        "Expiration": _expiration(rule),
        "NoncurrentVersionTransitions": _transitions(rule.get("noncurrent_version_transitions"), "NoncurrentDays"),
        "NoncurrentVersionExpiration": _days("NoncurrentDays", rule.get("noncurrent_version_expiration_days")),
        "AbortIncompleteMultipartUpload": _days("DaysAfterInitiation", rule.get("abort_incomplete_multipart_days")),
    }
    return present(shape)


def _transitions(transitions: list[Shape] | None, days: str) -> list[Shape] | None:
    return [{days: one["days"], "StorageClass": one["storage_class"]} for one in transitions or []] or None


def _expiration(rule: Shape) -> Shape | None:
    if rule.get("expired_object_delete_marker"):
        return {"ExpiredObjectDeleteMarker": True}
    return _days("Days", rule.get("expiration_days"))


def _days(name: str, days: int | None) -> Shape | None:
    return None if days is None else {name: days}


def canonical_lifecycle(rules: list[Shape] | None) -> list[Shape]:
    """Lifecycle rules for comparing: without the defaults that S3 adds, in an order of our own."""
    return sorted((_canonical_rule(rule) for rule in rules or []), key=lambda rule: rule.get("ID", ""))


def _canonical_rule(rule: Shape) -> Shape:
    kept = {key: value for key, value in rule.items() if key not in ("Prefix", "Filter") and value}
    for name, days in (("Transitions", "Days"), ("NoncurrentVersionTransitions", "NoncurrentDays")):
        if name in kept:
            kept[name] = _sorted_transitions(kept[name], days)
    if "Expiration" in kept:
        kept["Expiration"] = {key: value for key, value in kept["Expiration"].items() if value}
    # Rules of before 2016 carry the prefix outside the filter, and an empty filter means the empty prefix.
    filtered = rule.get("Filter") or {"Prefix": rule.get("Prefix") or ""}
    return {**kept, "Filter": filtered}


def _sorted_transitions(transitions: list[Shape], days: str) -> list[Shape]:
    return sorted(transitions, key=lambda one: (one.get(days, 0), one["StorageClass"]))

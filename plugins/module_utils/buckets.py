# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to a bucket: the settings it has against the settings that are wanted.

A setting is one aspect of a bucket that S3 reads and writes with calls of its own (versioning, policy, …). Settings are
handled in the order of L{SETTINGS}; the order of the writes is part of the plan, because S3 refuses some orders.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import buckets_shapes as shapes
from ansible_collections.palier.aws.plugins.module_utils.buckets_names import bucket_arn
from ansible_collections.palier.aws.plugins.module_utils.buckets_policy import (
    compose_policy,
    parse_policy,
    same_policy,
)
from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Settings = dict[str, t.Any]

#: Settings that have a secure default, so they are wanted even when the user does not name them.
ALWAYS = ("object_ownership", "public_access_block", "policy", "encryption")
#: Settings that are left as AWS has them unless the user names them.
OPTIONAL = ("versioning", "tags", "website", "logging", "lifecycle_rules", "cors_rules")
SETTINGS = ALWAYS + OPTIONAL


def managed_settings(params: Settings) -> list[str]:
    """The settings that these module parameters decide, so that only these are read."""
    return [name for name in SETTINGS if name in ALWAYS or params.get(name) is not None]


def wanted_settings(params: Settings, current: Settings) -> Settings:
    """The value that each managed setting shall have.

    :param params: the module's parameters, ``region`` filled in.
    :param current: what AWS has, by setting; empty for a bucket that does not exist.
    :returns: a value by setting, ``None`` for "shall have none".
    :raises AnsibleAWSError: when an option is not usable.
    """
    return {name: WANTED[name](params, current.get(name)) for name in managed_settings(params)}


def _wanted_policy(params: Settings, current: t.Any) -> t.Any:
    arn = bucket_arn(params["name"], params["region"])
    return compose_policy(parse_policy(params.get("policy")), current, params["tls_only"], arn)


def _wanted_tags(params: Settings, current: t.Any) -> Settings | None:
    """AWS takes a bucket's tags only as a whole, and refuses a set that lacks its own ``aws:`` tags."""
    kept = {key: value for key, value in (current or {}).items() if not params["purge_tags"] or key.startswith("aws:")}
    return {**kept, **{key: str(value) for key, value in params["tags"].items()}} or None


WANTED: dict[str, t.Callable[[Settings, t.Any], t.Any]] = {
    "object_ownership": lambda params, _current: params["object_ownership"],
    "public_access_block": lambda params, _current: dict(params["public_access_block"]),
    "policy": _wanted_policy,
    "encryption": lambda params, current: shapes.encryption_rule(params["encryption"], current),
    "versioning": lambda params, _current: params["versioning"],
    "tags": _wanted_tags,
    "website": lambda params, _current: shapes.website_shape(params["website"]),
    "logging": lambda params, current: shapes.logging_shape(params["logging"], params["name"], current),
    "lifecycle_rules": lambda params, _current: shapes.lifecycle_shape(params["lifecycle_rules"]),
    "cors_rules": lambda params, _current: shapes.cors_shape(params["cors_rules"]),
}


def _canonical_any(value: t.Any) -> t.Any:
    """Most settings: empty and absent are the same."""
    return value or None


def _canonical_encryption(rule: t.Any) -> t.Any:
    return {**(rule or {}), "BucketKeyEnabled": bool((rule or {}).get("BucketKeyEnabled"))}


CANONICAL: dict[str, t.Callable[[t.Any], t.Any]] = {
    "encryption": _canonical_encryption,
    "versioning": bool,
    "lifecycle_rules": shapes.canonical_lifecycle,
    "cors_rules": shapes.canonical_cors,
}


def same_setting(name: str, one: t.Any, other: t.Any) -> bool:
    """Whether two values of a setting mean the same to S3."""
    if name == "policy":
        return same_policy(one, other)
    canonical = CANONICAL.get(name, _canonical_any)
    return bool(canonical(one) == canonical(other))


def bucket_label(name: str) -> str:
    """The bucket in the reader's words."""
    return f"s3 bucket {name}"


def plan_present(params: Settings, current: Settings | None) -> list[Step]:
    """What makes the bucket as it is wanted.

    :param params: the module's parameters, ``region`` filled in.
    :param current: the managed settings that AWS has, or ``None`` when there is no such bucket.
    :returns: one step to create the bucket with all its settings, or one for each setting that differs, in the order
        in which S3 accepts them; a single ``keep`` when nothing differs.
    """
    label = bucket_label(params["name"])
    wanted = wanted_settings(params, current or {})
    if current is None:
        # A new bucket has none of the optional settings, so there is nothing to write for those wanted off.
        after = {name: value for name, value in wanted.items() if value not in (None, False)}
        return [Step("create", label, "does not exist", None, ordered(after, None))]
    changes = {name: value for name, value in wanted.items() if not same_setting(name, current.get(name), value)}
    steps = [
        Step("modify", label, reason(name, current.get(name), value), {name: current.get(name)}, {name: value})
        for name, value in ordered(changes, current).items()
    ]
    return steps or [Step("keep", label, "is as wanted")]


def ordered(changes: Settings, current: Settings | None) -> Settings:
    """The settings to write, in an order that S3 accepts.

    A public policy is refused while public policies are blocked, so a block that is opened, or that a new bucket has
    from AWS, is written before the policy. A block that is closed is written after it, so that a public policy is gone
    first.
    """
    names = [name for name in SETTINGS if name in changes]
    if {"policy", "public_access_block"} <= set(names) and not opens(changes, current):
        names.remove("public_access_block")
        names.insert(names.index("policy") + 1, "public_access_block")
    return {name: changes[name] for name in names}


def opens(changes: Settings, current: Settings | None) -> bool:
    """Whether these changes let a public policy in that was refused until now."""
    if current is None:
        return True
    before = (current.get("public_access_block") or {}).get("block_public_policy", False)
    after = (changes.get("public_access_block") or {}).get("block_public_policy", before)
    return bool(before and not after)


def reason(name: str, before: t.Any, after: t.Any) -> str:
    """Why a setting is written, in one clause."""
    if _is_scalar(before) and _is_scalar(after):
        return f"{name}: {_word(before)}, wanted {_word(after)}"
    if not after:
        return f"{name}: some, wanted none"
    return f"{name}: differs" if before else f"{name}: none, wanted some"


def _is_scalar(value: t.Any) -> bool:
    return value is None or isinstance(value, (str, bool))


def _word(value: t.Any) -> str:
    return {None: "not set", False: "off", True: "on"}.get(value, str(value))


def plan_absent(name: str, exists: bool, example: str | None, force: bool, keep_content: bool = False) -> list[Step]:
    """What removes the bucket.

    :param name: the bucket's name.
    :param exists: whether it is there.
    :param example: the key of one object version or delete marker in it, or ``None`` when it is empty.
    :param force: whether its content may be deleted.
    :param keep_content: whether a bucket with content, without ``force``, stays as it is.
    :raises AnsibleAWSError: when it has content and both are false.
    """
    label = bucket_label(name)
    if not exists:
        return [Step("skip", label, "does not exist")]
    if example is not None and not force and keep_content:
        return [Step("skip", label, f"has content (such as {example}) and is kept")]
    if example is not None and not force:
        raise AnsibleAWSError(
            message=f"The bucket {name} is not empty (it has {example}) and force is false: "
            "empty it first, or set force: true to delete all its objects, versions and delete markers with it"
        )
    empty = [Step("delete", f"content of {label}", "force is true")] if force and example is not None else []
    return [*empty, Step("delete", label, "state is absent", {"name": name})]


def taken_message(name: str) -> str:
    """The error for a bucket name that these credentials may not look at."""
    return (
        f"The bucket {name} exists, but these credentials may not use it: most likely another AWS account owns it. "
        f"Bucket names are global, shared by all accounts: choose another name. "
        "If the bucket is yours, the credentials lack s3:ListBucket on it"
    )


def check_region(name: str, region: str, actual: str | None) -> None:
    """Refuse to work on a bucket that stands in another region than the one that was named.

    :raises AnsibleAWSError: when AWS names another region.
    """
    if actual and actual != region:
        raise AnsibleAWSError(
            message=f"The bucket {name} stands in {actual}, but region is {region}: "
            f"a bucket cannot move, so set region to {actual} or choose another name"
        )


def settings_facts(settings: Settings) -> Settings:
    """Settings as the module returns them."""
    return {name: FACTS.get(name, lambda value: value)(value) for name, value in settings.items()}


def _encryption_facts(rule: t.Any) -> Settings:
    default = (rule or {}).get("ApplyServerSideEncryptionByDefault", {})
    return {
        "sse": default.get("SSEAlgorithm"),
        "kms_key_id": default.get("KMSMasterKeyID"),
        "bucket_key": bool((rule or {}).get("BucketKeyEnabled")),
    }


FACTS: dict[str, t.Callable[[t.Any], t.Any]] = {
    "encryption": _encryption_facts,
    "versioning": bool,
    "policy": lambda policy: json.loads(json.dumps(policy or {})),
    "tags": lambda tags: tags or {},
    "lifecycle_rules": lambda rules: rules or [],
    "cors_rules": lambda rules: rules or [],
    "website": lambda website: website or {},
    "logging": lambda logging: logging or {},
}

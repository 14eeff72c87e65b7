# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to a load balancer's listeners, to a target group, and to the rules that lead to it. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Document = t.Mapping[str, t.Any]

#: Values of all conditions of one rule (Application Load Balancer user guide, "Quotas": condition values per rule).
VALUES_A_RULE = 5


def tag_steps(resource: str, have: Document, want: Document | None, purge: bool) -> list[Step]:
    """A step when tags differ.

    :param have: the tags that it has.
    :param want: the wanted ones; C{None} to leave them.
    :param purge: whether tags that are not wanted go. AWS's own (``aws:…``) always stay.
    """
    if want is None:
        return []
    own = {key: value for key, value in have.items() if not key.startswith("aws:")}
    after = {**({} if purge else own), **want}
    return [] if own == after else [Step("tag", resource, "its tags differ", {"tags": own}, {"tags": after})]


def difference(resource: str, have: Document, want: Document) -> list[Step]:
    """One step that names every setting that differs, or none.

    :param have: the settings as AWS has them.
    :param want: the wanted ones; what it does not name is left alone.
    """
    names = [name for name, value in want.items() if have.get(name) != value]
    if not names:
        return []
    before, after = ({name: side.get(name) for name in names} for side in (have, want))
    words = " and ".join(name.replace("_", " ") for name in names)
    return [Step("modify", resource, f"{words} differ{'s' if len(names) == 1 else ''}", before, after)]


# -- listeners ---------------------------------------------------------------------------------------------------------


def default_action(options: Document) -> dict[str, t.Any]:
    """The default action of a listener in ELB's form.

    :param options: ``redirect_to_https`` (bool), or ``status_code`` and ``message`` of a fixed plain-text answer.
    """
    if options.get("redirect_to_https"):
        config = {"Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}
        return {"Type": "redirect", "RedirectConfig": {**config, "StatusCode": "HTTP_301"}}
    answer = {"StatusCode": str(options["status_code"]), "ContentType": "text/plain"}
    if options.get("message"):
        answer["MessageBody"] = options["message"]
    return {"Type": "fixed-response", "FixedResponseConfig": answer}


def listener_values(described: Document) -> dict[str, t.Any]:
    """What a listener is, as AWS describes it, in the words of the module."""
    actions = [{key: value for key, value in one.items() if key != "Order"} for one in described["DefaultActions"]]
    secure = described["Protocol"] == "HTTPS"
    return {
        "protocol": described["Protocol"],
        "ssl_policy": (described.get("SslPolicy") or None) if secure else None,
        "certificate_arn": next((one["CertificateArn"] for one in described.get("Certificates") or []), None),
        "default_action": actions[0] if actions else None,
    }


def plan_listener(
    resource: str, current: Document | None, wanted: Document, tags: Document | None, purge: bool, have_tags: Document
) -> list[Step]:
    """Steps after which the listener is as wanted."""
    if current is None:
        return [Step("create", resource, "it does not exist", None, dict(wanted))]
    steps = difference(resource, listener_values(current), wanted) + tag_steps(resource, have_tags, tags, purge)
    return steps or [Step("keep", resource, "it is as wanted")]


# -- target groups -----------------------------------------------------------------------------------------------------

#: Settings that can only be given when the group is made (ELB API reference, ModifyTargetGroup has none of them).
FIXED = {"protocol": "Protocol", "port": "Port", "vpc_id": "VpcId", "target_type": "TargetType"}
HEALTH = {
    "protocol": "HealthCheckProtocol",
    "path": "HealthCheckPath",
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "healthy": "HealthyThresholdCount",
    "unhealthy": "UnhealthyThresholdCount",
}


def health_request(health: Document) -> dict[str, t.Any]:
    """The health check as CreateTargetGroup and ModifyTargetGroup take it."""
    request = {name: health[key] for key, name in HEALTH.items() if health.get(key) is not None}
    return {**request, "Matcher": {"HttpCode": str(health["matcher"])}}


def group_attributes(stickiness_seconds: int, deregistration_delay: int) -> dict[str, str]:
    """The attributes of a target group; stickiness is off at 0 seconds."""
    attributes = {
        "deregistration_delay.timeout_seconds": str(deregistration_delay),
        "stickiness.enabled": "true" if stickiness_seconds else "false",
    }
    if stickiness_seconds:
        attributes["stickiness.type"] = "lb_cookie"
        attributes["stickiness.lb_cookie.duration_seconds"] = str(stickiness_seconds)
    return attributes


def plan_target_group(
    name: str,
    current: Document | None,
    wanted: Document,
    have_attributes: Document,
    attributes: Document,
    tag_change: t.Callable[[str], list[Step]],
) -> list[Step]:
    """Steps after which the target group is as wanted.

    :param current: as AWS describes it, or C{None}.
    :param wanted: the request that would create it.
    :param have_attributes: its attributes.
    :param attributes: the wanted ones.
    :param tag_change: see L{tag_steps}, with all but the resource filled in.
    """
    resource = f"target group {name}"
    if current is None:
        return [Step("create", resource, "it does not exist", None, {**wanted, **attributes})]
    # Numbers come back as numbers from AWS and as text from some tools.
    have = {key: _plain(value) for key, value in current.items()}
    want = {key: _plain(value) for key, value in wanted.items()}
    fixed = {key: want[key] for key in FIXED.values() if key in want and have.get(key) != want[key]}
    if fixed:
        before = {key: have.get(key) for key in fixed}
        return [Step("replace", resource, f"{' and '.join(sorted(fixed))} cannot be changed", before, fixed)]
    steps = difference(resource, have, {key: value for key, value in want.items() if key not in FIXED.values()})
    kept = {key: str(have_attributes.get(key)).lower() for key in attributes}
    attribute_steps = difference(f"{resource} attributes", kept, attributes)
    return [*steps, *attribute_steps, *tag_change(resource)] or [Step("keep", resource, "it is as wanted")]


def _plain(value: t.Any) -> t.Any:
    return str(value) if isinstance(value, (int, str)) else value


# -- rules -------------------------------------------------------------------------------------------------------------

Rule = dict[str, t.Any]


def conditions(rule: Document) -> list[dict[str, t.Any]]:
    """A rule's conditions in ELB's form; one without any matches every path."""
    found = []
    if rule.get("hosts"):
        found.append({"Field": "host-header", "HostHeaderConfig": {"Values": sorted(rule["hosts"])}})
    paths = sorted(rule.get("paths") or ([] if rule.get("hosts") else ["/*"]))
    if paths:
        found.append({"Field": "path-pattern", "PathPatternConfig": {"Values": paths}})
    return found


def normal(described: Document) -> Rule:
    """A described rule as ``arn``, ``priority``, ``hosts`` and ``paths``; anything else it asks for is ``other``."""
    rule: Rule = {"arn": described["RuleArn"], "priority": int(described["Priority"]), "hosts": [], "paths": []}
    rule["other"] = []
    for condition in described.get("Conditions") or []:
        field = condition.get("Field")
        config = condition.get("HostHeaderConfig") or condition.get("PathPatternConfig") or {}
        key = {"host-header": "hosts", "path-pattern": "paths"}.get(field, "other")
        rule[key] = sorted(config.get("Values") or condition.get("Values") or [str(field)])
    return rule


def leads_to(described: Document, group_arn: str) -> bool:
    """Whether a described rule forwards to a target group and to no other."""
    groups = set()
    for action in described.get("Actions") or []:
        groups.add(action.get("TargetGroupArn"))
        groups.update(one.get("TargetGroupArn") for one in (action.get("ForwardConfig") or {}).get("TargetGroups", []))
    return groups - {None} == {group_arn}


def wanted_rule(rule: Document) -> Rule:
    """A rule as the module's options give it, in the shape of L{normal}."""
    hosts = sorted(rule.get("hosts") or [])
    return {
        "priority": int(rule["priority"]),
        "hosts": hosts,
        "paths": sorted(rule.get("paths") or ([] if hosts else ["/*"])),
        "other": [],
    }


def plan_rules(group: str, current: t.Iterable[Rule], wanted: t.Iterable[Rule]) -> list[Step]:
    """Steps after which exactly the wanted rules lead to a target group.

    A rule that asks for the same keeps its place in AWS and gets another priority; others are deleted first, so that
    their priorities are free.

    :param group: the group's name.
    :param current: the rules that lead to it now.
    :param wanted: the rules that shall.
    """
    left = list(current)
    kept: list[tuple[Rule, Rule]] = []
    new: list[Rule] = []
    for rule in sorted(wanted, key=lambda one: one["priority"]):
        match = next((one for one in left if _asks(one) == _asks(rule)), None)
        if match is None:
            new.append(rule)
        else:
            left.remove(match)
            kept.append((match, rule))
    steps = [Step("delete", _title(group, one), "it is not wanted", one, None) for one in left]
    steps += [
        Step("modify", _title(group, have), "its priority differs", have, {**rule, "arn": have["arn"]})
        for have, rule in kept
        if have["priority"] != rule["priority"]
    ]
    steps += [Step("create", _title(group, rule), "it does not exist", None, rule) for rule in new]
    return steps or [Step("keep", f"rules of target group {group}", "they are as wanted")]


def _asks(rule: Rule) -> tuple[t.Any, ...]:
    return tuple(rule["hosts"]), tuple(rule["paths"]), tuple(rule["other"])


def _title(group: str, rule: Rule) -> str:
    where = ", ".join([*rule["hosts"], *rule["paths"], *rule["other"]])
    return f"listener rule {where} to {group}"


# -- targets -----------------------------------------------------------------------------------------------------------


def target(described: Document) -> dict[str, t.Any]:
    """A target's id, port, state and the reason of that."""
    health = described.get("TargetHealth") or {}
    return {
        "id": described["Target"]["Id"],
        "port": int(described["Target"].get("Port") or 0),
        "state": health.get("State", ""),
        "reason": health.get("Reason") or "",
    }

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet of instances wants: its launch template, its Auto Scaling group, and the refresh of what runs."""

from __future__ import annotations

import base64
import gzip
import typing as t

from ansible_collections.palier.aws.plugins.module_utils.plan import Step

Document = dict[str, t.Any]

# -- launch templates --------------------------------------------------------------------------------------------------


#: Bytes of user data that EC2 takes, before they are encoded (Amazon EC2 user guide).
USER_DATA_LIMIT = 16 * 1024


def template_data(data: Document, user_data: str) -> Document:
    """C{LaunchTemplateData} of a request.

    :param data: the rest of it, as the EC2 API names it.
    :param user_data: as cloud-init reads it, which takes it compressed as well where it is long.
    :raises ValueError: if it is too long even so.
    """
    encoded = {"UserData": base64.b64encode(_shortened(user_data.encode())).decode()} if user_data else {}
    return {**{key: value for key, value in data.items() if value is not None}, **encoded}


def _shortened(user_data: bytes) -> bytes:
    if len(user_data) <= USER_DATA_LIMIT:
        return user_data
    # Without the time of day the same text gives the same bytes.
    compressed = gzip.compress(user_data, mtime=0)
    if len(compressed) > USER_DATA_LIMIT:
        raise ValueError(f"user_data: has {len(compressed)} bytes even compressed, EC2 takes {USER_DATA_LIMIT}")
    return compressed


def same_data(current: t.Any, wanted: t.Any) -> bool:
    """Whether a launch template has what is wanted.

    AWS answers with more than was asked for below the top level (C{State} of the metadata options, for one), and with
    numbers as such where the request had them as text.
    """
    if isinstance(wanted, dict) and isinstance(current, dict):
        return all(key in current and same_data(current[key], value) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(current, list):
        pairs = zip(_sorted(current), _sorted(wanted), strict=True) if len(current) == len(wanted) else None
        return pairs is not None and all(same_data(one, other) for one, other in pairs)
    return str(current) == str(wanted)


def _sorted(values: list[t.Any]) -> list[t.Any]:
    """Tags and groups have no order of their own; other lists have one item here."""
    return sorted(values, key=lambda one: str(one.get("Key") or one.get("ResourceType")) if _keyed(one) else str(one))


def _keyed(value: t.Any) -> bool:
    return isinstance(value, dict) and bool(value.get("Key") or value.get("ResourceType"))


def plan_template(name: str, template: Document | None, version: Document | None, wanted: Document) -> Step:
    """What happens to a launch template.

    :param template: as AWS describes it, or C{None}.
    :param version: its newest version, or C{None}.
    :param wanted: C{LaunchTemplateData}.
    """
    resource = f"launch template {name}"
    if template is None or version is None:
        return Step("create", resource, "it does not exist", None, shown(wanted))
    current = version["LaunchTemplateData"]
    differing = sorted(
        key for key in set(current) | set(wanted) if not same_data(current.get(key, ""), wanted.get(key, ""))
    )
    if not differing:
        return Step("keep", resource, f"version {version['VersionNumber']} is as wanted")
    reason = f"{', '.join(differing)} of version {version['VersionNumber']} differ"
    chosen = ({key: one[key] for key in differing if key in one} for one in (current, wanted))
    before, after = (shown(one) for one in chosen)
    return Step("modify", resource, reason, before, after)


def shown(data: Document) -> Document:
    """Launch template data as a diff shows it: user data in clear text."""
    if "UserData" not in data:
        return dict(data)
    text = base64.b64decode(data["UserData"])
    if text.startswith(b"\x1f\x8b"):
        text = gzip.decompress(text)
    return {**data, "UserData": text.decode(errors="replace")}


# -- groups ------------------------------------------------------------------------------------------------------------

#: Parameters of CreateAutoScalingGroup and UpdateAutoScalingGroup that a second run compares. The desired capacity is
#: not among them: scaling changes it.
SETTINGS = (
    "MinSize",
    "MaxSize",
    "VPCZoneIdentifier",
    "HealthCheckType",
    "HealthCheckGracePeriod",
    "DefaultInstanceWarmup",
)


def group_settings(params: t.Mapping[str, t.Any]) -> Document:
    """The wanted settings of a group, from a module's parameters."""
    return {
        "MinSize": params["min_size"],
        "MaxSize": params["max_size"],
        "VPCZoneIdentifier": ",".join(sorted(params["subnets"] or [])),
        "HealthCheckType": params["health_check_type"],
        "HealthCheckGracePeriod": params["health_check_grace_period"],
        "DefaultInstanceWarmup": params["default_instance_warmup"],
    }


def current_settings(group: Document) -> Document:
    """The same of a group that AWS describes."""
    found = {key: group.get(key) for key in SETTINGS}
    found["VPCZoneIdentifier"] = ",".join(sorted(str(found["VPCZoneIdentifier"] or "").split(",")))
    return found


def plan_group(group: Document | None, name: str, wanted: Document, template: Document) -> Step:
    """What happens to a group itself.

    Which version of its launch template it has is not compared: an instance refresh changes that, and only if the new
    version comes up.

    :param group: as AWS describes it, or C{None}.
    :param wanted: see L{group_settings}.
    :param template: C{LaunchTemplateId} and C{Version}.
    """
    resource = f"auto scaling group {name}"
    if group is None:
        return Step("create", resource, "it does not exist", None, {**wanted, "LaunchTemplate": template})
    current = current_settings(group)
    differing = sorted(key for key in wanted if current[key] != wanted[key])
    before, after = ({key: one[key] for key in differing} for one in (current, wanted))
    if (group.get("LaunchTemplate") or {}).get("LaunchTemplateId") != template["LaunchTemplateId"]:
        # The one that it had was deleted: there is nothing to go back to.
        before["LaunchTemplate"], after["LaunchTemplate"] = group.get("LaunchTemplate"), template
        differing.append("LaunchTemplate")
    if not differing:
        return Step("keep", resource, "it is as wanted")
    return Step("modify", resource, f"{', '.join(differing)} differ", before, after)


def plan_members(kind: str, current: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> list[Step]:
    """What happens to things that a group has by name: hooks, policies, target groups, tags.

    :param kind: in the reader's words.
    :param current: what AWS has, by name; response-only fields may be there.
    :param wanted: what there should be, by name.
    """
    steps = []
    for name, value in wanted.items():
        if name not in current:
            steps.append(Step("create", f"{kind} {name}", "it does not exist", None, value))
        elif not same_data(current[name], value):
            steps.append(Step("modify", f"{kind} {name}", "it differs", current[name], value))
    gone = sorted(set(current) - set(wanted))
    return steps + [Step("delete", f"{kind} {name}", "it is not wanted", current[name]) for name in gone]


def hook_request(hook: t.Mapping[str, t.Any]) -> Document:
    """A lifecycle hook as PutLifecycleHook takes it, but for its names."""
    return {
        "LifecycleTransition": f"autoscaling:EC2_INSTANCE_{hook['transition'].upper()}",
        "HeartbeatTimeout": hook["heartbeat_timeout"],
        "DefaultResult": hook["default_result"],
    }


def policy_request(policy: t.Mapping[str, t.Any]) -> Document:
    """A step-scaling policy as PutScalingPolicy takes it, but for its names."""
    return {
        "PolicyType": "StepScaling",
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Average",
        "StepAdjustments": [step_request(step) for step in policy["steps"]],
    }


def step_request(step: t.Mapping[str, t.Any]) -> Document:
    """One step; a bound that is left out is open (Auto Scaling API reference, StepAdjustment)."""
    bounds = {"MetricIntervalLowerBound": step.get("lower"), "MetricIntervalUpperBound": step.get("upper")}
    given = {key: float(value) for key, value in bounds.items() if value is not None}
    return {**given, "ScalingAdjustment": int(step["adjustment"])}


def current_policy(policy: Document) -> Document:
    """A policy that AWS describes, as L{policy_request} writes it."""
    steps = [{key: value for key, value in step.items() if value is not None} for step in policy["StepAdjustments"]]
    return {**policy, "StepAdjustments": steps}


# -- instance refresh --------------------------------------------------------------------------------------------------

#: Auto Scaling API reference, InstanceRefresh, Status.
GOING_ON = ("Pending", "InProgress", "Baking")
GOING_BACK = ("Cancelling", "RollbackInProgress")


def refresh_step(group: Document | None, refreshes: list[Document], name: str, version: str) -> Step:
    """What is to be done so that the instances of a group run a version of its launch template.

    :param group: as AWS describes it, or C{None}.
    :param refreshes: its refreshes, the newest first.
    :param version: number of the version.
    :returns: a step with the verb C{start}, C{cancel} (of one to another version), C{skip} (while one is going back;
        it changes nothing) or C{keep}.
    """
    resource = f"instance refresh of {name}"
    if group is None:
        return Step("keep", resource, "the group is new")
    newest = refreshes[0] if refreshes else {}
    status = newest.get("Status")
    if status in GOING_BACK:
        return Step("skip", resource, "an earlier one is going back")
    if status in GOING_ON:
        aim = str(_template(newest.get("DesiredConfiguration") or {}).get("Version"))
        if aim == version:
            return Step("keep", resource, f"one to version {version} is under way")
        return Step("cancel", resource, f"one to version {aim} is under way", {"Version": aim})
    old = outdated(group, version)
    if not old:
        return Step("keep", resource, f"all have version {version}")
    return Step("start", resource, f"{', '.join(old)} have another version than {version}", None, {"Version": version})


def outdated(group: Document, version: str) -> list[str]:
    """What of a group has another version of the launch template: the group itself, or instances that stay."""
    own = [group["AutoScalingGroupName"]] if str(_template(group).get("Version")) != version else []
    staying = [one for one in group.get("Instances") or [] if not one["LifecycleState"].startswith("Terminat")]
    return own + [one["InstanceId"] for one in staying if str(_template(one).get("Version")) != version]


def _template(holder: Document) -> Document:
    return holder.get("LaunchTemplate") or {}


def preferences(params: t.Mapping[str, t.Any]) -> Document:
    """C{Preferences} of StartInstanceRefresh."""
    return {
        "MinHealthyPercentage": params["min_healthy_percent"],
        "MaxHealthyPercentage": params["max_healthy_percent"],
        "InstanceWarmup": params["instance_warmup"],
        "SkipMatching": True,
        "AutoRollback": params["auto_rollback"],
    }

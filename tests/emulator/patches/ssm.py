# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Systems Manager."""

from __future__ import annotations

import base64
import typing as t

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ssm import models, responses
from moto.ssm.exceptions import SSMException

from tests.emulator import ami, policy
from tests.emulator.patches import around, before, patch


@patch(
    restores="The public parameters of Canonical, Debian and Amazon Linux name images that exist in the region.",
    source="Systems Manager User Guide, Calling AMI public parameters; wiki.debian.org/Cloud/AmazonEC2Image",
    touches="moto.ssm.models:ParameterDict._check_loading_status",
)
def public_image_parameters() -> None:
    """Load them when a name below their trees is first asked for."""
    trees = ("/aws/service/canonical", "/aws/service/debian", "/aws/service/ami-amazon-linux-latest")

    @around(models.ParameterDict, "_check_loading_status")
    def load(original: t.Callable[..., None], self: t.Any, key: str) -> None:
        # moto's own Amazon Linux parameters name images that are not offered here.
        self.latest_amis_loaded = True
        original(self, key)
        if str(key or "").startswith(trees) and not getattr(self, "public_images_loaded", False):
            self.public_images_loaded = True
            _load(self)

    def _load(parameters: t.Any) -> None:
        for name, image in ami.parameters().items():
            value = ami.identifier(parameters.region_name, image)
            dict.__setitem__(parameters, name, [_parameter(parameters, name, value)])

    def _parameter(parameters: t.Any, name: str, value: str) -> t.Any:
        return models.Parameter(  # type: ignore[abstract]
            account_id=parameters.account_id,
            name=name,
            value=value,
            parameter_type="String",
            description=None,
            allowed_pattern=None,
            keyid=None,
            last_modified_date=utcnow(),
            version=1,
            data_type="aws:ec2:image",
        )


@patch(
    restores="Running instances whose role lets the agent report are managed nodes, and are online.",
    source="Systems Manager User Guide, Setting up managed nodes; API reference, DescribeInstanceInformation",
    touches="moto.ssm.responses:SimpleSystemManagerResponse.describe_instance_information",
)
def managed_instances() -> None:
    """Add the operation, which moto lacks."""

    def describe(self: t.Any) -> t.Any:
        filters = {entry["Key"]: entry["Values"] for entry in self._get_param("Filters", [])}
        filters |= {entry["key"]: entry["valueSet"] for entry in self._get_param("InstanceInformationFilterList", [])}
        found = [_information(instance) for instance in _managed(self.current_account, self.region)]
        found = [entry for entry in found if _passes(self.current_account, self.region, entry, filters)]
        return ActionResult({"InstanceInformationList": found})

    responses.SimpleSystemManagerResponse.describe_instance_information = describe  # type: ignore[attr-defined]


def _managed(account: str, region: str) -> list[t.Any]:
    return [one for one in ec2_backends[account][region].all_instances() if _is_managed(account, one)]


def _is_managed(account: str, instance: t.Any) -> bool:
    association = instance.ec2_backend.iam_instance_profile_associations.get(instance.id)
    if instance._state.name != "running" or association is None:
        return False
    profile = association.iam_instance_profile
    return _has_agent(instance) and any(_may_report(account, role) for role in profile.roles)


def _has_agent(instance: t.Any) -> bool:
    # Debian's images come without the agent; Ubuntu's and Amazon's have it.
    image = instance.ec2_backend.amis.get(instance.image_id)
    if image is None or not (image.name or "").startswith("debian-"):
        return True
    encoded = str(instance.user_data or "")
    return b"amazon-ssm-agent" in base64.b64decode(encoded)


def _may_report(account: str, role: t.Any) -> bool:
    request = policy.Request("ssm:UpdateInstanceInformation", "*")
    versions = [version for attached in role.managed_policies.values() for version in attached.versions]
    documents = [version.document for version in versions if version.is_default]
    return any(policy.evaluate(document, request) == policy.ALLOW for document in [*documents, *role.policies.values()])


def _information(instance: t.Any) -> dict[str, t.Any]:
    image = instance.ec2_backend.amis.get(instance.image_id)
    name = (image.name if image else "") or ""
    platform, version = _platform(name)
    return {
        "InstanceId": instance.id,
        "PingStatus": "Online",
        "LastPingDateTime": utcnow(),
        "AgentVersion": "3.3.2299.0",
        "IsLatestVersion": True,
        "PlatformType": "Linux",
        "PlatformName": platform,
        "PlatformVersion": version,
        "ResourceType": "EC2Instance",
        "IPAddress": instance.private_ip,
        "ComputerName": instance.private_dns_name,
        "SourceId": instance.id,
        "SourceType": "AWS::EC2::Instance",
    }


def _platform(image: str) -> tuple[str, str]:
    for part, platform, version in (
        ("ubuntu-jammy", "Ubuntu", "22.04"),
        ("ubuntu-noble", "Ubuntu", "24.04"),
        ("debian-12", "Debian GNU/Linux", "12"),
        ("debian-13", "Debian GNU/Linux", "13"),
    ):
        if part in image:
            return platform, version
    return "Amazon Linux", "2023"


def _passes(account: str, region: str, entry: dict[str, t.Any], filters: dict[str, list[str]]) -> bool:
    tags = ec2_backends[account][region].tags.get(entry["InstanceId"], {})
    values = {
        "InstanceIds": entry["InstanceId"],
        "PingStatus": entry["PingStatus"],
        "PlatformTypes": entry["PlatformType"],
        "ResourceType": entry["ResourceType"],
        **{f"tag:{key}": value for key, value in tags.items()},
    }
    return all(
        bool(set(tags) & set(wanted)) if name == "tag-key" else values.get(name) in wanted
        for name, wanted in filters.items()
    )


@patch(
    restores="A command runs on the managed nodes named or tagged, and on no other; each invocation can be listed.",
    source="Systems Manager API reference, SendCommand (InvalidInstanceId, Targets) and ListCommandInvocations",
    touches=(
        "moto.ssm.models:Command._get_instance_ids_from_targets",
        "moto.ssm.models:SimpleSystemManagerBackend.send_command",
        "moto.ssm.responses:SimpleSystemManagerResponse.list_command_invocations",
    ),
)
def commands() -> None:
    """Restrict them; without targets moto takes every instance."""

    def from_targets(self: t.Any) -> list[str]:
        wanted = {target["Key"]: target["Values"] for target in self.targets}
        if not wanted:
            return []
        found = [_information(instance) for instance in _managed(self.account_id, self.backend_region)]
        return [one["InstanceId"] for one in found if _passes(self.account_id, self.backend_region, one, wanted)]

    models.Command._get_instance_ids_from_targets = from_targets  # type: ignore[method-assign]

    @before(models.SimpleSystemManagerBackend, "send_command")
    def check(self: t.Any, instance_ids: list[str], **_: t.Any) -> None:
        managed = {instance.id for instance in _managed(self.account_id, self.region_name)}
        unknown = [identifier for identifier in instance_ids if identifier not in managed]
        if unknown:
            text = f"Instances [[{', '.join(unknown)}]] not in a valid state for account {self.account_id}"
            raise SSMException("InvalidInstanceId", text)

    def list_invocations(self: t.Any) -> t.Any:
        command_id, instance_id = self._get_param("CommandId"), self._get_param("InstanceId")
        found = [
            _invocation(command, one)
            for command in self.ssm_backend.list_commands(command_id, instance_id)
            for one in command.invocations
            if instance_id in (None, one["InstanceId"])
        ]
        return ActionResult({"CommandInvocations": found})

    responses.SimpleSystemManagerResponse.list_command_invocations = list_invocations  # type: ignore[attr-defined]


def _invocation(command: t.Any, one: dict[str, t.Any]) -> dict[str, t.Any]:
    plugin = {
        "Name": one["PluginName"],
        "Status": one["Status"],
        "StatusDetails": one["StatusDetails"],
        "ResponseCode": 0,
        "Output": one["StandardOutputContent"],
    }
    return {
        "CommandId": command.command_id,
        "InstanceId": one["InstanceId"],
        "Comment": command.comment,
        "DocumentName": command.document_name,
        "RequestedDateTime": command.requested_date_time,
        "Status": one["Status"],
        "StatusDetails": one["StatusDetails"],
        "CommandPlugins": [plugin],
    }

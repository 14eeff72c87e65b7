# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2's instances and launch templates."""

from __future__ import annotations

import base64
import typing as t

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, MissingParameterError
from moto.ec2.models import instances as models
from moto.ec2.models import launch_templates
from moto.ec2.responses import instances as responses
from moto.ec2.responses import launch_templates as template_responses

from tests.emulator.patches import around, before, patch

_USER_DATA_LIMIT = 16384
_EBS_FIELDS = (
    "DeleteOnTermination",
    "Encrypted",
    "Iops",
    "KmsKeyId",
    "SnapshotId",
    "Throughput",
    "VolumeSize",
    "VolumeType",
)


@patch(
    restores="Interfaces made at launch go with the instance unless told otherwise; their groups are its groups.",
    source="EC2 API reference, InstanceNetworkInterfaceSpecification (DeleteOnTermination) and Instance",
    touches="moto.ec2.models.instances:Instance.prep_nics",
)
def interfaces_go_with_instance() -> None:
    """Set it; moto keeps them."""

    @around(models.Instance, "prep_nics")
    def prepare(original: t.Callable[..., None], self: t.Any, nic_spec: list[t.Any], *args: t.Any, **kw: t.Any) -> None:
        kept = {int(nic.get("DeviceIndex") or 0) for nic in nic_spec if not _goes(nic)}
        original(self, nic_spec, *args, **kw)
        for index, interface in self.nics.items():
            interface.delete_on_termination = int(index) not in kept
        if not self.security_groups and 0 in self.nics:
            self.security_groups = list(self.nics[0].group_set)


def _goes(nic: t.Any) -> bool:
    return "NetworkInterfaceId" not in nic and nic.get("DeleteOnTermination") in (None, True, "true")


@patch(
    restores="Termination protection asked for at launch holds.",
    source="EC2 API reference, RunInstances (DisableApiTermination) and TerminateInstances",
    touches="moto.ec2.responses.instances:InstanceResponse.run_instances",
)
def termination_protection() -> None:
    """Note it on the instances."""

    @around(responses.InstanceResponse, "run_instances")
    def run(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        answer = original(self)
        asked = self._get_param("DisableApiTermination")
        template = self._get_param("LaunchTemplate", {})
        if asked is None and template:
            asked = self.ec2_backend._get_template_from_args(template).data.get("DisableApiTermination")
        for instance in answer.result.instances:
            instance.disable_api_termination = asked in (True, "true")
        return answer


@patch(
    restores="User data is limited to 16 KiB.",
    source="EC2 User Guide, Run commands when you launch an EC2 instance with user data input",
    touches="moto.ec2.responses.instances:InstanceResponse.run_instances",
)
def user_data_limit() -> None:
    """Refuse what is longer, before encoding."""

    @before(responses.InstanceResponse, "run_instances")
    def check(self: t.Any) -> None:
        encoded = self._get_param("UserData") or ""
        if len(base64.b64decode(encoded)) > _USER_DATA_LIMIT:
            text = f"User data is limited to {_USER_DATA_LIMIT} bytes"
            raise EC2ClientError("InvalidParameterValue", text)


@patch(
    restores="An instance's volumes are the image's with the request's changes: type, IOPS, throughput, key.",
    source="EC2 User Guide, Block device mappings for volumes; API reference, EbsBlockDevice",
    touches=(
        "moto.ec2.responses.instances:InstanceResponse._parse_block_device_mapping",
        "moto.ec2.models.instances:InstanceBackend.run_instances",
    ),
)
def launched_volumes() -> None:
    """Merge both mappings; moto takes the one or the other, and drops fields."""

    def parse(self: t.Any) -> list[dict[str, t.Any]]:
        return [dict(mapping) for mapping in self._get_param("BlockDeviceMappings", [])]

    responses.InstanceResponse._parse_block_device_mapping = parse  # type: ignore[method-assign]

    @around(models.InstanceBackend, "run_instances")
    def run(original: t.Callable[..., t.Any], self: t.Any, image_id: str, *args: t.Any, **kwargs: t.Any) -> t.Any:
        wanted = _wanted_devices(self, image_id, kwargs)
        if wanted is None:
            return original(self, image_id, *args, **kwargs)
        kwargs["block_device_mappings"] = [_for_moto(name, device) for name, device in wanted.items()]
        reservation = original(self, image_id, *args, **kwargs)
        for instance in reservation.instances:
            for name, device in wanted.items():
                _finish(self.volumes[instance.block_device_mapping[name].volume_id], device)
        return reservation


def _wanted_devices(backend: t.Any, image_id: str, kwargs: t.Any) -> dict[str, dict[str, t.Any]] | None:
    """Device name to EBS fields; None for a launch that moto must handle itself."""
    if kwargs.get("launch_config"):
        return None
    given = kwargs.get("block_device_mappings")
    if kwargs.get("launch_template"):
        template = backend._get_template_from_args(kwargs["launch_template"])
        image_id = image_id or template.image_id
        given = given or template.data.get("BlockDeviceMappings")
    image = backend.amis.get(image_id)
    if image is None:
        return None
    devices = {one["DeviceName"]: dict(one["Ebs"]) for one in image.block_device_mappings}
    for mapping in given or []:
        _merge(devices, mapping)
    return devices


def _merge(devices: dict[str, dict[str, t.Any]], mapping: t.Any) -> None:
    name = mapping["DeviceName"]
    if mapping.get("NoDevice") is not None:
        devices.pop(name, None)
        return
    fields = {key: mapping["Ebs"][key] for key in _EBS_FIELDS if (mapping.get("Ebs") or {}).get(key) is not None}
    base = devices.get(name, {})
    if not {"VolumeSize", "SnapshotId"} & (fields.keys() | base.keys()):
        raise MissingParameterError("size/snapshot")
    smallest = base.get("VolumeSize") or 0
    if int(fields.get("VolumeSize", smallest)) < smallest:
        raise EC2ClientError(
            "InvalidBlockDeviceMapping",
            f"Volume of size {fields['VolumeSize']}GB is smaller than snapshot '{base['SnapshotId']}', expect size >= "
            f"{smallest}GB",
        )
    devices[name] = {**base, **fields}


def _for_moto(name: str, device: dict[str, t.Any]) -> dict[str, t.Any]:
    # moto's launch knows no IOPS, without which it refuses the provisioned types: those are set afterwards.
    plain = "gp2" if device.get("VolumeType") in ("io1", "io2") else device.get("VolumeType")
    return {
        "DeviceName": name,
        "Ebs": {
            **device,
            "VolumeType": plain,
            "Encrypted": device.get("Encrypted") in (True, "true"),
            "DeleteOnTermination": device.get("DeleteOnTermination") in (True, "true"),
        },
    }


def _finish(volume: t.Any, device: dict[str, t.Any]) -> None:
    volume.volume_type = device.get("VolumeType") or volume.volume_type
    if device.get("Iops"):
        volume.iops = int(device["Iops"])
    if device.get("Throughput"):
        volume.throughput = int(device["Throughput"])


@patch(
    restores="A launch template's own tags are no part of what it launches.",
    source="EC2 API reference, CreateLaunchTemplate (TagSpecifications) and LaunchTemplateTagSpecificationRequest",
    touches="moto.ec2.models.launch_templates:LaunchTemplateVersion.__init__",
)
def template_tags() -> None:
    """Take them out of the version's data."""

    @around(launch_templates.LaunchTemplateVersion, "__init__")
    def init(
        original: t.Callable[..., None], self: t.Any, template: t.Any, number: int, data: t.Any, text: str
    ) -> None:
        if data.get("TagSpecifications"):
            kept = [one for one in data["TagSpecifications"] if one.get("ResourceType") != "launch-template"]
            data["TagSpecifications"] = kept
            if not kept:
                data.pop("TagSpecifications")
        original(self, template, number, data, text)


@patch(
    restores="Instances can be launched with each version's user data, not with the first version's alone.",
    source="EC2 API reference, CreateLaunchTemplateVersion (UserData)",
    touches="moto.ec2.models.launch_templates:LaunchTemplateVersion.__init__",
)
def template_user_data() -> None:
    """Hold it as moto does that of the first version."""

    @around(launch_templates.LaunchTemplateVersion, "__init__")
    def init(
        original: t.Callable[..., None], self: t.Any, template: t.Any, number: int, data: t.Any, text: str
    ) -> None:
        if type(data.get("UserData")) is str:
            data["UserData"] = launch_templates.parse_user_data(data["UserData"])
        original(self, template, number, data, text)


@patch(
    restores="DeleteLaunchTemplateVersions removes versions, but not the default one.",
    source="EC2 API reference, DeleteLaunchTemplateVersions",
    touches="moto.ec2.responses.launch_templates:LaunchTemplates.delete_launch_template_versions",
)
def delete_template_versions() -> None:
    """Add the operation, which moto lacks."""

    def delete(self: t.Any) -> t.Any:
        template = self.ec2_backend.get_launch_template(
            self._get_param("LaunchTemplateId")
            or self.ec2_backend.launch_template_name_to_ids[self._get_param("LaunchTemplateName")]
        )
        deleted, refused = [], []
        for number in self._get_param("Versions", []):
            entry = {
                "LaunchTemplateId": template.id,
                "LaunchTemplateName": template.name,
                "VersionNumber": int(number),
            }
            error = _refusal(template, int(number))
            if error:
                refused.append({**entry, "ResponseError": error})
            else:
                deleted.append(entry)
                template.versions = [one for one in template.versions if one.number != int(number)]
        return ActionResult(
            {
                "SuccessfullyDeletedLaunchTemplateVersions": deleted,
                "UnsuccessfullyDeletedLaunchTemplateVersions": refused,
            }
        )

    template_responses.LaunchTemplates.delete_launch_template_versions = delete  # type: ignore[attr-defined]


def _refusal(template: t.Any, number: int) -> dict[str, str] | None:
    if number == template.default_version_number:
        return {"Code": "operationNotPermitted", "Message": "The default version cannot be deleted."}
    if number not in [one.number for one in template.versions]:
        return {"Code": "launchTemplateVersionDoesNotExist", "Message": f"Version {number} does not exist."}
    return None

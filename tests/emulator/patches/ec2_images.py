# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2's machine images."""

from __future__ import annotations

import json
import typing as t

from moto.core.parse import default_timestamp_parser
from moto.ec2.models import amis

from tests.emulator import ami
from tests.emulator.patches import patch


@patch(
    restores="An image has another id in each region; its root volume goes with the instance.",
    source="EC2 User Guide, Copy an Amazon EC2 AMI; API reference, EbsBlockDevice.DeleteOnTermination",
    touches=("moto.ec2.models.amis:AmiBackend._load_amis", "moto.ec2.models.amis:Ami.block_device_mappings"),
)
def public_images() -> None:
    """Load our images under each region's own ids, with a root device as the publishers set it."""
    known = json.loads(ami.PATH.read_text(encoding="utf-8"))
    public = {image["name"] for image in known}
    mappings = amis.Ami.block_device_mappings.fget  # type: ignore[attr-defined]

    def load(self: t.Any) -> None:
        for image in known:
            image_id = ami.identifier(self.region_name, image["name"])
            created = default_timestamp_parser(image["creation_date"])
            details = {**image, "ami_id": image_id, "creation_date": created, "owner_alias": "amazon"}
            self.amis[image_id] = amis.Ami(self, **details)

    def block_devices(self: t.Any) -> list[dict[str, t.Any]]:
        found: list[dict[str, t.Any]] = mappings(self)
        if self.name in public:
            found[0]["Ebs"].update(VolumeSize=8, VolumeType="gp3", DeleteOnTermination=True, Encrypted=False)
        return found

    amis.AmiBackend._load_amis = load  # type: ignore[method-assign]
    amis.Ami.block_device_mappings = property(block_devices)  # type: ignore[assignment]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ends with an instance."""

from __future__ import annotations

import typing as t

from moto.ec2.models import instances

from tests.emulator.patches import around, patch


@patch(
    restores="Terminating an instance disassociates its elastic IP, which stays allocated.",
    source="EC2 User Guide, Elastic IP addresses and Terminate Amazon EC2 instances",
    touches="moto.ec2.models.instances:InstanceBackend.terminate_instances",
)
def address_is_disassociated() -> None:
    """Disassociate it; moto keeps it at the instance that is gone."""

    @around(instances.InstanceBackend, "terminate_instances")
    def terminate(original: t.Callable[..., t.Any], self: t.Any, instance_ids: list[str]) -> t.Any:
        for address in list(self.addresses):
            if address.instance and address.instance.id in instance_ids:
                self.disassociate_address(address=address.public_ip)
        return original(self, instance_ids)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2: what is known of a NAT gateway."""

from __future__ import annotations

import re
import typing as t

from tests.live.patches import patch


@patch(
    restores="A public NAT gateway says which elastic address it has.",
    source="Amazon EC2 API reference, NatGateway (natGatewayAddressSet), NatGatewayAddress",
    touches="ministack.services.ec2:_ACTION_MAP",
)
def nat_gateway_addresses() -> None:
    """MiniStack's list of them is empty."""
    from ministack.services import ec2

    def of(gateway: str) -> str:
        allocation = ec2._nat_gateways.get(gateway, {}).get("AllocationId")
        address = ec2._addresses.get(allocation) if allocation else None
        if not address:
            return "<natGatewayAddressSet/>"
        public = f"<allocationId>{allocation}</allocationId><publicIp>{address['PublicIp']}</publicIp>"
        inner = f"{public}<networkInterfaceId>eni-{gateway[4:]}</networkInterfaceId><isPrimary>true</isPrimary>"
        return f"<natGatewayAddressSet><item>{inner}</item></natGatewayAddressSet>"

    def filled(original: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def answer(params: dict[str, t.Any]) -> t.Any:
            status, headers, body = original(params)
            text = body.decode() if isinstance(body, bytes) else body
            pattern = r"(<natGatewayId>([^<]+)</natGatewayId>.*?)<natGatewayAddressSet/>"
            return status, headers, re.sub(pattern, lambda m: m[1] + of(m[2]), text, flags=re.DOTALL).encode()

        return answer

    for action in ("CreateNatGateway", "DescribeNatGateways"):
        ec2._ACTION_MAP[action] = filled(ec2._ACTION_MAP[action])

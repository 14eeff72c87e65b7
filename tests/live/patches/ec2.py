# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2: NAT gateways and their elastic addresses."""

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


#: What DescribeAddresses can be asked for beside tags, by the name of MiniStack's own field.
FIELDS = {
    "allocation-id": "AllocationId",
    "association-id": "AssociationId",
    "domain": "Domain",
    "public-ip": "PublicIp",
}


def is_meant(address: t.Mapping[str, t.Any], filters: t.Mapping[str, list[str]], public: t.Collection[str]) -> bool:
    """Whether an address is among those that a request asks for, by other things than its tags.

    :param address: as MiniStack keeps it.
    :param filters: values by the filter's name.
    :param public: addresses that are asked for; none means all.
    """
    if public and address["PublicIp"] not in public:
        return False
    return all(address.get(field) in filters[name] for name, field in FIELDS.items() if name in filters)


@patch(
    restores="DescribeAddresses gives the addresses that were asked for, by tags, filters or the address itself.",
    source="Amazon EC2 API reference, DescribeAddresses (Filter, PublicIp)",
    touches="ministack.services.ec2:_ACTION_MAP",
)
def filtered_addresses() -> None:
    """MiniStack gives all of a region, so one stack took, and gave back, the address of another."""
    from ministack.services import ec2

    original = ec2._ACTION_MAP["DescribeAddresses"]

    def answer(params: dict[str, t.Any]) -> t.Any:
        filters, public = ec2._parse_filters(params), ec2._parse_member_list(params, "PublicIp")
        asked = ec2._parse_member_list(params, "AllocationId")
        meant = [
            allocation
            for allocation, address in ec2._addresses.items()
            if (not asked or allocation in asked)
            and is_meant(address, filters, public)
            and ec2._resource_matches_tag_filters(allocation, filters)
        ]
        others = {name: value for name, value in params.items() if not name.startswith("AllocationId.")}
        # Of a name that nothing has it gives nothing.
        return original({**others, **{f"AllocationId.{n}": [name] for n, name in enumerate(meant or ["-"], 1)}})

    ec2._ACTION_MAP["DescribeAddresses"] = answer


@patch(
    restores="An elastic address is associated for as long as a NAT gateway has it.",
    source="Amazon VPC user guide, NAT gateway basics; EC2 API reference, Address (associationId)",
    touches="ministack.services.ec2:_ACTION_MAP",
)
def nat_gateways_hold_their_addresses() -> None:
    """In MiniStack it looks unused, and a second gateway is given the same one."""
    from ministack.services import ec2

    create, delete = ec2._ACTION_MAP["CreateNatGateway"], ec2._ACTION_MAP["DeleteNatGateway"]

    def associate(allocation: str | None, association: str | None) -> None:
        address = ec2._addresses.get(allocation) if allocation else None
        if address:
            address["AssociationId"] = association

    def created(params: dict[str, t.Any]) -> t.Any:
        answer = create(params)
        if answer[0] == 200:
            allocation = ec2._p(params, "AllocationId")
            associate(allocation, allocation.replace("eipalloc", "eipassoc"))
        return answer

    def deleted(params: dict[str, t.Any]) -> t.Any:
        answer = delete(params)
        if answer[0] == 200:
            associate(ec2._nat_gateways[ec2._p(params, "NatGatewayId")].get("AllocationId"), None)
        return answer

    ec2._ACTION_MAP.update(CreateNatGateway=created, DeleteNatGateway=deleted)

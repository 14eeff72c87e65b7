# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2's networks: what may not go while something needs it, and peering.

The checks stand before the API's operations, not in moto's backend, which calls its own deletions from inside.
"""

from __future__ import annotations

import copy
import ipaddress
import re
import typing as t

from moto.core.responses import ActionResult
from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models import nat_gateways, vpc_peering_connections
from moto.ec2.models import security_groups as group_models
from moto.ec2.models import vpcs as vpc_models
from moto.ec2.responses import elastic_ip_addresses, internet_gateways, security_groups, subnets, vpcs
from moto.ec2.responses import vpc_peering_connections as peering_responses
from moto.ec2.utils import generic_filter
from moto.elbv2.models import elbv2_backends

from tests.emulator.patches import around, before, patch
from tests.emulator.patches import rds as rds_patches

_LIVE_PEERINGS = ("initiating-request", "pending-acceptance", "provisioning", "active")
_DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")
_DESCRIPTION_SET = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"


@patch(
    restores="A subnet stays while an instance, NAT gateway, load balancer or database has an interface in it.",
    source="EC2 API reference, DeleteSubnet; VPC User Guide, Delete a subnet",
    touches="moto.ec2.responses.subnets:Subnets.delete_subnet",
)
def subnet_dependencies() -> None:
    """Refuse its deletion."""

    @before(subnets.Subnets, "delete_subnet")
    def check(self: t.Any) -> None:
        subnet = self._get_param("SubnetId")
        backend = self.ec2_backend
        used = {interface.subnet.id for interface in backend.enis.values()}
        used |= set(rds_patches.subnets_in_use(backend.account_id, backend.region_name))
        used |= {identifier for balancer in _balancers(backend) for identifier in _subnet_ids(balancer)}
        if subnet in used:
            raise DependencyViolationError(f"The subnet '{subnet}' has dependencies and cannot be deleted.")


def _balancers(backend: t.Any) -> list[t.Any]:
    return list(elbv2_backends[backend.account_id][backend.region_name].load_balancers.values())


def _subnet_ids(balancer: t.Any) -> list[str]:
    return [getattr(subnet, "id", subnet) for subnet in balancer.subnets]


@patch(
    restores="A security group stays while an interface, load balancer, database or another group's rule refers to it.",
    source="EC2 API reference, DeleteSecurityGroup",
    touches="moto.ec2.responses.security_groups:SecurityGroups.delete_security_group",
)
def security_group_dependencies() -> None:
    """Refuse its deletion, and that of a VPC's default group."""

    @before(security_groups.SecurityGroups, "delete_security_group")
    def check(self: t.Any) -> None:
        backend = self.ec2_backend
        group = backend.get_security_group_by_name_or_id(self._get_param("GroupId") or self._get_param("GroupName"))
        if group is None:
            return
        if group.name == "default":
            text = f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
            raise EC2ClientError("CannotDelete", text)
        dependents = [*_users_of(backend, group.id), *_groups_naming(backend, group.id)]
        if dependents:
            # AWS does not say which; whoever reads a failed test wants to know.
            text = f"resource {group.id} has a dependent object (emulator: {', '.join(dependents)})"
            raise DependencyViolationError(text)


def _users_of(backend: t.Any, group: str) -> list[str]:
    interfaces = [one.id for one in backend.enis.values() if group in {member.id for member in one.group_set}]
    balancers = [one.arn for one in _balancers(backend) if group in (one.security_groups or [])]
    in_databases = rds_patches.security_groups_in_use(backend.account_id, backend.region_name)
    return [*interfaces, *balancers, *(["a database"] if group in in_databases else [])]


def _groups_naming(backend: t.Any, group: str) -> list[str]:
    others = [other for of_vpc in backend.groups.values() for other in of_vpc.values() if other.id != group]
    return [
        f"a rule of {other.name}"
        for other in others
        if any(rule.source_group.get("GroupId") == group for rule in [*other.ingress_rules, *other.egress_rules])
    ]


@patch(
    restores="An internet gateway stays attached while the VPC has public addresses.",
    source="EC2 API reference, DetachInternetGateway",
    touches="moto.ec2.responses.internet_gateways:InternetGateways.detach_internet_gateway",
)
def internet_gateway_dependencies() -> None:
    """Refuse to detach it."""

    @before(internet_gateways.InternetGateways, "detach_internet_gateway")
    def check(self: t.Any) -> None:
        vpc, backend = self._get_param("VpcId"), self.ec2_backend
        mapped = any(interface.vpc_id == vpc and interface.public_ip for interface in backend.enis.values())
        facing = any(one.vpc_id == vpc and one.scheme == "internet-facing" for one in _balancers(backend))
        if mapped or facing or _has_public_database(backend, vpc):
            raise DependencyViolationError(
                f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before "
                "detaching the gateway."
            )


def _has_public_database(backend: t.Any, vpc: str) -> bool:
    found = rds_patches.databases_in(backend.account_id, backend.region_name)
    groups = [getattr(database, "db_subnet_group", None) for database in found if database.publicly_accessible]
    return any(group is not None and group.vpc_id == vpc for group in groups)


@patch(
    restores="A VPC stays while it has gateways, endpoints, groups, network ACLs or a peering that it asked for.",
    source="EC2 API reference, DeleteVpc; AWS re:Post, Why can't I delete my VPC",
    touches="moto.ec2.responses.vpcs:VPCs.delete_vpc",
)
def vpc_dependencies() -> None:
    """Refuse its deletion; moto looks at subnets, route tables and VPN gateways only."""

    @before(vpcs.VPCs, "delete_vpc")
    def check(self: t.Any) -> None:
        vpc = self._get_param("VpcId")
        if _holds_more_than_defaults(self.ec2_backend, vpc):
            raise DependencyViolationError(f"The vpc '{vpc}' has dependencies and cannot be deleted.")


def _holds_more_than_defaults(backend: t.Any, vpc: str) -> bool:
    peerings = (one for one in backend.vpc_pcxs.values() if one._status.code in _LIVE_PEERINGS)
    return (
        any(gateway.vpc and gateway.vpc.id == vpc for gateway in backend.internet_gateways.values())
        or any(gateway.vpc_id == vpc for gateway in backend.egress_only_internet_gateways.values())
        or any(group.name != "default" for group in backend.groups.get(vpc, {}).values())
        or any(acl.vpc_id == vpc and not acl.default for acl in backend.network_acls.values())
        or any(point.vpc_id == vpc and point.state != "deleted" for point in backend.vpc_end_points.values())
        or any(peering.vpc.id == vpc for peering in peerings)
    )


@patch(
    restores="A VPC endpoint of no type is a gateway.",
    source="EC2 API reference, CreateVpcEndpoint (VpcEndpointType, default Gateway)",
    touches="moto.ec2.models.vpcs:VPCBackend.create_vpc_endpoint",
)
def default_endpoint_type() -> None:
    """Say so; moto fails when it is deleted."""

    @around(vpc_models.VPCBackend, "create_vpc_endpoint")
    def create(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        if "endpoint_type" in kwargs:
            kwargs["endpoint_type"] = kwargs["endpoint_type"] or "Gateway"
        return original(self, *args, **kwargs)


@patch(
    restores="An elastic IP stays allocated while it is associated.",
    source="EC2 API reference, ReleaseAddress (InvalidIPAddress.InUse)",
    touches="moto.ec2.responses.elastic_ip_addresses:ElasticIPAddresses.release_address",
)
def address_in_use() -> None:
    """Refuse to release it; moto disassociates it first."""

    @before(elastic_ip_addresses.ElasticIPAddresses, "release_address")
    def check(self: t.Any) -> None:
        allocation = self._get_param("AllocationId")
        if any(one.allocation_id == allocation and one.association_id for one in self.ec2_backend.addresses):
            text = f"The address with allocation id [{allocation}] cannot be released because it is in use."
            raise EC2ClientError("InvalidIPAddress.InUse", text)


@patch(
    restores="A deleted NAT gateway gives back its interface and address; an unknown one is an error.",
    source="VPC User Guide, Delete a NAT gateway; EC2 API reference, Error codes (NatGatewayNotFound)",
    touches=(
        "moto.ec2.models.nat_gateways:NatGatewayBackend.delete_nat_gateway",
        "moto.ec2.models.nat_gateways:NatGatewayBackend.describe_nat_gateways",
    ),
)
def nat_gateway_deletion() -> None:
    """Clean up after it."""

    def check(self: t.Any, identifiers: t.Iterable[str] | None) -> None:
        for identifier in identifiers or []:
            if identifier not in self.nat_gateways:
                raise EC2ClientError("NatGatewayNotFound", f"The Nat Gateway {identifier} was not found")

    @around(nat_gateways.NatGatewayBackend, "delete_nat_gateway")
    def delete(original: t.Callable[..., t.Any], self: t.Any, nat_gateway_id: str) -> t.Any:
        check(self, [nat_gateway_id])
        gateway = original(self, nat_gateway_id)
        for address in self.addresses:
            if address.eni is not None and address.eni.id == gateway._eni.id:
                self.disassociate_address(address=address.public_ip)
        self.enis.pop(gateway._eni.id, None)
        return gateway

    @before(nat_gateways.NatGatewayBackend, "describe_nat_gateways")
    def describe(self: t.Any, filters: t.Any, nat_gateway_ids: list[str] | None) -> None:
        check(self, nat_gateway_ids)


@patch(
    restores="DescribeNatGateways filters by tags.",
    source="EC2 API reference, DescribeNatGateways (Filter)",
    touches="moto.ec2.models.nat_gateways:NatGatewayBackend.describe_nat_gateways",
)
def nat_gateway_tag_filters() -> None:
    """Apply the filters on tags, which moto ignores: a stack would see, and delete, another one's gateways."""

    @around(nat_gateways.NatGatewayBackend, "describe_nat_gateways")
    def describe(original: t.Callable[..., t.Any], self: t.Any, filters: t.Any, nat_gateway_ids: t.Any) -> t.Any:
        tags = {name: values for name, values in (filters or {}).items() if name.startswith("tag")}
        return generic_filter(tags, original(self, filters, nat_gateway_ids))


@patch(
    restores="A VPC's default security group lets its own members in.",
    source="VPC User Guide, Default security groups for your VPCs",
    touches="moto.ec2.models.security_groups:SecurityGroupBackend.create_security_group",
)
def default_group_rule() -> None:
    """Add the rule."""

    @around(group_models.SecurityGroupBackend, "create_security_group")
    def create(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        group = original(self, *args, **kwargs)
        if group.name == "default" and group.is_default:
            own = [{"GroupId": group.id, "UserId": self.account_id}]
            self.authorize_security_group_ingress(
                group.id, "-1", None, None, [], source_groups=own, vpc_id=group.vpc_id
            )
        return group


@patch(
    restores="Groups' names and descriptions are at most 255 of the characters that EC2 lets through.",
    source="EC2 API reference, CreateSecurityGroup (GroupName, GroupDescription) and IpRange (Description)",
    touches=(
        "moto.ec2.responses.security_groups:SecurityGroups.create_security_group",
        "moto.ec2.responses.security_groups:SecurityGroups.authorize_security_group_ingress",
        "moto.ec2.responses.security_groups:SecurityGroups.authorize_security_group_egress",
    ),
)
def security_group_texts() -> None:
    """Check them."""

    @before(security_groups.SecurityGroups, "create_security_group")
    def check_group(self: t.Any) -> None:
        name = self._get_param("GroupName") or ""
        if name.startswith("sg-") or not 1 <= len(name) <= 255 or not _DESCRIPTION.fullmatch(name):
            text = f"Value ({name}) for parameter GroupName is invalid. Character sets beyond ASCII are not supported."
            raise EC2ClientError("InvalidParameterValue", text)
        refuse(self._get_param("GroupDescription") or self._get_param("Description") or "", "security group")

    def check_rules(self: t.Any) -> None:
        for permission in self._get_param("IpPermissions", []):
            for kind in ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"):
                for source in permission.get(kind) or []:
                    refuse(source.get("Description") or "", "rule")

    def refuse(text: str, what: str) -> None:
        if not _DESCRIPTION.fullmatch(text):
            raise EC2ClientError(
                "InvalidParameterValue",
                f"Invalid {what} description. Valid descriptions are strings less than 256 characters from the "
                f"following set: {_DESCRIPTION_SET}",
            )

    before(security_groups.SecurityGroups, "authorize_security_group_ingress")(check_rules)
    before(security_groups.SecurityGroups, "authorize_security_group_egress")(check_rules)


@patch(
    restores="A peering of VPCs whose CIDR blocks overlap, or of a VPC with itself, fails.",
    source="VPC Peering Guide, VPC peering limitations and lifecycle (failed)",
    touches="moto.ec2.models.vpc_peering_connections:VPCPeeringConnectionBackend.create_vpc_peering_connection",
)
def overlapping_peering() -> None:
    """Set its state."""

    @around(vpc_peering_connections.VPCPeeringConnectionBackend, "create_vpc_peering_connection")
    def create(original: t.Callable[..., t.Any], self: t.Any, vpc: t.Any, peer_vpc: t.Any, *rest: t.Any) -> t.Any:
        peering = original(self, vpc, peer_vpc, *rest)
        if any(own.overlaps(other) for own in _networks(vpc) for other in _networks(peer_vpc)):
            peering._status.code = "failed"
            peering._status.message = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"
        return peering


def _networks(vpc: t.Any) -> list[t.Any]:
    return [ipaddress.ip_network(str(one["cidr_block"])) for one in vpc.get_cidr_block_association_set()]


@patch(
    restores="DescribeVpcPeeringConnections filters, and shows each side its own tags.",
    source="EC2 API reference, DescribeVpcPeeringConnections (Filter)",
    touches="moto.ec2.responses.vpc_peering_connections:VPCPeeringConnections.describe_vpc_peering_connections",
)
def peering_filters() -> None:
    """Apply the filters, which moto ignores."""

    def describe(self: t.Any) -> t.Any:
        backend = self.ec2_backend
        identifiers = self._get_param("VpcPeeringConnectionIds", [])
        for identifier in identifiers:
            backend.get_vpc_peering_connection(identifier)
        found = [_seen_from(backend, one) for one in backend.describe_vpc_peering_connections(identifiers)]
        filters = self._filters_from_querystring()
        return ActionResult({"VpcPeeringConnections": [one for one in found if _passes(one, filters)]})

    peering_responses.VPCPeeringConnections.describe_vpc_peering_connections = describe  # type: ignore[method-assign]


def _seen_from(backend: t.Any, peering: t.Any) -> t.Any:
    side = copy.copy(peering)
    side.ec2_backend = backend
    return side


def _passes(peering: t.Any, filters: dict[str, list[str]]) -> bool:
    tags = {tag["key"]: tag["value"] for tag in peering.get_tags()}
    values = {
        "vpc-peering-connection-id": peering.id,
        "status-code": peering._status.code,
        "status-message": peering._status.message,
        **{f"tag:{key}": value for key, value in tags.items()},
    }
    for side, vpc in (("requester", peering.vpc), ("accepter", peering.peer_vpc)):
        values[f"{side}-vpc-info.vpc-id"] = vpc.id
        values[f"{side}-vpc-info.owner-id"] = vpc.owner_id
        values[f"{side}-vpc-info.cidr-block"] = vpc.cidr_block
    return all(
        bool(set(tags) & set(wanted)) if name == "tag-key" else values.get(name) in wanted
        for name, wanted in filters.items()
    )

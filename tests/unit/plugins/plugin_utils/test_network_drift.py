# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What of a network is handed to the stock modules, and what is left alone."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import network_drift as subject
from ansible_collections.palier.aws.plugins.plugin_utils.network import ALLOW_ALL_OUT


def changed(resource: dict[str, t.Any], path: str, value: t.Any) -> dict[str, t.Any]:
    """A copy in which one value, ``key.key``, is another one."""
    key, _, rest = path.partition(".")
    return {**resource, key: changed(resource[key], rest, value) if rest else value}


TAGS = {"Stack": "shop", "Cost": 42}
#: What the account answers of tags: strings.
FOUND_TAGS = {"Stack": "shop", "Cost": "42"}


class TestVpcAndSubnets:
    VPC = {
        "vpc_id": "vpc-1",
        "state": "available",
        "cidr_block": "10.0.0.0/16",
        "instance_tenancy": "default",
        "enable_dns_support": True,
        "enable_dns_hostnames": True,
        "tags": FOUND_TAGS,
    }
    WANTED_SUBNET = {"name": "public-a", "cidr": "10.0.0.0/24", "zone": "eu-west-3a", "type": "public"}
    SUBNET = {
        "subnet_id": "subnet-1",
        "vpc_id": "vpc-1",
        "cidr_block": "10.0.0.0/24",
        "availability_zone": "eu-west-3a",
        "state": "available",
        "map_public_ip_on_launch": False,
        "assign_ipv6_address_on_creation": False,
        "ipv6_cidr_block_association_set": [],
        "tags": {**FOUND_TAGS, "Name": "public-a", "Type": "public"},
    }

    def test_a_vpc_that_stands(self) -> None:
        assert subject.vpc_in_sync([self.VPC], "10.0.0.0/16", TAGS)

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("state", "pending"),
            ("cidr_block", "10.1.0.0/16"),
            ("instance_tenancy", "dedicated"),
            ("enable_dns_support", False),
            ("enable_dns_hostnames", False),
            ("tags.Cost", "43"),
            ("tags.More", "x"),
        ],
    )
    def test_a_vpc_that_differs(self, path: str, value: t.Any) -> None:
        assert not subject.vpc_in_sync([changed(self.VPC, path, value)], "10.0.0.0/16", TAGS)

    @pytest.mark.parametrize("count", [0, 2])
    def test_no_vpc_and_two(self, count: int) -> None:
        assert not subject.vpc_in_sync([self.VPC] * count, "10.0.0.0/16", TAGS)

    def subnets(self, *found: dict[str, t.Any]) -> list[dict[str, t.Any]]:
        return subject.drifted_subnets([self.WANTED_SUBNET], list(found), "vpc-1", TAGS)

    def test_a_subnet_that_stands(self) -> None:
        assert self.subnets(self.SUBNET) == []

    def test_a_subnet_that_is_missing(self) -> None:
        tags = {**TAGS, "Name": "public-a", "Type": "public"}
        assert self.subnets() == [{**self.WANTED_SUBNET, "tags": tags}]

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("vpc_id", "vpc-2"),
            ("cidr_block", "10.0.1.0/24"),
            ("availability_zone", "eu-west-3b"),
            ("state", "pending"),
            ("map_public_ip_on_launch", True),
            ("assign_ipv6_address_on_creation", True),
            ("ipv6_cidr_block_association_set", [{"ipv6_cidr_block": "2001:db8::/64"}]),
            ("tags.Name", "older"),
            ("tags.Stack", "other"),
            ("tags.More", "x"),
        ],
    )
    def test_a_subnet_that_differs(self, path: str, value: t.Any) -> None:
        assert [subnet["name"] for subnet in self.subnets(changed(self.SUBNET, path, value))] == ["public-a"]

    GATEWAY = {
        "nat_gateway_id": "nat-1",
        "subnet_id": "subnet-1",
        "state": "pending",
        "tags": {**FOUND_TAGS, "Name": "shop-nat-eu-west-3a"},
    }

    def gateways(self, *found: dict[str, t.Any]) -> list[dict[str, t.Any]]:
        return subject.drifted_nat_gateways(
            [self.WANTED_SUBNET], list(found), {"public-a": "subnet-1"}, "shop-nat", TAGS
        )

    def test_a_nat_gateway_that_stands(self) -> None:
        assert self.gateways(self.GATEWAY) == []

    def test_a_nat_gateway_that_is_missing(self) -> None:
        tags = {**TAGS, "Name": "shop-nat-eu-west-3a"}
        assert self.gateways() == [{**self.WANTED_SUBNET, "subnet_id": "subnet-1", "tags": tags}]

    @pytest.mark.parametrize(("path", "value"), [("subnet_id", "subnet-2"), ("tags.Name", "x"), ("tags.More", "x")])
    def test_a_nat_gateway_that_differs(self, path: str, value: str) -> None:
        assert [subnet["name"] for subnet in self.gateways(changed(self.GATEWAY, path, value))] == ["public-a"]


class TestRouteTables:
    PEER = {"dest": "10.9.0.0/16", "vpc_peering_connection_id": "pcx-1"}
    WANTED = {
        "name": "private-a",
        "type": "private",
        "subnets": ["subnet-1"],
        "routes": [{"dest": "0.0.0.0/0", "nat_gateway_id": "nat-1"}, PEER],
    }
    LOCAL = {"destination_cidr_block": "10.0.0.0/16", "gateway_id": "local", "state": "active"}
    OUT = {"destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1", "state": "active"}
    TO_PEER = {"destination_cidr_block": "10.9.0.0/16", "vpc_peering_connection_id": "pcx-1", "state": "active"}
    ENDPOINT = {"destination_prefix_list_id": "pl-1", "gateway_id": "vpce-1", "state": "active"}
    ASSOCIATION = {"main": False, "subnet_id": "subnet-1"}
    FOUND = {
        "route_table_id": "rtb-1",
        "vpc_id": "vpc-1",
        "routes": [LOCAL, OUT, TO_PEER, ENDPOINT],
        "associations": [ASSOCIATION],
        "tags": {**FOUND_TAGS, "Name": "private-a", "Type": "private"},
    }

    def tables(self, *found: dict[str, t.Any]) -> list[dict[str, t.Any]]:
        return subject.drifted_route_tables([self.WANTED], list(found), "vpc-1", TAGS)

    def test_one_that_stands(self) -> None:
        assert self.tables(self.FOUND) == []

    def test_one_that_is_missing(self) -> None:
        tags = {**TAGS, "Name": "private-a", "Type": "private"}
        assert self.tables() == [{**self.WANTED, "tags": tags, "id": "", "purge_routes": False}]

    @pytest.mark.parametrize(
        ("path", "value", "purge"),
        [
            ("routes", [LOCAL, TO_PEER, ENDPOINT], False),
            ("routes", [LOCAL, OUT, ENDPOINT], False),
            ("routes", [LOCAL, changed(OUT, "nat_gateway_id", "nat-2"), TO_PEER], False),
            ("routes", [LOCAL, changed(OUT, "state", "blackhole"), TO_PEER], False),
            ("routes", [LOCAL, {**OUT, "nat_gateway_id": None, "gateway_id": "igw-1"}, TO_PEER], False),
            ("routes", [*FOUND["routes"], {**TO_PEER, "destination_cidr_block": "10.8.0.0/16"}], True),
            ("associations", [], False),
            ("associations", [ASSOCIATION, {"main": False, "subnet_id": "subnet-2"}], False),
            ("associations", [ASSOCIATION, {"main": False, "gateway_id": "igw-1"}], False),
            ("tags.Type", "public", False),
        ],
    )
    def test_one_that_differs(self, path: str, value: t.Any, purge: bool) -> None:
        (table,) = self.tables(changed(self.FOUND, path, value))
        assert (table["id"], table["purge_routes"]) == ("rtb-1", purge)

    def test_one_of_another_vpc(self) -> None:
        assert [table["id"] for table in self.tables({**self.FOUND, "vpc_id": "vpc-2"})] == [""]

    def test_the_main_association_is_not_the_tables_own(self) -> None:
        assert self.tables(changed(self.FOUND, "associations", [self.ASSOCIATION, {"main": True}])) == []


class TestSecurityGroups:
    WANTED = {
        "key": "database",
        "name": "shop-database",
        "description": "shop database",
        "rules": [
            {
                "proto": "tcp",
                "ports": ["5432"],
                "group_name": ["shop-application"],
                "group_desc": "shop application",
                "rule_desc": "From the application",
            },
            {"proto": "tcp", "ports": ["80", "8000-8010"], "cidr_ip": ["10.1.0.0/16", "10.2.0.0/16"]},
        ],
        "rules_egress": ALLOW_ALL_OUT,
        "purge": True,
    }
    PAIR = {
        "ip_protocol": "tcp",
        "from_port": 5432,
        "to_port": 5432,
        "user_id_group_pairs": [{"group_id": "sg-2", "user_id": "123456789012", "description": "From the application"}],
    }
    CIDRS = [{"cidr_ip": "10.1.0.0/16"}, {"cidr_ip": "10.2.0.0/16"}]
    WEB = {"ip_protocol": "tcp", "from_port": 80, "to_port": 80, "ip_ranges": CIDRS}
    RANGE = {"ip_protocol": "tcp", "from_port": 8000, "to_port": 8010, "ip_ranges": CIDRS}
    ALL = {"ip_protocol": "-1", "ip_ranges": [{"cidr_ip": "0.0.0.0/0"}], "user_id_group_pairs": []}
    FOUND = {
        "group_id": "sg-1",
        "group_name": "shop-database",
        "description": "shop database",
        "vpc_id": "vpc-1",
        "ip_permissions": [PAIR, WEB, RANGE],
        "ip_permissions_egress": [ALL],
        "tags": {**FOUND_TAGS, "Name": "shop-database", "Group": "database"},
    }
    APPLICATION = {"group_id": "sg-2", "group_name": "shop-application", "vpc_id": "vpc-1"}

    def names(self, found: dict[str, t.Any], **wanted: t.Any) -> list[str]:
        groups = subject.drifted_security_groups([{**self.WANTED, **wanted}], [found, self.APPLICATION], "vpc-1", TAGS)
        return [group["name"] for group in groups]

    def test_one_that_stands(self) -> None:
        assert self.names(self.FOUND) == []

    def test_one_that_is_missing(self) -> None:
        (group,) = subject.drifted_security_groups([self.WANTED], [self.APPLICATION], "vpc-1", TAGS)
        assert group == {**self.WANTED, "tags": {**TAGS, "Name": "shop-database", "Group": "database"}}

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("group_name", "older"),
            ("vpc_id", "vpc-2"),
            ("description", "other"),
            ("tags.Group", "other"),
            ("tags.More", "x"),
            ("ip_permissions", []),
            ("ip_permissions", [PAIR, WEB]),
            ("ip_permissions", [PAIR, WEB, RANGE, {**WEB, "from_port": 22, "to_port": 22}]),
            ("ip_permissions", [PAIR, WEB, changed(RANGE, "to_port", 8011)]),
            ("ip_permissions", [PAIR, WEB, changed(RANGE, "ip_protocol", "udp")]),
            ("ip_permissions", [PAIR, RANGE, {**WEB, "ipv6_ranges": [{"cidr_ipv6": "::/0"}]}]),
            ("ip_permissions", [PAIR, RANGE, {**WEB, "prefix_list_ids": [{"prefix_list_id": "pl-1"}]}]),
            ("ip_permissions", [PAIR, RANGE, {**WEB, "ip_ranges": [*CIDRS, {"cidr_ip": "0.0.0.0/0"}]}]),
            ("ip_permissions", [changed(PAIR, "user_id_group_pairs", [{"group_id": "sg-3"}]), WEB, RANGE]),
            ("ip_permissions", [changed(PAIR, "user_id_group_pairs", [{"group_id": "sg-2"}]), WEB, RANGE]),
            ("ip_permissions_egress", []),
            ("ip_permissions_egress", [ALL, WEB]),
        ],
    )
    def test_one_that_differs(self, path: str, value: t.Any) -> None:
        assert self.names(changed(self.FOUND, path, value)) == ["shop-database"]

    @pytest.mark.parametrize(
        "rule",
        [
            {"proto": "icmp", "ports": ["1"], "cidr_ip": ["10.0.0.0/8"]},
            {"proto": "tcp", "from_port": 80, "to_port": 80, "cidr_ip": ["10.0.0.0/8"]},
            {"proto": "tcp", "ports": ["http"], "cidr_ip": ["10.0.0.0/8"]},
            {"proto": "tcp", "ports": ["80"], "cidr_ipv6": ["::/0"]},
            {"proto": "tcp", "ports": ["80"], "group_name": ["not-there"], "group_desc": "x"},
            {"proto": "tcp", "ports": ["80"]},
            {"proto": "tcp", "cidr_ip": ["10.0.0.0/8"]},
            {"proto": "tcp", "ports": ["80"], "cidr_ip": [["10.0.0.0/8"]]},
            {"proto": "tcp", "ports": ["80,443"], "cidr_ip": ["10.0.0.0/8"]},
        ],
    )
    def test_what_is_not_compared_is_left_to_the_stock_module(self, rule: dict[str, t.Any]) -> None:
        assert self.names({**self.FOUND, "ip_permissions": []}, rules=[rule]) == ["shop-database"]

    def test_rules_of_another_tier_stay(self) -> None:
        theirs = {**self.FOUND, "ip_permissions": [self.PAIR]}
        assert self.names(theirs, rules=[], rules_egress=[], purge=False) == []
        assert self.names(theirs, purge=False) == ["shop-database"]

    def test_numbers_and_single_values(self) -> None:
        found = {**self.FOUND, "ip_permissions": [{**self.WEB, "ip_ranges": [{"cidr_ip": "10.1.0.0/16"}]}]}
        assert self.names(found, rules=[{"proto": "tcp", "ports": 80, "cidr_ip": "10.1.0.0/16"}]) == []

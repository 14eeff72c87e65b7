# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is peered with whom, and what each side lets in."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import peering as subject
from hypothesis import given
from hypothesis import strategies as st

SSH = {"protocol": "tcp", "port": 22}
PING = {"protocol": "icmp"}
SQL = {"protocol": "tcp", "port": 3306}
DNS = {"protocol": "udp", "port": 53}

#: One hub, which describes one connection; a spoke describes the other.
HOSTVARS: dict[str, dict[str, t.Any]] = {
    "hub": {"network_cidr": "10.0.0.0/16", "peering_connections": [{"peer": "left"}]},
    "left": {"network_cidr": "10.1.0.0/16"},
    "right": {"network_cidr": "10.2.0.0/16", "peering_connections": [{"peer": "hub", "allow": [SQL, PING]}]},
    "alone": {"network_cidr": "10.3.0.0/16", "peering_connections": []},
    "localhost": {},
}


class TestPeers:
    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("hub", {"left": [SSH, PING], "right": [SQL, PING]}),
            ("left", {"hub": [SSH, PING]}),
            ("right", {"hub": [SQL, PING]}),
            ("alone", {}),
            ("nobody", {}),
        ],
    )
    def test_whichever_side_describes_it(self, host: str, expected: dict[str, t.Any]) -> None:
        assert subject.peers_of(host, HOSTVARS) == expected

    @given(st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")).filter(lambda pair: pair[0] != pair[1])))
    def test_both_sides_see_one_another_and_let_in_the_same(self, pairs: set[tuple[str, str]]) -> None:
        hostvars = {
            host: {
                "peering_connections": [{"peer": peer, "allow": [SQL]} for one, peer in sorted(pairs) if one == host]
            }
            for host in "abcd"
        }
        for host in "abcd":
            for peer, allowed in subject.peers_of(host, hostvars).items():
                assert allowed == subject.peers_of(peer, hostvars)[host]
                assert (host, peer) in pairs or (peer, host) in pairs

    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("hub", ["database", "private", "public"]),
            ("left", ["public"]),
            ("right", ["private", "public"]),
            ("alone", []),
            ("nobody", []),
        ],
    )
    def test_only_subnets_with_a_route_to_a_peer_are_peered(self, host: str, expected: list[str]) -> None:
        hostvars = {
            "hub": {"peering_connections": [{"peer": "left", "subnets": ["database"], "peer_subnets": ["public"]}]},
            "left": {},
            "right": {"peering_connections": [{"peer": "hub"}]},
            "alone": {"peering_connections": []},
        }
        assert subject.peered_subnet_types(host, hostvars) == expected

    def test_the_default_is_not_changed_by_a_second_connection(self) -> None:
        both = {"a": {"peering_connections": [{"peer": "b"}]}, "b": {"peering_connections": [{"peer": "a"}]}}
        assert subject.peers_of("a", both) == {"b": [SSH, PING, SSH, PING]}
        assert subject.DEFAULT_ALLOW == [SSH, PING]


class TestRules:
    def test_everything_from_all_peers(self) -> None:
        left = {"cidr_ip": ["10.1.0.0/16"], "rule_desc": "From the peer left"}
        right = {"cidr_ip": ["10.2.0.0/16"], "rule_desc": "From the peer right"}
        assert subject.peering_rules("hub", HOSTVARS) == [
            {"proto": "tcp", "ports": ["22"], **left},
            {"proto": "icmp", "icmp_type": -1, "icmp_code": -1, **left},
            {"proto": "tcp", "ports": ["3306"], **right},
            {"proto": "icmp", "icmp_type": -1, "icmp_code": -1, **right},
        ]

    def test_without_the_one_that_is_being_removed(self) -> None:
        rules = subject.peering_rules("hub", HOSTVARS, without=["left"])
        assert {rule["rule_desc"] for rule in rules} == {"From the peer right"}
        assert subject.peering_rules("hub", HOSTVARS, without=["left", "right"]) == []

    def test_described_on_both_sides_each_rule_once(self) -> None:
        hostvars = {
            **HOSTVARS,
            "left": {**HOSTVARS["left"], "peering_connections": [{"peer": "hub", "allow": [SSH, DNS]}]},
        }
        rules = subject.peering_rules("hub", hostvars, without=["right"])
        assert [rule.get("ports") for rule in rules] == [["22"], None, ["53"]]
        assert rules[-1]["proto"] == "udp"

    def test_a_peer_that_is_not_in_the_inventory_or_has_no_network(self) -> None:
        hostvars = {"a": {"peering_connections": [{"peer": "gone"}, {"peer": "b"}]}, "b": {}}
        assert subject.peering_rules("a", hostvars) == []

    @given(st.sampled_from(sorted(HOSTVARS)), st.sets(st.sampled_from(sorted(HOSTVARS))))
    def test_only_from_peers_networks(self, host: str, without: set[str]) -> None:
        peers = set(subject.peers_of(host, HOSTVARS)) - without
        allowed = {HOSTVARS[peer]["network_cidr"] for peer in peers}
        rules = subject.peering_rules(host, HOSTVARS, sorted(without))
        assert {cidr for rule in rules for cidr in rule["cidr_ip"]} == allowed


@pytest.mark.parametrize(
    ("names", "group"),
    [({}, "shop-prod-peering"), ({"peering": "own"}, "own"), ({"database": "x"}, "shop-prod-peering")],
)
def test_a_side(names: dict[str, str], group: str) -> None:
    stack = {
        "stack_name": "shop",
        "stack_env": "prod",
        "stack_region": "eu-west-3",
        "network_cidr": "10.0.0.0/16",
        "network_security_group_names": names,
    }
    network, environment = {"vpc_id": "vpc-1"}, {"AWS_REGION": "eu-west-3"}
    assert subject.peering_side(network, stack, environment, "123456789012") == {
        "network": network,
        "name": "shop",
        "env": "prod",
        "region": "eu-west-3",
        "cidr": "10.0.0.0/16",
        "environment": environment,
        "account_id": "123456789012",
        "group": group,
        "group_description": "shop-prod peering",
    }


@pytest.mark.parametrize("own", ["requester", "accepter"])
def test_facts_name_the_other_side(own: str) -> None:
    ours = {"vpc_id": "vpc-own", "region": "eu-west-3", "owner_id": "1", "cidr_block": "10.0.0.0/16"}
    theirs = {"vpc_id": "vpc-other", "region": "us-east-1", "owner_id": "2", "cidr_block": "10.1.0.0/16"}
    connection = {
        "vpc_peering_connection_id": "pcx-1",
        "status": {"code": "active"},
        "requester_vpc_info": ours if own == "requester" else theirs,
        "accepter_vpc_info": theirs if own == "requester" else ours,
    }
    assert subject.peering_facts([connection], "vpc-own") == [
        {
            "id": "pcx-1",
            "status": "active",
            "other": {"vpc_id": "vpc-other", "region": "us-east-1", "account_id": "2", "cidr": "10.1.0.0/16"},
        }
    ]


def test_facts_of_a_request_that_says_little_of_the_other_side() -> None:
    connection = {
        "vpc_peering_connection_id": "pcx-1",
        "status": {"code": "pending-acceptance"},
        "requester_vpc_info": {"vpc_id": "vpc-own"},
        "accepter_vpc_info": {"vpc_id": "vpc-other"},
    }
    (fact,) = subject.peering_facts([connection], "vpc-own")
    assert fact["other"] == {"vpc_id": "vpc-other", "region": "", "account_id": "", "cidr": ""}

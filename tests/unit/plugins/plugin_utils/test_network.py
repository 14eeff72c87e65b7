# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a network will look like: tables of layouts and groups, and what holds for every layout."""

from __future__ import annotations

import ipaddress
import re
import typing as t

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import network as subject
from hypothesis import given
from hypothesis import strategies as st

ZONES = [f"eu-west-3{letter}" for letter in "abcdef"]
THREE = ZONES[:3]


def layout(cidr: str = "10.0.0.0/16", **options: t.Any) -> list[dict[str, t.Any]]:
    return subject.subnet_layout(cidr, **{"zones": THREE, **options})


def blocks(subnets: list[dict[str, t.Any]]) -> list[str]:
    return [subnet["cidr"] for subnet in subnets]


class TestBlock:
    @pytest.mark.parametrize("value", ["10.0.0.0/16", "0.0.0.0/0", "203.0.113.7/32"])
    def test_as_aws_takes_it(self, value: str) -> None:
        assert str(subject.block(value)) == value

    @pytest.mark.parametrize(
        "value", ["10.0.0.5/16", "10.0.0.0", "10.0.0.0/255.255.0.0", "10.0.0.0/016", "fd00::/48", "", "x", None, 5]
    )
    def test_everything_else(self, value: t.Any) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - the caller makes the sentence
            subject.block(value)

    @pytest.mark.parametrize(
        ("value", "prefix", "expected"),
        [
            ("10.0.0.5/16", None, "10.0.0.0/16"),
            ("10.1.2.0/30", 16, "10.1.0.0/16"),
            ("203.0.113.7", None, "203.0.113.7/32"),
            ("fd00::/48", None, "10.0.0.0/16"),
            ("ten", None, "10.0.0.0/16"),
        ],
    )
    def test_corrected(self, value: str, prefix: int | None, expected: str) -> None:
        assert subject.corrected(value, prefix) == expected
        assert str(subject.block(expected)) == expected


class TestZones:
    @pytest.mark.parametrize(
        ("wanted", "letters"),
        [
            (1, "a"),
            (2, "ab"),
            ("3", "abc"),
            (["b"], "b"),
            (["c", "eu-west-3a"], "ca"),
            (("a", "b"), "ab"),
        ],
    )
    def test_number_or_list(self, wanted: t.Any, letters: str) -> None:
        assert subject.zones_of(THREE, wanted) == [f"eu-west-3{letter}" for letter in letters]

    def test_the_region_may_list_them_in_any_order(self) -> None:
        assert subject.zones_of(THREE[::-1], 2) == THREE[:2]

    @pytest.mark.parametrize(
        ("wanted", "sentence"),
        [
            (
                4,
                f"network_zones: 4 zones are wanted and the region has {', '.join(THREE)}; write 3 or less",
            ),
            (
                ["d"],
                "network_zones: the region has no zone 'd'; write one of eu-west-3a, eu-west-3b, eu-west-3c",
            ),
            (["a", "eu-west-3a"], "network_zones: 'eu-west-3a' stands there twice; list each zone once"),
            *(
                (
                    wanted,
                    (
                        f"network_zones: '{wanted}' is neither a number of zones nor a list of them;"
                        " write such as 2, or [a, b]"
                    ),
                )
                for wanted in (0, -1, "a", 2.5, None, [], True)
            ),
        ],
    )
    def test_refused(self, wanted: t.Any, sentence: str) -> None:
        with pytest.raises(subject.LayoutError) as error:
            subject.zones_of(THREE, wanted)
        assert str(error.value) == sentence


class TestComputedSubnets:
    def test_two_zones_of_a_vpc(self) -> None:
        assert layout(stack_prefix="shop-prod") == [
            {"name": "shop-prod-public-a", "cidr": "10.0.0.0/20", "zone": "eu-west-3a", "type": "public"},
            {"name": "shop-prod-public-b", "cidr": "10.0.16.0/20", "zone": "eu-west-3b", "type": "public"},
            {"name": "shop-prod-private-a", "cidr": "10.0.64.0/20", "zone": "eu-west-3a", "type": "private"},
            {"name": "shop-prod-private-b", "cidr": "10.0.80.0/20", "zone": "eu-west-3b", "type": "private"},
        ]

    @pytest.mark.parametrize(
        ("cidr", "options", "expected"),
        [
            ("10.0.0.0/16", {"prefix": 24, "count": 1}, ["10.0.0.0/24", "10.0.4.0/24"]),
            ("10.0.0.0/16", {"prefix": 28, "count": 1, "types": ["private"]}, ["10.0.0.0/28"]),
            ("10.0.0.0/24", {"count": 1}, ["10.0.0.0/28", "10.0.0.64/28"]),
            ("10.0.0.0/26", {}, ["10.0.0.0/28", "10.0.0.16/28", "10.0.0.32/28", "10.0.0.48/28"]),
            ("10.0.0.0/28", {"count": 1, "types": ["private"]}, ["10.0.0.0/28"]),
        ],
    )
    def test_sizes(self, cidr: str, options: dict[str, t.Any], expected: list[str]) -> None:
        assert blocks(layout(cidr, **options)) == expected

    @given(
        prefix=st.integers(16, 28),
        length=st.integers(0, 28),
        zones=st.integers(1, 4),
        types=st.lists(st.sampled_from(["public", "private", "data", "cache", "batch"]), min_size=1, unique=True),
        number=st.integers(0, 2**32 - 1),
    )
    def test_every_layout_is_inside_disjoint_named_and_of_one_size(
        self, prefix: int, length: int, zones: int, types: list[str], number: int
    ) -> None:
        vpc = ipaddress.IPv4Network((number, prefix), strict=False)
        try:
            subnets = subject.subnet_layout(str(vpc), ZONES, zones, types, length)
        except subject.LayoutError as error:
            assert_sentence(str(error))
            return
        found = [ipaddress.IPv4Network(subnet["cidr"]) for subnet in subnets]
        assert len(found) == zones * len(types)
        assert all(block.subnet_of(vpc) for block in found)
        assert all(block.prefixlen <= 28 for block in found)
        assert len({block.prefixlen for block in found}) == 1
        assert not any(one.overlaps(other) for one in found for other in found if one is not other)
        assert len({subnet["name"] for subnet in subnets}) == len(subnets)
        assert {(subnet["zone"], subnet["type"]) for subnet in subnets} == {
            (zone, kind) for zone in ZONES[:zones] for kind in types
        }

    @given(
        prefix=st.integers(16, 26),
        zones=st.integers(1, 3),
        types=st.lists(st.sampled_from(["public", "private", "data", "cache"]), min_size=1, unique=True),
    )
    def test_a_zone_that_is_added_moves_none(self, prefix: int, zones: int, types: list[str]) -> None:
        vpc = f"10.0.0.0/{prefix}"
        try:
            after = subject.subnet_layout(vpc, ZONES, zones + 1, types)
        except subject.LayoutError:
            return
        before = subject.subnet_layout(vpc, ZONES, zones, types)
        assert all(subnet in after for subnet in before)

    @given(prefix=st.integers(16, 24), zones=st.integers(1, 4), count=st.integers(1, 3))
    def test_a_type_that_is_added_moves_none_while_there_are_sixteen_blocks(
        self, prefix: int, zones: int, count: int
    ) -> None:
        types = ["public", "private", "data", "cache"]
        before = subject.subnet_layout(f"10.0.0.0/{prefix}", ZONES, zones, types[:count])
        after = subject.subnet_layout(f"10.0.0.0/{prefix}", ZONES, zones, types[: count + 1])
        assert all(subnet in after for subnet in before)

    @pytest.mark.parametrize(
        ("cidr", "options", "sentence"),
        [
            (
                "10.0.0.0/27",
                {},
                (
                    "network_cidr: '10.0.0.0/27' holds 2 subnets of /28, too small for 4 (public, private in 2 zones);"
                    " write a larger block, /26 at least, or list network_subnets"
                ),
            ),
            (
                "10.0.0.0/16",
                {"prefix": 17},
                (
                    "network_cidr: '10.0.0.0/16' holds 2 subnets of /17, too small for 4 (public, private in 2 zones);"
                    " write network_subnet_prefix: 18, or list network_subnets"
                ),
            ),
            (
                "10.0.0.0/16",
                {"count": 5, "zones": ZONES},
                (
                    "network_zones: subnets are computed for at most 4 zones, not for 5; write 4 or less, or list"
                    " network_subnets"
                ),
            ),
            *(
                (
                    "10.0.0.0/16",
                    {"prefix": prefix},
                    (
                        f"network_subnet_prefix: '{prefix}' does not lie between the VPC's 16 and AWS's smallest"
                        " subnet, 28; write 0 to have it chosen"
                    ),
                )
                for prefix in (29, 33, 8, -1)
            ),
            (
                "10.0.0.0/16",
                {"types": []},
                "network_subnet_types: '[]' leaves no subnet; write such as [public, private]",
            ),
            (
                "10.0.0.0/16",
                {"types": ["private", "private"]},
                "network_subnet_types: two subnets would be named 'private-a'; list network_subnets, each with a name",
            ),
            ("10.0.0.5/16", {}, "network_cidr: '10.0.0.5/16' is not a network address; write '10.0.0.0/16'"),
        ],
    )
    def test_refused(self, cidr: str, options: dict[str, t.Any], sentence: str) -> None:
        with pytest.raises(subject.LayoutError) as error:
            layout(cidr, **options)
        assert str(error.value) == sentence

    @given(prefix=st.integers(20, 28), zones=st.integers(1, 4), types=st.integers(1, 6))
    def test_the_advice_about_a_small_block_holds(self, prefix: int, zones: int, types: int) -> None:
        names = [f"type{number}" for number in range(types)]
        sentence = refusal(f"10.0.0.0/{prefix}", ZONES, zones, names)
        length = re.search(r"write network_subnet_prefix: (\d+)", sentence)
        larger = re.search(r"block, /(\d+) at least", sentence)
        assert bool(length) + bool(larger) == bool(sentence)
        if length:
            assert not refusal(f"10.0.0.0/{prefix}", ZONES, zones, names, int(length[1]))
        if larger:
            assert not refusal(f"10.0.0.0/{larger[1]}", ZONES, zones, names, 28)


def refusal(*arguments: t.Any) -> str:
    """Why a network cannot be laid out, or nothing."""
    try:
        subject.subnet_layout(*arguments)
    except subject.LayoutError as error:
        return str(error)
    return ""


def assert_sentence(text: str) -> None:
    """One line that begins with the variable and, behind a semicolon, says what to do."""
    variable, _colon, rest = text.partition(": ")
    assert variable.startswith("network_"), text
    assert "\n" not in text
    assert "; " in rest, text


class TestGivenSubnets:
    def test_as_written_with_zones_in_turn(self) -> None:
        subnets = [
            {"cidr": "10.0.1.0/24", "type": "public"},
            {"cidr": "10.0.3.0/24"},
            {"cidr": "10.0.2.0/24", "type": "public"},
            {"cidr": "10.0.9.0/24", "zone": "c", "name": "data", "type": "data"},
        ]
        found = layout(given=subnets, stack_prefix="shop-prod")
        assert [(one["name"], one["cidr"], one["zone"][-1], one["type"]) for one in found] == [
            ("shop-prod-public-a", "10.0.1.0/24", "a", "public"),
            ("shop-prod-private-a", "10.0.3.0/24", "a", "private"),
            ("shop-prod-public-b", "10.0.2.0/24", "b", "public"),
            ("data", "10.0.9.0/24", "c", "data"),
        ]

    def test_what_is_given_is_left_as_it_is(self) -> None:
        subnets = [{"cidr": "10.0.1.0/24"}]
        layout(given=subnets)
        assert subnets == [{"cidr": "10.0.1.0/24"}]

    @pytest.mark.parametrize(
        ("subnets", "sentence"),
        [
            (
                [{"cidr": "10.1.0.0/24"}],
                "network_subnets: private-a '10.1.0.0/24' lies outside '10.0.0.0/16'; write a block inside it",
            ),
            (
                [{"cidr": "10.0.0.0/8"}],
                "network_subnets: private-a '10.0.0.0/8' lies outside '10.0.0.0/16'; write a block inside it",
            ),
            (
                [{"cidr": "10.0.0.16/29"}],
                (
                    "network_subnets: private-a '10.0.0.16/29' is smaller than AWS's smallest;"
                    " write '10.0.0.16/28' or larger"
                ),
            ),
            (
                [{"cidr": "10.0.0.0/23"}, {"cidr": "10.0.1.0/24", "type": "public"}],
                "network_subnets: private-a '10.0.0.0/23' and public-a '10.0.1.0/24' overlap; give one another block",
            ),
            (
                [{"cidr": "10.0.1.9/24"}],
                "network_subnets: '10.0.1.9/24' is not a network address; write '10.0.1.0/24'",
            ),
            (
                [{"cidr": "10.0.1.0/24", "zone": "z"}],
                "network_subnets: the region has no zone 'z'; write one of eu-west-3a, eu-west-3b, eu-west-3c",
            ),
            (
                [{"cidr": f"10.0.{number}.0/24"} for number in (1, 2, 3)],
                "network_subnets: two subnets would be named 'private-a'; list network_subnets, each with a name",
            ),
        ],
    )
    def test_refused(self, subnets: list[dict[str, t.Any]], sentence: str) -> None:
        with pytest.raises(subject.LayoutError) as error:
            layout(given=subnets)
        assert str(error.value) == sentence
        assert_sentence(sentence)


TIERS = ["network", "load_balancer", "ec2_app", "ecs_app", "rds", "peering"]


def groups(
    own: t.Sequence[dict[str, t.Any]] = (), tiers: t.Sequence[str] = TIERS, **options: t.Any
) -> dict[str, t.Any]:
    return {group["key"]: group for group in subject.tier_security_groups(own, tiers, "shop-prod", **options)}


def named_by(group: dict[str, t.Any]) -> set[str]:
    rules = [*group["rules"], *group["rules_egress"]]
    names = [rule.get("group_name") or [] for rule in rules]
    return {name for entry in names for name in ([entry] if isinstance(entry, str) else entry)}


class TestSecurityGroups:
    @pytest.mark.parametrize(
        ("tiers", "keys"),
        [
            (["network"], []),
            (["network", "ec2_app"], ["application"]),
            (["network", "rds"], ["database"]),
            (["network", "peering"], ["peering"]),
            (TIERS, ["load_balancer", "application", "database", "peering"]),
        ],
    )
    def test_only_those_that_a_tier_uses(self, tiers: list[str], keys: list[str]) -> None:
        assert list(groups(tiers=tiers)) == keys

    def test_the_database_lets_in_only_the_application(self) -> None:
        database = groups(database_port=3306)["database"]
        assert database["rules"] == [
            {
                "proto": "tcp",
                "ports": ["3306"],
                "group_name": ["shop-prod-application"],
                "group_desc": "shop-prod application",
                "rule_desc": "From the application",
            }
        ]
        assert database["rules_egress"] == []

    def test_a_database_without_an_application_lets_in_nobody(self) -> None:
        assert groups(tiers=["network", "rds", "load_balancer"])["database"]["rules"] == []

    def test_the_application_lets_in_only_the_load_balancer(self) -> None:
        found = groups(application_ports=[8000, 9000])["application"]["rules"]
        assert [(rule["ports"], rule["group_name"]) for rule in found] == [
            (["8000"], ["shop-prod-load-balancer"]),
            (["9000"], ["shop-prod-load-balancer"]),
        ]
        assert groups(tiers=["network", "ec2_app"], application_ports=[8000])["application"]["rules"] == []

    @given(
        tiers=st.sets(st.sampled_from(TIERS)),
        application_ports=st.lists(st.integers(1, 65535), max_size=4),
        port=st.integers(1, 65535),
    )
    def test_only_the_load_balancer_is_open_to_the_world_and_only_its_ports(
        self, tiers: set[str], application_ports: list[int], port: int
    ) -> None:
        for key, group in groups(tiers=sorted(tiers), application_ports=application_ports, database_port=port).items():
            world = [rule for rule in group["rules"] if "cidr_ip" in rule]
            assert [rule["ports"] for rule in world] == ([["80"], ["443"]] if key == "load_balancer" else [])
            assert not any("cidr_ipv6" in rule for rule in group["rules"])

    def test_names_of_the_customers_are_named_in_rules_too(self) -> None:
        found = groups(names={"application": "web", "database": ""}, application_ports=[80])
        assert found["application"]["name"] == "web"
        assert found["database"]["name"] == "shop-prod-database"
        assert found["database"]["rules"][0]["group_name"] == ["web"]

    def test_the_peering_group_is_left_to_its_tier(self) -> None:
        assert {key: group["purge"] for key, group in groups().items()} == {
            "load_balancer": True,
            "application": True,
            "database": True,
            "peering": False,
        }

    def test_a_group_of_the_customers(self) -> None:
        rules = [{"proto": "tcp", "ports": [9100], "cidr_ip": "10.0.0.0/8"}]
        found = groups(
            [{"name": "monitor", "rules": rules}, {"name": "closed", "rules_egress": [], "description": "x"}]
        )
        assert found["monitor"] == {
            "key": "monitor",
            "name": "shop-prod-monitor",
            "description": "shop-prod monitor",
            "rules": rules,
            "rules_egress": subject.ALLOW_ALL_OUT,
            "purge": True,
        }
        assert (found["closed"]["rules_egress"], found["closed"]["description"]) == ([], "x")

    @given(st.permutations(list(range(5))), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4))), st.booleans())
    def test_a_group_that_a_rule_names_stands_before_it(
        self, order: list[int], edges: list[tuple[int, int]], as_list: bool
    ) -> None:
        # An edge leads from a group to one with a smaller number, so there is no cycle.
        names = {number: {min(edge) for edge in edges if max(edge) == number} - {number} for number in order}

        def rule(other: int) -> dict[str, t.Any]:
            name = f"shop-prod-own{other}"
            return {"proto": "tcp", "ports": ["1"], "group_name": [name] if as_list else name}

        own = [{"name": f"own{number}", "rules": [rule(other) for other in names[number]]} for number in order]
        found = subject.tier_security_groups(own, TIERS, "shop-prod", application_ports=[80])
        assert len(found) == 9
        seen: set[str] = set()
        for group in found:
            assert named_by(group) <= seen
            seen.add(group["name"])

    def test_groups_that_name_one_another_keep_their_order(self) -> None:
        own = [
            {"name": "a", "rules": [{"group_name": "shop-prod-b"}]},
            {"name": "b", "rules": [{"group_name": "shop-prod-a"}, {"group_name": "shop-prod-b"}]},
        ]
        assert list(groups(own, tiers=[])) == ["a", "b"]


class TestFacts:
    VPC = {"vpc_id": "vpc-1", "cidr_block": "10.0.0.0/16"}

    def test_nothing_there(self) -> None:
        found = subject.network_facts([], [], [], [], [])
        assert (found["vpc_id"], found["cidr"]) == ("", "")
        assert {key: value for key, value in found.items() if value} == {}

    def test_everything(self) -> None:
        subnet = {"subnet_id": "subnet-1", "cidr_block": "10.0.0.0/24", "availability_zone": "eu-west-3a"}
        table = {
            "route_table_id": "rtb-1",
            "tags": {"Name": "public", "Type": "public"},
            "routes": [
                {"gateway_id": "local", "destination_cidr_block": "10.0.0.0/16"},
                {"gateway_id": "igw-1", "destination_cidr_block": "0.0.0.0/0"},
                {"gateway_id": "vpce-1", "destination_prefix_list_id": "pl-1"},
                {"vpc_peering_connection_id": "pcx-1", "destination_cidr_block": "10.1.0.0/16", "state": "active"},
                {"vpc_peering_connection_id": "pcx-2", "destination_cidr_block": "10.2.0.0/16", "state": "blackhole"},
            ],
        }
        found = subject.network_facts(
            [self.VPC],
            [{**subnet, "tags": {"Name": "public-a", "Type": "public"}}],
            [table],
            [
                {
                    "nat_gateway_id": "nat-1",
                    "subnet_id": "subnet-1",
                    "state": "available",
                    "nat_gateway_addresses": [{"public_ip": "203.0.113.9"}],
                },
                {"nat_gateway_id": "nat-2", "subnet_id": "subnet-of-others", "state": "pending"},
            ],
            [
                {"group_id": "sg-1", "group_name": "shop-prod-database", "tags": {"Group": "database"}},
                {"group_id": "sg-2", "group_name": "older", "tags": {}},
            ],
        )
        assert (found["vpc_id"], found["cidr"]) == ("vpc-1", "10.0.0.0/16")
        assert found["subnets"] == {
            "public-a": {"id": "subnet-1", "cidr": "10.0.0.0/24", "zone": "eu-west-3a", "type": "public"}
        }
        assert found["route_tables"]["public"]["id"] == "rtb-1"
        assert found["route_tables"]["public"]["type"] == "public"
        # A route whose connection is gone must not be kept by the next run.
        assert found["peering_routes"] == {"public": [{"dest": "10.1.0.0/16", "vpc_peering_connection_id": "pcx-1"}]}
        assert found["nat_gateways"] == {
            "public-a": {"id": "nat-1", "state": "available", "public_ip": "203.0.113.9"},
            "subnet-of-others": {"id": "nat-2", "state": "pending", "public_ip": ""},
        }
        assert found["security_groups"] == {"database": "sg-1", "older": "sg-2"}


class TestSmallFilters:
    def test_ids_by_name(self) -> None:
        results = [
            {"item": {"name": "a"}, "subnet": {"id": "subnet-1"}},
            {"item": {"name": "b"}, "subnet": {}},
            {"item": {"name": "c"}, "skipped": True},
            {"msg": "no item"},
        ]
        found = subject.ids_by_name(results, key="name", value="subnet.id", stand_in="subnet-0")
        assert found == {"a": "subnet-1", "b": "subnet-0", "c": "subnet-0"}

    @pytest.mark.parametrize(
        ("zone", "gateways", "expected"),
        [
            ("a", {"public-a": {"id": "nat-a"}, "public-b": {"id": "nat-b"}}, "nat-a"),
            ("b", {"public-a": {"id": "nat-a"}, "public-b": {"id": "nat-b"}}, "nat-b"),
            ("c", {"public-a": {"id": "nat-a"}, "public-b": {"id": "nat-b"}}, "nat-a"),
            ("b", {}, "nat-0"),
        ],
    )
    def test_nat_gateway_of(self, zone: str, gateways: dict[str, t.Any], expected: str) -> None:
        homes = [{"name": "public-a", "zone": "a"}, {"name": "public-b", "zone": "b"}]
        assert subject.nat_gateway_of({"name": "x", "zone": zone}, homes, gateways, stand_in="nat-0") == expected

    def test_private_route_tables(self) -> None:
        peer = {"dest": "10.9.0.0/16", "vpc_peering_connection_id": "pcx-1"}
        subnets = [{"name": f"private-{zone}", "type": "private", "zone": zone} for zone in "ab"]
        facts = {
            "subnets": {"private-a": {"id": "subnet-1"}},
            "nat_gateways": {"public-a": {"id": "nat-1"}},
            "peering_routes": {"private-a": [peer]},
        }
        found = subject.private_route_tables(subnets, [{"name": "public-a", "zone": "a"}], facts)
        out = {"dest": "0.0.0.0/0", "nat_gateway_id": "nat-1"}
        assert found == [
            {"name": "private-a", "type": "private", "subnets": ["subnet-1"], "routes": [out, peer]},
            {"name": "private-b", "type": "private", "subnets": ["subnet-00000000000000000"], "routes": [out]},
        ]
        assert [table["routes"] for table in subject.private_route_tables(subnets, [], facts)] == [[peer], []]

    def test_groups_naming_groups(self) -> None:
        names = {"user_id_group_pairs": [{"group_id": "sg-2"}]}
        rules = {"ip_permissions": [{"user_id_group_pairs": []}]}
        found = [
            {"group_id": "sg-1", "ip_permissions": [names]},
            {"group_id": "sg-2", **rules},
            {"group_id": "sg-3", "ip_permissions_egress": [names]},
            {"group_id": "sg-4"},
        ]
        assert [group["group_id"] for group in subject.groups_naming_groups(found)] == ["sg-1", "sg-3"]


def rule(protocol: str, first: int = 0, last: int = 0, **sources: t.Any) -> dict[str, t.Any]:
    ports = {} if protocol == "-1" else {"from_port": first, "to_port": last}
    return {"ip_protocol": protocol, **ports, **sources}


WORLD = {"ip_ranges": [{"cidr_ip": "0.0.0.0/0"}]}
WORLD_6 = {"ipv6_ranges": [{"cidr_ipv6": "::/0"}]}


class TestOpenPorts:
    @pytest.mark.parametrize(
        ("permission", "open_ports"),
        [
            (rule("tcp", 22, 22, **WORLD), ["22 (SSH)"]),
            (rule("tcp", 22, 22, **WORLD_6), ["22 (SSH)"]),
            (rule("tcp", 3000, 4000, **WORLD), ["3389 (RDP)", "3306 (MySQL)"]),
            (rule("tcp", 443, 443, **WORLD), []),
            (rule("udp", 22, 22, **WORLD), []),
            (rule("icmp", -1, -1, **WORLD), []),
            (rule("tcp", 22, 22, ip_ranges=[{"cidr_ip": "203.0.113.7/32"}]), []),
            (rule("tcp", 22, 22, user_id_group_pairs=[{"group_id": "sg-1"}]), []),
        ],
    )
    def test_what_the_world_reaches(self, permission: dict[str, t.Any], open_ports: list[str]) -> None:
        found = subject.open_admin_ports(
            [{"group_name": "web", "ip_permissions": [permission]}, {"group_name": "none"}]
        )
        assert found == [f"web: {port}" for port in open_ports]

    def test_everything_open_is_every_port(self) -> None:
        found = subject.open_admin_ports([{"group_name": "web", "ip_permissions": [rule("-1", **WORLD)]}])
        assert len(found) == len(subject.ADMIN_PORTS)

    def test_who_is_let_in(self) -> None:
        permissions = [
            rule("tcp", 3306, 3306, user_id_group_pairs=[{"group_id": "sg-1"}]),
            rule("tcp", 80, 90, ip_ranges=[{"cidr_ip": "10.0.0.0/8"}], ipv6_ranges=[{"cidr_ipv6": "::/0"}]),
            rule("-1", prefix_list_ids=[{"prefix_list_id": "pl-1"}]),
        ]
        assert subject.who_is_let_in([{"ip_permissions": permissions}, {}]) == [
            "10.0.0.0/8:80-90",
            "::/0:80-90",
            "pl-1:all",
            "sg-1:3306",
        ]

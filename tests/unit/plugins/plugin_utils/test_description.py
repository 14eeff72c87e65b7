# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules of a description: for each a value that breaks it and the exact sentence, and none for a right one."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.palier.aws.plugins.plugin_utils import argument_specs
from ansible_collections.palier.aws.plugins.plugin_utils import description as subject
from hypothesis import given
from hypothesis import strategies as st

CLASSIC = Path(__file__).resolve().parents[4] / "inventories" / "classic_ec2"
OPTIONS = argument_specs.role_options()
KNOWN = {role: set(options) for role, options in OPTIONS.items()}
TIERS = ", ".join(sorted(set(OPTIONS) - set(subject.NO_TIERS)))
SECRET = "correct-horse-battery"


def load(name: str) -> dict[str, t.Any]:
    return yaml.safe_load((CLASSIC / name).read_text(encoding="utf-8"))


def filled(values: dict[str, t.Any]) -> dict[str, t.Any]:
    """The values with every default of the stack's tiers; templates are left out, except those that rules look at."""
    options = {
        name: option
        for role in ["stack", *values["stack_tiers"]]
        for name, option in OPTIONS.get(role, {}).items()
        if name in values or "{{" not in str(option.get("default"))
    }
    given = {name: value for name, value in values.items() if name in options}
    found, errors = argument_specs.validate(options, given)
    assert errors == []
    return {"rds_identifier": "shop-prod-db", **values, **found}


PROD: dict[str, t.Any] = {**load("group_vars/stacks.yml"), **load("host_vars/classic_prod.yml")}
AI: dict[str, t.Any] = {**load("group_vars/stacks.yml"), **load("host_vars/classic_ai.yml")}
SITE = {"s3_site_sites": [{"name": "site", "source": "site", "hosting": "website"}]}

#: A right description with every tier, to be broken in one place.
WEB = {"name": "web", "ports": [443], "ssh_from": ["203.0.113.7/32"]}
SHOP: dict[str, t.Any] = {
    "stack_name": "shop",
    "stack_env": "prod",
    "stack_region": "eu-west-3",
    "stack_tiers": ["network", "rds", "ec2_app", "s3_site", "peering"],
    "network_cidr": "10.0.0.0/16",
    "network_nat": "single",
    "rds_engine": "mysql",
    "ec2_app_instances": [WEB],
    "s3_site_sites": [{"name": "site", "source": "site"}],
    "peering_connections": [{"peer": "other"}],
}
OTHER = {"stack_name": "other", "stack_tiers": ["network", "peering"], "network_cidr": "10.1.0.0/16"}


#: A certificate where CloudFront takes it from.
ISSUED = "arn:aws:acm:us-east-1:123456789012:certificate/x"


def site(**changes: t.Any) -> dict[str, t.Any]:
    """A site behind CloudFront with some settings changed."""
    return {"s3_site_sites": [{"name": "site", "source": "x", "hosting": "cdn", **changes}]}


def stack(peers: dict[str, t.Any] | None = None, **changes: t.Any) -> subject.Stack:
    """The right description with some variables changed, as the rules see it."""
    values = {**SHOP, **changes}
    return subject.Stack(
        host="shop_prod",
        values=filled(values),
        names=set(values),
        known=KNOWN,
        peers={"other": OTHER} if peers is None else peers,
    )


def problems(**changes: t.Any) -> list[str]:
    return subject.problems(stack(**changes))


class TestRightOnes:
    def test_the_description_that_the_others_break(self) -> None:
        assert problems() == []

    @pytest.mark.parametrize(("host", "own", "peer", "other"), [("prod", PROD, "ai", AI), ("ai", AI, "prod", PROD)])
    def test_classic_ec2(self, host: str, own: dict[str, t.Any], peer: str, other: dict[str, t.Any]) -> None:
        site = SITE if "s3_site" in own["stack_tiers"] else {}
        checked = subject.Stack(
            host=f"classic_{host}",
            values=filled({**own, **site}),
            names={name for name in own if name.startswith(tuple(f"{role}_" for role in KNOWN))},
            known=KNOWN,
            peers={f"classic_{peer}": other},
        )
        assert subject.problems(checked) == []

    @pytest.mark.parametrize(
        "changes",
        [
            {"stack_tiers": ["s3_site"]},
            {"stack_tiers": ["network"], "network_zones": 1, "network_nat": "none"},
            {"ec2_app_instances": []},
            {"ec2_app_instances": [{**WEB, "ssh_from": [], "ports": [1, 65535]}]},
            {
                "network_subnets": [
                    {"cidr": f"10.0.{n}.0/24", "type": k} for n, k in enumerate(["public", "private"] * 2)
                ]
            },
            {"network_nat": "none", "network_subnet_types": ["private", "data"], "ec2_app_instances": []},
            {"rds_subnets": "data", "network_subnet_types": ["public", "data"]},
            {"rds_max_allocated_storage": 0},
            {"rds_allocated_storage": 100, "rds_max_allocated_storage": 110},
            {"peering_connections": []},
            {"peering_connections": [{"peer": "other", "allow": [{"protocol": "icmp"}, {"port": 5432}]}]},
            {"s3_site_sites": [{"name": "site", "source": "x", "bucket": "www.example.com"}]},
            {"network_security_groups": [{"name": "monitor"}]},
            {"network_security_group_names": {"application": "web"}},
            {
                "stack_tiers": ["dns"],
                "dns_zone": "shop.example",
                "dns_certificates": [
                    {"name": "web", "domains": ["shop.example", "*.shop.example", "*.a.shop.example"]}
                ],
                "dns_records": [
                    {"name": "@", "type": "MX", "values": ["10 mail.shop.example"]},
                    {"name": "@", "type": "TXT", "values": ["v=spf1 -all", "x" * 4000]},
                    {"name": "_dmarc", "type": "TXT", "values": ["v=DMARC1; p=reject"]},
                    {"name": "*", "type": "AAAA", "values": ["2001:db8::7"], "ttl": 0},
                    {"name": "_sip._tcp", "type": "SRV", "values": ["1 10 5269 sip.shop.example"]},
                    {"name": "w", "type": "A", "values": ["203.0.113.7"], "weight": 0, "set_identifier": "one"},
                    {"name": "w", "type": "A", "values": ["203.0.113.8"], "weight": 255, "set_identifier": "two"},
                    {"name": "f", "type": "A", "values": ["203.0.113.7"], "failover": "primary", "health_check": {}},
                    {
                        "name": "f",
                        "type": "A",
                        "values": ["203.0.113.8"],
                        "failover": "secondary",
                        "set_identifier": "two",
                    },
                ],
            },
            {"stack_tiers": ["dns"], "dns_zone": "a.co.uk", "dns_zone_managed": False},
        ],
    )
    def test_other_right_ones(self, changes: dict[str, t.Any]) -> None:
        assert problems(**changes) == []


def web(**options: t.Any) -> dict[str, t.Any]:
    return {"ec2_app_instances": [{**WEB, **options}]}


def application(**options: t.Any) -> dict[str, t.Any]:
    return web(application={"repository": "https://git.example.com/shop.git", **options})


A = {"name": "www", "type": "A", "values": ["203.0.113.7"]}


def named(**changes: t.Any) -> dict[str, t.Any]:
    """A stack with a domain."""
    return {"stack_tiers": ["network", "s3_site", "dns"], "dns_zone": "shop.example", **changes}


def certificate(*domains: str, **options: t.Any) -> dict[str, t.Any]:
    return named(dns_certificates=[{"name": "web", "domains": list(domains), **options}])


def record(peers: dict[str, t.Any] | None = None, **options: t.Any) -> dict[str, t.Any]:
    return named(dns_records=[{**A, **options}], **({} if peers is None else {"peers": peers}))


def peer(**options: t.Any) -> dict[str, t.Any]:
    """Another stack with a record of the same name."""
    return {"stack_name": "b", "stack_tiers": ["dns"], "dns_zone": "shop.example", "dns_records": [{**A, **options}]}


PRIMARY, SECONDARY = peer(failover="primary"), peer(failover="secondary")

LONG = "a" * 40

Row = tuple[dict[str, t.Any], list[str]]


def row(changes: dict[str, t.Any], *said: str) -> Row:
    """What is changed in the right description, and all that is said of it."""
    return changes, list(said)


def storage(*buckets: dict[str, t.Any], **changes: t.Any) -> dict[str, t.Any]:
    """A stack of buckets."""
    return {"stack_tiers": ["storage"], "storage_buckets": [{"name": "parts", **one} for one in buckets], **changes}


def pipelines(**changes: t.Any) -> dict[str, t.Any]:
    """A stack with one pipeline's role."""
    role = {"name": "release", "provider": "github", "repository": "acme/shop", "branches": ["main"], **changes}
    return {"stack_tiers": ["pipelines"], "pipelines_roles": [role]}


def identity(**changes: t.Any) -> dict[str, t.Any]:
    """A stack of sign-in alone."""
    return {"stack_tiers": ["identity"], **changes}


def watched(*tiers: str, **changes: t.Any) -> dict[str, t.Any]:
    """A stack of some tiers and monitoring."""
    return {"stack_tiers": [*tiers, "monitoring"], **changes}


ALARM = {"name": "queue", "namespace": "AWS/SQS", "metric": "ApproximateAgeOfOldestMessage", "threshold": 600}


#: What is wrong, and all that is said of it. Each rule has a row at least: L{test_no_rule_is_left_out}.
SERVICE = {"name": "api", "image": "nginx:1.29", "port": 3000, "load_balancer": {"paths": ["/api/*"]}}
OTHER_SERVICE = {"name": "front", "image": "nginx:1.29", "port": 80, "load_balancer": {"paths": ["/*"]}}


def balanced(**changes: t.Any) -> dict[str, t.Any]:
    """A stack with a load balancer over HTTP."""
    return {
        "stack_tiers": ["network", "load_balancer"],
        "load_balancer_https": False,
        "network_load_balancer_ports": [80],
        **changes,
    }


def served(*services: dict[str, t.Any], **changes: t.Any) -> dict[str, t.Any]:
    """A stack with services behind a load balancer; without any, with a right one."""
    tiers = ["network", "load_balancer", "registry", "ecs_app"]
    return balanced(**{"stack_tiers": tiers, "ecs_app_services": list(services or [SERVICE]), **changes})


def service(**options: t.Any) -> dict[str, t.Any]:
    """The stack with its service changed."""
    return served({**SERVICE, **options})


FLEET: dict[str, t.Any] = {
    "name": "app",
    "application": {"repository": "https://git.example.com/shop.git", "runtime": "node", "port": 3000},
    "load_balancer": {"paths": ["/*"]},
}


def fleet(**options: t.Any) -> dict[str, t.Any]:
    """A stack with a fleet behind a load balancer, changed."""
    changes = {"stack_tiers": ["network", "load_balancer", "ec2_app"], "ec2_app_instances": []}
    return balanced(**changes, ec2_app_fleets=[{**FLEET, **options}])


TABLE: dict[str, list[Row]] = {
    "_read_replicas": [
        row(
            {"rds_read_replica": True},
            "rds_read_replica: RDS makes no read replica of a database whose master password it manages in Secrets"
            " Manager, as this collection has it do; leave it out, and write rds_multi_az: true for a standby or a"
            " larger rds_instance_class for more reads",
        ),
    ],
    "_applications": [
        row(fleet()),
        row(
            fleet(image="amazon-linux-2023"),
            "ec2_app_fleets[0].image: the runtime node is there for Debian and Ubuntu; write such as 'ubuntu-22.04'",
        ),
        row(
            fleet(application={**FLEET["application"], "container_port": 3000}),
            "ec2_app_fleets[0].application.container_port: nginx listens on 3000 already, in front of the application;"
            " write another one, such as 3001",
        ),
    ],
    "_fleet_sizes": [
        row(fleet(min=0, max=1)),
        row(
            fleet(min=5),
            "ec2_app_fleets[0].min: min 5 and max 4 are no limits; write 0 <= min <= max",
        ),
        row(
            fleet(min=0, max=0),
            "ec2_app_fleets[0].min: min 0 and max 0 are no limits; write 0 <= min <= max",
        ),
        row(
            fleet(desired=9),
            "ec2_app_fleets[0].desired: 9 lies outside 1 to 4; write 4",
        ),
        row(
            fleet(scaling={"cpu_high": 20, "cpu_low": 30}),
            "ec2_app_fleets[0].scaling: cpu_low 30.0 and cpu_high 20.0 must lie between 0 and 100, the low one first;"
            " write such as cpu_low: 20, cpu_high: 80",
        ),
        row(
            fleet(min_healthy_percent=101),
            "ec2_app_fleets[0].min_healthy_percent: 101 lies outside 0 to 100; write 100 for no loss of capacity",
        ),
        row(
            fleet(min_healthy_percent=50, max_healthy_percent=160),
            "ec2_app_fleets[0].max_healthy_percent: 160 must be 100 to 200 and at most 100 above min_healthy_percent"
            " (50); write 150",
        ),
        row(
            fleet(max_healthy_percent=90),
            "ec2_app_fleets[0].max_healthy_percent: 90 must be 100 to 200 and at most 100 above min_healthy_percent"
            " (100); write 110",
        ),
        row(
            fleet(log_retention_days=100),
            "ec2_app_fleets[0].log_retention_days: CloudWatch Logs does not accept 100; write 90",
        ),
    ],
    "_fleet_requests": [
        row(
            {**fleet(), "stack_tiers": ["network", "ec2_app"]},
            "ec2_app_fleets[0].load_balancer: the stack has no load balancer; add 'load_balancer' to stack_tiers",
        ),
        row(
            fleet(application=None),
            "ec2_app_fleets[0].application: its rules at the load balancer lead to no application; describe one",
        ),
        row(
            fleet(load_balancer={"paths": ["api"]}),
            "ec2_app_fleets[0].load_balancer.paths: 'api' matches no path, which all start with a slash; write '/api'",
        ),
        row(
            fleet(load_balancer={"paths": ["/*"], "target_group": "x" * 33}),
            f"ec2_app_fleets[0].load_balancer.target_group: '{'x' * 33}' has 33 characters, AWS allows 32; write"
            f" ec2_app_fleets[0].load_balancer.target_group with a name such as '{'x' * 32}'",
        ),
    ],
    "_fleet_belongings": [
        row(
            fleet(buckets=["files"]),
            "ec2_app_fleets[0].buckets: there is no bucket 'files' in storage_buckets.",
        ),
        row(
            fleet(log_groups={"ngnix": "/edge"}),
            "ec2_app_fleets[0].log_groups.ngnix: there are no such logs; write app or nginx",
        ),
    ],
    "_stack_names": [
        row(
            {"stack_name": "My Shop2"},
            "stack_name: 'My Shop2' must be lower-case letters, digits and hyphens, starting with a letter;"
            " write 'my-shop2'",
        ),
        row(
            {"stack_env": "9"},
            "stack_env: '9' must be lower-case letters, digits and hyphens, starting with a letter; write 'shop'",
        ),
        row(
            {"stack_env": "prod\n"},
            "stack_env: 'prod\n' must be lower-case letters, digits and hyphens, starting with a letter; write 'prod'",
        ),
        row(
            {"stack_region": "Paris"},
            "stack_region: 'Paris' is not an AWS region name; write one such as 'eu-west-3'",
        ),
        row(
            {"stack_region": "eu-west-3a"},
            "stack_region: 'eu-west-3a' is not an AWS region name; write one such as 'eu-west-3'",
        ),
    ],
    "_tiers": [
        row(
            {"stack_tiers": ["network", "dynamo"]},
            f"stack_tiers: there is no tier 'dynamo'. Tiers are {TIERS}",
        ),
        row(
            {"stack_tiers": ["netwrok"]},
            f"stack_tiers: there is no tier 'netwrok'. Did you mean network? Tiers are {TIERS}",
        ),
        row(
            {"stack_tiers": ["rds"]},
            "stack_tiers: 'rds' needs the tier 'network'; add 'network' to the list",
        ),
        row(
            {"stack_tiers": ["network", "network"]},
            "stack_tiers: 'network' stands there twice; list it once",
        ),
    ],
    "_vpc_block": [
        row(
            {"network_cidr": "10.0.0.9/16"},
            "network_cidr: '10.0.0.9/16' is not a network address; write '10.0.0.0/16'",
        ),
        row({"network_cidr": "ten"}, "network_cidr: 'ten' is not a network address; write '10.0.0.0/16'"),
        row({"network_cidr": "fd00::/56"}, "network_cidr: 'fd00::/56' is not a network address; write '10.0.0.0/16'"),
        row(
            {"network_cidr": "10.7.0.0/30"},
            "network_cidr: '10.7.0.0/30' is outside what AWS allows, /16 to /28; write such as '10.7.0.0/16'",
        ),
        row(
            {"network_cidr": "11.0.0.0/8"},
            "network_cidr: '11.0.0.0/8' is outside what AWS allows, /16 to /28; write such as '11.0.0.0/16'",
        ),
        row(
            {"network_cidr": "10.0.0.0/28"},
            "network_cidr: '10.0.0.0/28' holds 1 subnets of /28, too small for 4 (public, private in 2 zones);"
            " write a larger block, /26 at least, or list network_subnets",
        ),
        row(
            {"network_subnets": [{"cidr": "10.9.0.0/24"}]},
            "network_subnets: private-a '10.9.0.0/24' lies outside '10.0.0.0/16'; write a block inside it",
        ),
        row(
            {"network_subnet_types": ["private"], "ec2_app_instances": []},
            "network_nat: 'single' needs a public subnet to stand in; add 'public' to network_subnet_types or write"
            " network_nat: none",
        ),
        row(
            {"network_zones": 1},
            "network_zones: a database needs private subnets in two availability zones, the description has 1;"
            " write network_zones: 2 and list 'private' in network_subnet_types",
        ),
        row(
            {"rds_subnets": "data"},
            "network_zones: a database needs data subnets in two availability zones, the description has 0;"
            " write network_zones: 2 and list 'data' in network_subnet_types",
        ),
    ],
    "_peers": [
        row(
            {"peering_connections": [{"peer": "othr"}]},
            "peering_connections[0].peer: no stack 'othr' in the inventory. Did you mean other?",
        ),
        row(
            {"peers": {"other": {**OTHER, "stack_tiers": ["network"]}}},
            "peering_connections[0].peer: 'other' does not list the tier 'peering'; add it to its stack_tiers",
        ),
        row(
            {"peers": {"other": {**OTHER, "network_cidr": "10.0.128.0/20"}}},
            "network_cidr: '10.0.0.0/16' of shop_prod and '10.0.128.0/20' of other overlap, and overlapping networks"
            " cannot be peered (peering_connections[0].peer); give one of them another block, such as '10.1.0.0/16'",
        ),
        row(
            {
                "peers": {
                    "other": OTHER,
                    "third": {**OTHER, "peering_connections": [{"peer": "shop_prod"}]},
                    "unrelated": {**OTHER, "peering_connections": [{"peer": "third"}]},
                }
            },
            "network_cidr: '10.1.0.0/16' of other and '10.1.0.0/16' of third overlap, and shop_prod is peered with"
            " both; give one of them another block, such as '10.2.0.0/16'",
        ),
        row(
            {"peering_connections": [{"peer": "other", "allow": [{"port": 443}, {"protocol": "udp"}]}]},
            "peering_connections[0].allow[1].port: 0 is not a port; write 1 to 65535",
        ),
    ],
    "_database": [
        row(
            {"rds_identifier": "shop--db"},
            "rds_identifier: 'shop--db' (8 characters) must be 1 to 63 letters, digits and single hyphens, starting"
            " with a letter; write a shorter or plainer one",
        ),
        row(
            {"rds_identifier": "a" * 64},
            f"rds_identifier: '{'a' * 64}' (64 characters) must be 1 to 63 letters, digits and single hyphens,"
            " starting with a letter; write a shorter or plainer one",
        ),
        row(
            {"rds_username": "admin"},
            "rds_username: 'admin' is an engine's default or reserved name, which attackers try first; write"
            " another one, such as 'dbowner'",
        ),
        row(
            {"rds_username": "a" * 17},
            f"rds_username: '{'a' * 17}' must be 1 to 16 letters, digits and underscores, starting with a letter;"
            " write such as 'dbowner'",
        ),
        row(
            {"rds_database_name": "my-shop"},
            "rds_database_name: 'my-shop' must be 1 to 63 letters, digits and underscores, starting with a letter;"
            " write a shorter or plainer one",
        ),
        row(
            {"rds_allocated_storage": 101, "rds_max_allocated_storage": 111},
            "rds_max_allocated_storage: 111 must be at least 10 % above rds_allocated_storage (101); write 112 or"
            " more, or 0 for no growth",
        ),
    ],
    "_instance_names": [
        row(
            web(name="Web_1"),
            "ec2_app_instances[0].name: 'Web_1' must be lower-case letters, digits and hyphens, starting with a"
            " letter; write 'web-1'",
        ),
        row(
            {"ec2_app_instances": [WEB, {"name": "lab"}, WEB]},
            "ec2_app_instances[0].name: 'web' is used twice; give each instance a name of its own",
            "ec2_app_instances[2].name: 'web' is used twice; give each instance a name of its own",
        ),
        row(
            web(ssh_from_instances=["wep"]),
            "ec2_app_instances[0].ssh_from_instances: there is no instance 'wep'. Did you mean web?",
        ),
    ],
    "_open_groups": [
        row(
            {"network_load_balancer_ports": [443, 22]},
            "network_load_balancer_ports: 22 (SSH) must not be open to the internet; leave it out",
        ),
        row(
            {"network_security_groups": [{"name": "jump", "rules": [{"ports": ["20-25"], "cidr_ip": "0.0.0.0/0"}]}]},
            "network_security_groups[0].rules[0]: 22 (SSH) must not be open to the internet; write the networks"
            " that you trust instead",
        ),
        row(
            {"network_security_groups": [{"name": "db", "rules": [{"from_port": 5432, "cidr_ipv6": ["::/0"]}]}]},
            "network_security_groups[0].rules[0]: 5432 (PostgreSQL) must not be open to the internet;"
            " write the networks that you trust instead",
        ),
    ],
    "_registry_source": [
        row(
            {"stack_tiers": ["registry"], "registry_source": "othr"},
            "registry_source: no stack 'othr' in the inventory. Did you mean other?",
        ),
        row(
            {"stack_tiers": ["registry"], "registry_source": "other"},
            "registry_source: 'other' does not list the tier 'registry'; add it to its stack_tiers",
        ),
    ],
    "_instance_ports": [
        row(
            web(ports=[22]),
            "ec2_app_instances[0].ports: 22 (SSH) must not be open to the internet; write"
            " ec2_app_instances[0].ssh_from with the addresses you trust",
        ),
        row(
            web(ports=[80, 3306]),
            "ec2_app_instances[0].ports: 3306 (MySQL) must not be open to the internet; leave it out",
        ),
        row(web(ports=[70000]), "ec2_app_instances[0].ports: 70000 is not a TCP port; write 1 to 65535"),
        row(web(ports=[0]), "ec2_app_instances[0].ports: 0 is not a TCP port; write 1 to 65535"),
        row(
            web(ssh_from=["0.0.0.0/0"]),
            "ec2_app_instances[0].ssh_from: '0.0.0.0/0' opens SSH to the whole internet; write the addresses you"
            " trust, such as '203.0.113.7/32', or leave it empty and use Systems Manager",
        ),
        row(
            web(ssh_from=["203.0.113.9"]),
            "ec2_app_instances[0].ssh_from: '203.0.113.9' is not an IPv4 network address; write such as"
            " '203.0.113.9/32'",
        ),
        row(
            web(ssh_from=["::/0"]),
            "ec2_app_instances[0].ssh_from: '::/0' is not an IPv4 network address; write such as '203.0.113.7/32'",
        ),
    ],
    "_instance_subnets": [
        row(
            web(subnets="dmz"),
            "ec2_app_instances[0].subnets: 'dmz' is no type of subnet here; the network has private, public",
        ),
        row(
            {**web(subnets="private"), "network_nat": "none"},
            "ec2_app_instances[0].subnets: an instance in a private subnet installs its packages through a NAT"
            " gateway, and there is none; write network_nat: single",
        ),
    ],
    "_application_secrets": [
        row(
            application(environment={"APP_ENV": "prod", "DB_PASSWORD": SECRET}),
            "ec2_app_instances[0].application.environment.DB_PASSWORD: a secret in plain text does not belong in the"
            " inventory and would stand in user data; create it in Secrets Manager and write application.secrets:"
            " {DB_PASSWORD: NAME}",
        ),
        row(
            application(environment={"DATABASE_URL": f"mysql://shop:{SECRET}@db.example.com/shop"}),
            "ec2_app_instances[0].application.environment.DATABASE_URL: a secret in plain text does not belong in"
            " the inventory and would stand in user data; create it in Secrets Manager and write"
            " application.secrets: {DATABASE_URL: NAME}",
        ),
        row(
            application(repository=f"https://{SECRET}@git.example.com/shop.git"),
            "ec2_app_instances[0].application.repository: an address with a login in it is a secret in plain text"
            " and would stand in user data; write the address alone, of a repository that can be read without one",
        ),
        row(
            application(environment={"TEXT": "é" * 4096}),
            "ec2_app_instances[0].application.environment: 8198 bytes do not fit into user data (at most 8192); move"
            " large values to SSM parameters and name them under application.secrets",
        ),
    ],
    "_group_names": [
        row(
            {"network_security_group_names": {"aplication": "x"}},
            "network_security_group_names.aplication: no tier has such a group. Did you mean application? Write one"
            " of load_balancer, application, database, peering",
        ),
        row(
            {"network_security_groups": [{"name": "database"}]},
            "network_security_groups[0].name: 'database' would name a second security group 'shop-prod-database' in"
            " the VPC; write another name",
        ),
        row(
            {"network_security_groups": [{"name": "x"}, {"name": "x"}]},
            "network_security_groups[1].name: 'x' would name a second security group 'shop-prod-x' in the VPC; write"
            " another name",
        ),
        row(
            web(name="application"),
            "ec2_app_instances[0].name: 'application' would name a second security group 'shop-prod-application' in"
            " the VPC; write another name",
        ),
        row(
            {"network_security_groups": [{"name": "x" * 250}]},
            "network_security_groups[0].name: the security group's name would have 260 characters, EC2 allows 255;"
            " shorten it by 5",
        ),
    ],
    "_flow_log_role_name": [
        row(
            {"stack_name": "a" * 50, "stack_tiers": ["network"]},
            f"stack_name: the role's name '{'a' * 50}-prod-flow-logs' would have 65 characters, IAM allows 64;"
            " shorten stack_name or stack_env by 1",
        ),
    ],
    "_role_names": [
        row(
            web(name="a" * 56),
            f"ec2_app_instances[0].name: the role's name 'shop-prod-{'a' * 56}' would have 66 characters, IAM allows"
            " 64; shorten stack_name, stack_env or the instance's name by 2",
        ),
    ],
    "_cdn_names": [
        row(
            site(aliases=["www.example.com"]),
            "s3_site_sites[0].aliases: CloudFront serves 'www.example.com' with a certificate for it only; write"
            " s3_site_sites[0].certificate, the name of one in dns_certificates with region us-east-1, or"
            " certificate_arn",
        ),
        row(
            site(aliases=["www.example.com", "www.example.com", "https://x"], certificate_arn=ISSUED),
            "s3_site_sites[0].aliases[1]: 'www.example.com' is the name of s3_site_sites[0]; a name leads to one site",
            "s3_site_sites[0].aliases[2]: 'https://x' is no host name; write one such as 'www.example.com'",
        ),
        row(
            {
                "s3_site_sites": [
                    *site(aliases=["www.example.com"], certificate_arn=ISSUED)["s3_site_sites"],
                    *site(name="b", aliases=["www.example.com"], certificate_arn=ISSUED)["s3_site_sites"],
                ]
            },
            "s3_site_sites[1].aliases[0]: 'www.example.com' is the name of s3_site_sites[0]; a name leads to one site",
        ),
        row(
            site(certificate_arn=ISSUED.replace("us-east-1", "eu-west-3")),
            "s3_site_sites[0].certificate_arn: 'arn:aws:acm:eu-west-3:123456789012:certificate/x' is no certificate of"
            " us-east-1, and CloudFront takes no other; write 'arn:aws:acm:us-east-1:...'",
        ),
        row(
            site(certificate="www", certificate_arn=ISSUED),
            "s3_site_sites[0].certificate: 'www' and certificate_arn exclude each other; write one of them",
            "s3_site_sites[0].certificate: 'www' would be a certificate of the tier 'dns'; add 'dns' to stack_tiers",
        ),
        row(
            site(distribution="shop.cdn"),
            "s3_site_sites[0].distribution: 'shop.cdn' names the distribution and what belongs to it; write a name of"
            " at most 64 letters, digits, hyphens and underscores",
        ),
    ],
    "_cdn_paths": [
        row(
            site(protected_paths=["private/*"]),
            "s3_site_sites[0].protected_paths: 'private/*' does not begin with a slash; write '/private/*'",
            "s3_site_sites[0].public_keys: without a key nobody can open 'private/*'; write the public key with"
            " which your application's signatures are checked",
        ),
        row(
            site(
                public_keys=[
                    {"name": "a", "pem": "-----BEGIN PRIVATE KEY-----"},
                    {"name": "a"},
                    {"name": "c", "pem": "x"},
                ]
            ),
            "s3_site_sites[0].public_keys[0].pem: a private key has no place in the inventory; write the public one"
            " (openssl pkey -pubout)",
            "s3_site_sites[0].public_keys[0].name: 'a' is used twice; give each key a name of its own",
            "s3_site_sites[0].public_keys[1]: 'a' needs the public key, either as text in pem or as a file in path",
            "s3_site_sites[0].public_keys[1].name: 'a' is used twice; give each key a name of its own",
            "s3_site_sites[0].public_keys[2].pem: is no public key; write the PEM text that begins with"
            " -----BEGIN PUBLIC KEY-----",
        ),
        row(
            site(error_pages=[{"code": 402, "page": "404.html"}]),
            "s3_site_sites[0].error_pages[0].page: '404.html' is no path of the site; write '/404.html'",
            "s3_site_sites[0].error_pages[0].code: CloudFront has no page for 402; write one of 400, 403, 404, 405,"
            " 414, 416, 500, 501, 502, 503, 504",
        ),
    ],
    "_cdn_api": [
        row(
            {**site(api_origin="load_balancer", api_domain="api")},
            "s3_site_sites[0].api_origin: 'load_balancer' is a tier that stack_tiers does not list; add"
            " 'load_balancer', or leave api_origin out",
            "s3_site_sites[0].api_domain: 'api' is no host name; write one such as 'api.example.com'",
        ),
        row(
            balanced(
                load_balancer_https=True,
                load_balancer_certificate_arn="arn:aws:acm:eu-west-3:123456789012:certificate/a",
                stack_tiers=["network", "load_balancer", "s3_site"],
                **site(api_origin="load_balancer"),
            ),
            "s3_site_sites[0].api_domain: CloudFront would ask the load balancer over HTTPS under a name for which"
            " it has no certificate; write the host name of the API, such as 'api.example.com', or give the site"
            " aliases",
        ),
    ],
    "_sites": [
        row(
            {"s3_site_sites": [{"name": "site", "source": "x", "bucket": "My_Bucket"}]},
            "s3_site_sites[0].bucket: 'My_Bucket' is no bucket name; 3 to 63 lower-case letters, digits, hyphens and"
            " dots, such as 'shop-prod-site'",
        ),
        row(
            {"s3_site_sites": [{"name": LONG + "b", "source": "x"}]},
            "s3_site_sites[0].name: the bucket's name would be over 63 characters; write s3_site_sites[0].bucket"
            " with a shorter one",
        ),
        row(
            {"s3_site_sites": [{"name": "Docs", "source": "x"}]},
            "s3_site_sites[0].name: 'Docs' must be lower-case letters, digits and hyphens, starting with a letter;"
            " write 'docs'",
        ),
        row(
            {"s3_site_sites": [{"name": "a", "source": "x"}, {"name": "a", "source": "y", "bucket": "other-one"}]},
            "s3_site_sites[0].name: 'a' is used twice; give each site a name of its own",
            "s3_site_sites[1].name: 'a' is used twice; give each site a name of its own",
        ),
        row(
            {
                "stack_name": "a" * 36,
                "stack_tiers": ["s3_site"],
                "s3_site_sites": [{"name": "s", "source": "x"}],
            },
            "stack_name: the name of the bucket of the sites' access logs,"
            f" '{'a' * 36}-prod-site-logs-<account id>', would have 64 characters, S3 allows 63; shorten"
            " stack_name or stack_env by 1",
        ),
    ],
    "_dns_zone": [
        row(
            named(dns_zone="Shop.example."),
            "dns_zone: 'Shop.example.' is not a domain in lower-case letters without a dot at its end; write such as"
            " 'shop.example'",
        ),
        row(
            named(dns_caa_issuers=["amazon.com", "not a name"]),
            "dns_caa_issuers[1]: 'not a name' is not a domain; write such as 'amazon.com'",
        ),
        row(
            named(dns_caa_report="me"),
            "dns_caa_report: 'me' is not an address; write such as 'mailto:security@shop.example'",
        ),
    ],
    "_dns_certificates": [
        row(
            certificate("shop.example", "*.other.example"),
            "dns_certificates[0].domains[1]: '*.other.example' is not within the zone 'shop.example', so it would"
            " never be"
            " validated; write a name such as '*.shop.example', or remove it",
        ),
        row(
            certificate("*.*.shop.example"),
            "dns_certificates[0].domains[0]: '*.*.shop.example' is no name that a certificate can have; a '*' may"
            " stand for"
            " the whole first part only, such as '*.shop.example'",
        ),
        row(
            certificate("api*.shop.example"),
            "dns_certificates[0].domains[0]: 'api*.shop.example' is no name that a certificate can have; a '*' may"
            " stand"
            " for the whole first part only, such as '*.shop.example'",
        ),
        row(
            certificate(*(f"n{number}.shop.example" for number in range(11))),
            "dns_certificates[0].domains: 11 names are more than the 10 of one certificate; write two certificates,"
            " or a"
            " wildcard for names of one level",
        ),
        row(
            certificate(f"{'a' * 60}.shop.example"),
            f"dns_certificates[0].domains[0]: '{'a' * 60}.shop.example' has 73 characters, the first name may have"
            f" 64; put"
            " a shorter one first",
        ),
        row(
            certificate(),
            "dns_certificates[0].domains: is empty; write the names of the certificate, such as ['shop.example']",
        ),
        row(
            certificate("shop.example", region="useast1"),
            "dns_certificates[0].region: 'useast1' is not an AWS region name; write one such as 'us-east-1'",
        ),
        row(
            named(dns_certificates=[{"name": "a", "domains": [f"{name}.shop.example"]} for name in "bc"]),
            "dns_certificates[0].name: 'a' is used twice; give each certificate a name of its own",
            "dns_certificates[1].name: 'a' is used twice; give each certificate a name of its own",
        ),
        row(
            named(dns_certificates=[{"name": name, "domains": ["shop.example"]} for name in "ab"]),
            "dns_certificates[1]: has the names and the region of 'a'; remove one of the two",
        ),
    ],
    "_dns_records": [
        row(
            record(name="a..b"),
            "dns_records[0].name: 'a..b' is no name; write such as 'www', or '@' for shop.example itself",
        ),
        row(
            record(name="_palier-shop"),
            "dns_records[0].name: names that start with '_palier-' say whose the records are; write another one",
        ),
        row(
            record(type=""),
            "dns_records[0]: has neither an alias nor a type; write such as type: A with values, or alias:"
            " load_balancer",
        ),
        row(record(values=[]), "dns_records[0].values: is empty; write what the A record says"),
        row(
            record(values=["shop"]),
            "dns_records[0].values[0]: 'shop' is no IPv4 address; write such as '203.0.113.7'",
        ),
        row(
            record(type="AAAA"),
            "dns_records[0].values[0]: '203.0.113.7' is no IPv6 address; write such as '2001:db8::7'",
        ),
        row(
            record(type="MX", values=["mail.shop.example"]),
            "dns_records[0].values[0]: 'mail.shop.example' is no value of type MX; write such as '10 mail.example.com'",
        ),
        row(
            record(type="TXT", values=["x" * 4001]),
            "dns_records[0].values[0]: 4001 characters, a TXT value has at most 4000; shorten it",
        ),
        row(
            record(type="CNAME", values=["a.example", "b.example"]),
            "dns_records[0].values: a CNAME record has one value, not 2; keep one",
        ),
        row(
            record(name="@", type="CNAME", values=["a.example"]),
            "dns_records[0].type: the zone's own name shop.example cannot have a CNAME record of yours; write alias:"
            " load_balancer or alias: site:NAME",
        ),
        row(
            record(name="@", type="CAA", values=['0 issue "amazon.com"']),
            "dns_records[0]: who may issue certificates for shop.example is said in dns_caa_issuers; write it there",
        ),
        row(record(ttl=-1), "dns_records[0].ttl: -1 is out of range; write 0 to 2147483647"),
        row(record(weight=256), "dns_records[0].weight: 256 is out of range; write 0 to 255"),
        row(
            record(health_check={"path": "health"}),
            "dns_records[0].health_check.path: 'health' must start with '/'; write '/health'",
        ),
        row(
            named(dns_records=[{"name": "www", "alias": "load_balancer"}]),
            "dns_records[0].alias: the stack has no tier 'load_balancer'; add it to stack_tiers",
        ),
        row(
            named(dns_records=[{"name": "www", "alias": "loadbalancer"}]),
            "dns_records[0].alias: 'loadbalancer' is neither 'load_balancer' nor 'site:NAME'. Did you mean"
            " load_balancer?",
        ),
        row(
            named(dns_records=[{"name": "www", "alias": "site:sight"}]),
            "dns_records[0].alias: s3_site_sites has no site 'sight'. Did you mean site?",
        ),
        row(
            named(dns_records=[{"name": "www", "alias": "site:site"}]),
            "dns_records[0].alias: the site 'site' has no CDN to point at; write hosting: cdn in its s3_site_sites",
        ),
        row(
            named(stack_tiers=["network", "dns"], dns_records=[{"name": "www", "alias": "site:site"}]),
            "dns_records[0].alias: the stack has no tier 's3_site'; add it to stack_tiers",
        ),
    ],
    "_dns_neighbours": [
        row(
            named(dns_records=[A, A]),
            "dns_records[1]: www.shop.example has an A record in dns_records[0] already; write all values there, or"
            " give"
            " both a weight or failover and a set_identifier of its own",
        ),
        row(
            named(dns_records=[{**A, "weight": 1}, {**A, "weight": 2}]),
            "dns_records[1]: www.shop.example has an A record in dns_records[0] already; write all values there, or"
            " give"
            " both a weight or failover and a set_identifier of its own",
        ),
        row(
            named(dns_records=[A, {"name": "www.shop.example", "type": "CNAME", "values": ["a.example"]}]),
            "dns_records[1]: www.shop.example has a CNAME record, beside which nothing may stand (A in dns_records[0]);"
            " keep one",
        ),
        row(
            record(weight=1, failover="secondary", peers={"other": PRIMARY}),
            "dns_records[0]: has both failover and weight; a record has one of the two",
        ),
    ],
    "_dns_failover": [
        row(
            record(failover="secondary"),
            "dns_records[0].failover: 'secondary' of www.shop.example has no primary in this inventory; describe it"
            " in the"
            " other stack, with dns_zone: shop.example, or leave failover out",
        ),
        row(
            record(failover="primary", peers={"other": SECONDARY}),
            "dns_records[0].health_check: a primary without a health check is never failed over from; write one, such"
            " as"
            " health_check: {path: /health}",
        ),
        row(
            record(failover="primary", health_check={}, peers={"other": SECONDARY, "third": PRIMARY}),
            "dns_records[0].failover: third is the primary of www.shop.example as well; write secondary in one of the"
            " two",
        ),
        row(
            record(peers={"other": SECONDARY}),
            "dns_records[0]: other has www.shop.example as secondary too; keep one, or write failover or weight in both"
            " stacks",
        ),
    ],
    "_dns_site_certificates": [],
    "_bucket_names": [
        row(
            {"stack_tiers": ["storage"], "storage_buckets": [{"name": "Parts"}]},
            "storage_buckets[0].name: 'Parts' must be lower-case letters, digits and hyphens, starting with a letter;"
            " write 'parts'",
        ),
        row(
            storage({}, {}),
            "storage_buckets[0].name: 'parts' is used twice; give each bucket a name of its own",
            "storage_buckets[1].name: 'parts' is used twice; give each bucket a name of its own",
        ),
        row(
            storage({"bucket": "My_Bucket"}),
            "storage_buckets[0].bucket: 'My_Bucket' is no bucket name; 3 to 63 lower-case letters, digits, hyphens and"
            " dots, such as 'shop-prod-parts'",
        ),
        row(
            storage({"name": "a" * 41}),
            "storage_buckets[0].name: the bucket's name would be over 63 characters; write storage_buckets[0].bucket"
            " with a shorter one",
        ),
        row(
            storage({"bucket": "b" * 60, "replication": {"region": "eu-central-1"}}),
            "storage_buckets[0].name: the bucket's name would be over 63 characters; write"
            " storage_buckets[0].replication.bucket with a shorter one",
        ),
    ],
    "_bucket_settings": [
        row(storage({"transitions": [{"days": 180, "storage_class": "GLACIER"}], "expiration_days": 400})),
        row(
            storage({"kms_key_id": "arn:key"}),
            "storage_buckets[0].kms_key_id: a key is used with the encryption 'aws:kms' only; write encryption:"
            " aws:kms",
        ),
        row(
            storage({"transitions": [{"days": 10, "storage_class": "STANDARD_IA"}]}),
            "storage_buckets[0].transitions: S3 moves nothing to STANDARD_IA before day 30; write days: 30",
        ),
        row(storage({"noncurrent_transitions": [{"days": 10, "storage_class": "GLACIER"}]})),
        row(
            storage(
                {
                    "transitions": [
                        {"days": 90, "storage_class": "DEEP_ARCHIVE"},
                        {"days": 180, "storage_class": "GLACIER"},
                    ]
                }
            ),
            "storage_buckets[0].transitions: S3 moves nothing from DEEP_ARCHIVE to GLACIER; name cheaper classes for"
            " later days",
        ),
        row(
            storage(
                {
                    "transitions": [
                        {"days": 30, "storage_class": "STANDARD_IA"},
                        {"days": 50, "storage_class": "GLACIER"},
                    ]
                }
            ),
            "storage_buckets[0].transitions: an object stays in STANDARD_IA for 30 days at least; write days: 60 for"
            " GLACIER",
        ),
        row(
            storage({"transitions": [{"days": 180, "storage_class": "GLACIER"}], "expiration_days": 180}),
            "storage_buckets[0].expiration_days: 180 is not after the move on day 180; write a larger number, or 0 for"
            " never",
        ),
        row(
            storage({"cors": [{"allowed_origins": ["*"], "allowed_methods": ["GETT"]}]}),
            "storage_buckets[0].cors[0].allowed_methods: 'GETT' is not one of GET, PUT, POST, DELETE, HEAD. Did you"
            " mean"
            " GET?",
        ),
    ],
    "_replication": [
        row(storage({"replication": {"region": "eu-central-1"}})),
        row(
            storage({"replication": {"region": "eu-west-3"}}),
            "storage_buckets[0].replication.region: 'eu-west-3' is the bucket's own region; write another one, such as"
            " 'eu-central-1'",
        ),
        row(
            storage({"replication": {"region": "Frankfurt"}}),
            "storage_buckets[0].replication.region: 'Frankfurt' is not an AWS region name; write one such as"
            " 'eu-central-1'",
        ),
        row(
            storage({"replication": {"region": "cn-north-1"}}),
            "storage_buckets[0].replication.region: S3 does not copy from eu-west-3 to cn-north-1, another part of AWS;"
            " write such as 'eu-central-1'",
        ),
        row(
            storage({"versioning": False, "replication": {"region": "eu-central-1"}}),
            "storage_buckets[0].replication: S3 copies only buckets that keep versions; write versioning: true",
        ),
        row(
            storage({"replication": {"prefix": "scores/"}}),
            "storage_buckets[0].replication.region: is missing; write the region of the copy, such as 'eu-central-1'",
        ),
        row(
            storage({"encryption": "aws:kms", "replication": {"region": "eu-central-1"}}),
            "storage_buckets[0].replication.kms_key_id: objects that a KMS key encrypts are copied only with a key in"
            " eu-central-1; write the ARN of one",
        ),
    ],
    "_storage_names": [
        row(
            storage({"name": "logs"}, storage_log_bucket="log"),
            "storage_log_bucket: there is no bucket 'log' in storage_buckets. Did you mean logs?",
        ),
        row(
            storage({"name": "logs", "encryption": "aws:kms"}, storage_log_bucket="logs"),
            "storage_log_bucket: S3 writes no access logs to a bucket with the encryption 'aws:kms'; give 'logs'"
            " AES256",
        ),
        row(
            storage({}, storage_destroy_data=["parts", "parts-replica", "part"]),
            "storage_destroy_data: there is no bucket 'part' in storage_buckets. Did you mean parts?",
        ),
        row(
            storage({}, storage_log_retention_days=0),
            "storage_log_retention_days: must be 1 or more; write such as 90",
        ),
        row(
            storage({}, storage_replication_role_name="r" * 65),
            f"storage_replication_role_name: '{'r' * 65}' has 65 characters, AWS allows 64; write a shorter one",
        ),
    ],
    "_pipelines": [
        row(pipelines()),
        row(
            pipelines(repository="https://github.com/acme/shop"),
            "pipelines_roles[0].repository: 'https://github.com/acme/shop' is no repository; write such as 'acme/shop',"
            " without an address",
        ),
        row(
            pipelines(branches=[]),
            "pipelines_roles[0].branches: nothing may take on the role; name branches, tags or environments, such as"
            " [main]",
        ),
        row(
            pipelines(provider="gitlab", environments=["prod"]),
            "pipelines_roles[0].environments: IAM does not see GitLab's environments; name branches or tags",
        ),
        row(
            pipelines(max_session=60),
            "pipelines_roles[0].max_session: 60 is out of range; write 3600 to 43200",
        ),
        row(
            {**pipelines(), "pipelines_users": [{"name": "release"}]},
            "pipelines_roles: 'release' is used twice; give each role and user a name of its own",
        ),
        row(
            {**pipelines(), "pipelines_gitlab_url": "http://git.example.com"},
            "pipelines_gitlab_url: 'http://git.example.com' must begin with https://, since IAM takes no other",
        ),
        row(
            pipelines(policy={"Statement": ["x" * 6200]}),
            "pipelines_roles[0].policy: has 6218 characters, and IAM takes 6144; put a part of it into a policy of its"
            " own and name that in pipelines_roles[0].policies",
        ),
    ],
    "_user_pool": [
        row(identity()),
        row(
            identity(identity_sign_in_with=["mail"]),
            "identity_sign_in_with: 'mail' is not one of email, phone_number. Did you mean email?",
        ),
        row(
            identity(identity_password_minimum_length=4),
            "identity_password_minimum_length: 4 is out of range; write 6 to 99",
        ),
        row(
            identity(identity_password_temporary_days=400),
            "identity_password_temporary_days: 400 is out of range; write 0 to 365",
        ),
        row(
            identity(identity_aliases=["email"]),
            "identity_aliases: are for users with a name of their own; write identity_sign_in_with: [] or leave them"
            " out",
        ),
        row(
            identity(identity_account_recovery=["admin_only", "verified_email"]),
            "identity_account_recovery: 'admin_only' excludes the other ways; write it alone or leave it out",
        ),
        row(
            identity(identity_attributes=[{"name": "a" * 21}]),
            f"identity_attributes[0].name: '{'a' * 21}' has 21 characters, AWS allows 20; write a shorter one",
        ),
        row(
            identity(identity_pool_name="a/b"),
            "identity_pool_name: 'a/b' must be 1 to 128 letters, digits, spaces and any of +=,.@-; write a plainer one",
        ),
        row(
            identity(identity_role_name="r" * 65),
            f"identity_role_name: '{'r' * 65}' has 65 characters, AWS allows 64; write a shorter one",
        ),
        row(
            identity(identity_domain="my-cognito"),
            "identity_domain: 'my-cognito' must be 1 to 63 lower-case letters, digits and hyphens, without 'aws',"
            " 'amazon' or 'cognito'; write a plainer one, or the certificate of a domain of your own",
        ),
        row(
            identity(identity_domain_certificate_arn="arn:aws:acm:us-east-1:1:certificate/a"),
            "identity_domain_certificate_arn: there is no identity_domain; write the domain that it is for",
        ),
        row(
            identity(
                identity_domain="login.example.com",
                identity_domain_certificate_arn="arn:aws:acm:eu-west-3:1:certificate/a",
            ),
            "identity_domain_certificate_arn: 'arn:aws:acm:eu-west-3:1:certificate/a' is not in us-east-1, where"
            " Cognito looks; write one that is",
        ),
    ],
    "_app_clients": [
        row(
            identity(
                identity_clients=[
                    {
                        "name": "web",
                        "callback_urls": ["https://shop.example.com/in", "http://localhost:3000/in", "app://in"],
                        "oauth_flows": ["code"],
                        "oauth_scopes": ["openid"],
                    }
                ]
            )
        ),
        row(
            identity(identity_clients=[{"name": "web"}, {"name": "web"}]),
            "identity_clients[0].name: 'web' is used twice; give each client a name of its own",
            "identity_clients[1].name: 'web' is used twice; give each client a name of its own",
        ),
        row(
            identity(identity_clients=[{"name": "a/b", "access_token_minutes": 2, "refresh_token_days": 4000}]),
            "identity_clients[0].name: 'a/b' must be 1 to 128 letters, digits, spaces and any of +=,.@-; write a"
            " plainer one",
            "identity_clients[0].access_token_minutes: 2 is out of range; write 5 to 1440",
            "identity_clients[0].refresh_token_days: 4000 is out of range; write 1 to 3650",
        ),
        row(
            identity(
                identity_clients=[{"name": "web", "callback_urls": ["http://localhost.example.com", "https://a/#b"]}]
            ),
            "identity_clients[0].callback_urls: 'http://localhost.example.com' must be an HTTPS address (HTTP on"
            " localhost only) without '#'",
            "identity_clients[0].callback_urls: 'https://a/#b' must be an HTTPS address (HTTP on localhost only)"
            " without"
            " '#'",
        ),
        row(
            identity(identity_clients=[{"name": "web", "oauth_flows": ["code", "cod"]}]),
            "identity_clients[0].oauth_flows: 'cod' is not one of code, implicit, client_credentials. Did you mean"
            " code?",
            "identity_clients[0].callback_urls: the flow 'code' sends users back somewhere; write the address",
            "identity_clients[0].oauth_scopes: OAuth flows need scopes; write such as [openid]",
        ),
        row(
            identity(
                identity_clients=[{"name": "api", "oauth_flows": ["client_credentials"], "oauth_scopes": ["a/b"]}]
            ),
            "identity_clients[0].oauth_flows: 'client_credentials' is for a client of its own with confidential: true",
        ),
        row(
            identity(identity_role_mappings=[{"client": "ap"}]),
            "identity_role_mappings[0].client: there is no client 'ap'. Did you mean app?",
        ),
        row(
            identity(identity_groups=[{"name": "editors"}, {"name": "editors"}]),
            "identity_groups: 'editors' is used twice; give each group a name of its own",
        ),
    ],
    "_user_files": [
        row(
            identity(identity_files_bucket="parts"),
            "identity_files_bucket: is a bucket of the tier 'storage', which the stack does not have; add it to"
            " stack_tiers",
        ),
        row(
            {**storage({}), "stack_tiers": ["storage", "identity"], "identity_files_bucket": "part"},
            "identity_files_bucket: there is no bucket 'part' in storage_buckets. Did you mean parts?",
        ),
        row(
            {
                **storage({}),
                "stack_tiers": ["storage", "identity"],
                "identity_files_bucket": "parts",
                "identity_files_prefix": "/users",
            },
            "identity_files_prefix: '/users' must not start with '/', must end with it; write such as 'users/'",
        ),
    ],
    "_told": [
        row(watched(monitoring_emails=["duty@example.com"], monitoring_webhooks=["https://hooks.example.com/x"])),
        row(
            watched(monitoring_emails=["duty@example"]),
            "monitoring_emails: 'duty@example' is no mail address; write such as 'duty@example.com'",
        ),
        row(
            watched(monitoring_webhooks=["http://hooks.example.com/x", f"https://{SECRET}@example.com/x"]),
            "monitoring_webhooks[0]: is no HTTPS address; write one that begins with 'https://'",
            "monitoring_webhooks[1]: an address with a login in it is a secret in plain text; write one without",
        ),
        row(
            watched(monitoring_topic_name="a.b", monitoring_dashboard_name="a b"),
            "monitoring_topic_name: 'a.b' must be 1 to 256 letters, digits, hyphens and underscores; write a plainer"
            " one",
            "monitoring_dashboard_name: 'a b' must be 1 to 255 letters, digits, hyphens and underscores; write a"
            " plainer"
            " one",
        ),
    ],
    "_thresholds": [
        row(
            watched(monitoring_cpu_percent=180, monitoring_memory_percent=0),
            "monitoring_cpu_percent: 180.0 is out of range; write 1 to 100",
            "monitoring_memory_percent: 0.0 is out of range; write 1 to 100",
        ),
        row(
            watched("network", "rds", monitoring_database_free_gib=20),
            "monitoring_database_free_gib: 20 must be above 0 and below rds_allocated_storage (20); write such as 2",
        ),
        row(
            watched(monitoring_alarm_periods=0),
            "monitoring_alarm_periods: 0 is out of range; write 1 to 288",
        ),
        row(
            watched("network", "rds", rds_instance_class="db.serverless"),
            "monitoring_database_max_connections: how many connections 'db.serverless' takes is not known here; write"
            " the number that the database answers to SHOW max_connections",
        ),
        row(watched("network", "rds", rds_instance_class="db.serverless", monitoring_database_max_connections=100)),
    ],
    "_log_groups": [
        row(watched(monitoring_log_groups=[{"name": "/aws/ec2/shop/prod/app", "retention_days": 30}])),
        row(
            watched(monitoring_log_groups=[{"name": "/a b"}, {"name": "/c", "retention_days": 100}]),
            "monitoring_log_groups[0].name: '/a b' must be 1 to 512 letters, digits and any of . - _ / #; write a"
            " plainer one",
            "monitoring_log_groups[1].retention_days: CloudWatch Logs does not keep events for 100 days; write 120",
        ),
        row(
            watched(monitoring_log_groups=[{"name": "/c"}, {"name": "/c"}]),
            "monitoring_log_groups[0].name: '/c' is used twice; list it once",
            "monitoring_log_groups[1].name: '/c' is used twice; list it once",
        ),
    ],
    "_own_alarms": [
        row(
            watched(monitoring_alarms=[{**ALARM, "period": 45}, {**ALARM, "name": "b" * 250}]),
            "monitoring_alarms[0].period: 45 is no period; write 10, 20, 30 or a multiple of 60",
            f"monitoring_alarms[1].name: 'shop-prod-{'b' * 250}' has 260 characters, AWS allows 255; write a shorter"
            " one",
        ),
        row(
            watched(monitoring_alarms=[ALARM, ALARM]),
            "monitoring_alarms[0].name: 'queue' is used twice; give each alarm a name of its own",
            "monitoring_alarms[1].name: 'queue' is used twice; give each alarm a name of its own",
        ),
    ],
    "_load_balancer": [
        row(
            balanced(),
        ),
        row(
            balanced(load_balancer_name="a" * 33),
            "load_balancer_name: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' has 33 characters, AWS allows 32; write"
            " load_balancer_name with a name such as 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
        ),
        row(
            balanced(load_balancer_name="internal-shop_lb"),
            "load_balancer_name: 'internal-shop_lb' must be letters, digits and hyphens, without a hyphen at"
            " either end or 'internal-' at the start; write 'shop-lb'",
        ),
        row(
            balanced(network_zones=1),
            "network_zones: a load balancer needs public subnets in two availability zones, the description"
            " has 1; write network_zones: 2 and list 'public' in network_subnet_types",
        ),
        row(
            balanced(load_balancer_idle_timeout=4001),
            "load_balancer_idle_timeout: 4001 lies outside what AWS allows, 1 to 4000 seconds; write such as 60",
        ),
        row(
            balanced(network_load_balancer_ports=[80, 443]),
            "network_load_balancer_ports: 443 is open to the internet, and nothing listens there with"
            " load_balancer_https: false; write network_load_balancer_ports: [80]",
        ),
        row(
            balanced(load_balancer_https=True),
            "load_balancer_certificate: HTTPS needs a certificate; write the name of one in dns_certificates,"
            " or load_balancer_certificate_arn with one that exists, or load_balancer_https: false for HTTP"
            " alone",
        ),
        row(
            balanced(
                load_balancer_https=True,
                load_balancer_certificate_arn="arn:aws:acm:eu-west-3:123456789012:certificate/a",
            ),
        ),
        row(
            balanced(load_balancer_https=True, load_balancer_certificate="wep", dns_certificates=[{"name": "web"}]),
            "load_balancer_certificate: there is no certificate 'wep' in dns_certificates. Did you mean web?",
        ),
        row(
            balanced(
                load_balancer_https=True,
                load_balancer_certificate="www",
                dns_certificates=[{"name": "www", "region": "us-east-1"}],
            ),
            "load_balancer_certificate: 'www' is of the region us-east-1, a load balancer takes one of its"
            " own; add a certificate without region to dns_certificates",
        ),
    ],
    "_service_names": [
        row(
            served(SERVICE, OTHER_SERVICE),
        ),
        row(
            service(name="My API"),
            "ecs_app_services[0].name: 'My API' must be lower-case letters, digits and hyphens, starting with"
            " a letter; write 'my-api'",
            "ecs_app_services[0].load_balancer.target_group: 'shop-prod-My API' must be letters, digits and"
            " hyphens, without a hyphen at either end or 'internal-' at the start; write 'shop-prod-My-API'",
        ),
        row(
            service(name="a" * 56, load_balancer={"paths": ["/*"], "target_group": "short"}),
            f"ecs_app_services[0].name: the role's name 'shop-prod-{'a' * 56}' would have 66 characters, IAM allows"
            " 64; shorten stack_name, stack_env or the service's name by 2",
        ),
        row(
            service(load_balancer={"paths": ["/*"], "target_group": "a" * 33}),
            "ecs_app_services[0].load_balancer.target_group: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' has 33"
            " characters, AWS allows 32; write ecs_app_services[0].load_balancer.target_group with a name such"
            " as 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
        ),
        row(
            served(SERVICE, {**SERVICE, "port": 0, "load_balancer": None}),
            "ecs_app_services[0].name: 'api' is used twice; give each service a name of its own",
            "ecs_app_services[1].name: 'api' is used twice; give each service a name of its own",
        ),
    ],
    "_service_sizes": [
        row(
            service(cpu=256, memory=4096),
            "ecs_app_services[0].cpu: Fargate has no size of 256 CPU units with 4096 MiB; write cpu: 512 and"
            " memory: 4096, the nearest that it has",
        ),
        row(
            service(cpu=1000, memory=2048),
            "ecs_app_services[0].cpu: Fargate has no size of 1000 CPU units with 2048 MiB; write cpu: 1024"
            " and memory: 2048, the nearest that it has",
        ),
        row(
            service(cpu=32768, memory=999999),
            "ecs_app_services[0].cpu: Fargate has no size of 32768 CPU units with 999999 MiB; write cpu:"
            " 16384 and memory: 122880, the nearest that it has",
        ),
        row(
            service(ephemeral_storage=20),
            "ecs_app_services[0].ephemeral_storage: 20 lies outside what Fargate has, 21 to 200 GiB; write 0"
            " for 20 GiB",
        ),
        row(
            service(cpu=16384, memory=122880, ephemeral_storage=21),
        ),
    ],
    "_service_images": [
        row(
            service(image={"repository": "back", "tag": "v1"}) | {"registry_repositories": [{"name": "backend"}]},
            "ecs_app_services[0].image.repository: there is no repository 'back' in registry_repositories."
            " Did you mean backend? Add it, or write the image's full address as text",
        ),
        row(
            service(image={"repository": "backend"}) | {"registry_repositories": [{"name": "backend"}]},
            "ecs_app_services[0].image: neither tag nor digest is given; write such as tag: v1.0.0",
        ),
    ],
    "_service_counts": [
        row(
            service(desired_count=-1),
            "ecs_app_services[0].desired_count: -1 is no number of tasks; write 0 for a service that sleeps",
        ),
        row(
            service(scaling={"min": 3, "max": 2, "cpu": 60}),
            "ecs_app_services[0].scaling: min 3 and max 2 are no limits; write 1 <= min <= max",
        ),
        row(
            service(desired_count=1, scaling={"min": 2, "max": 4, "cpu": 60}),
            "ecs_app_services[0].desired_count: 1 lies outside the limits of its scaling, 2 to 4; write 2, or"
            " leave it out",
        ),
        row(
            service(desired_count=0, scaling={"min": 2, "max": 4, "cpu": 60}),
        ),
        row(
            service(scaling={"max": 4}),
            "ecs_app_services[0].scaling: nothing says when to scale; write cpu: 60, or memory or requests",
        ),
        row(
            service(port=0, load_balancer=None, scaling={"max": 4, "requests": 100}),
            "ecs_app_services[0].scaling.requests: the service gets no requests of the load balancer; write"
            " cpu instead",
        ),
    ],
    "_service_routes": [
        row(
            service(port=0),
            "ecs_app_services[0].port: its rules at the load balancer lead to no port; write the one that it"
            " listens on",
        ),
        row(
            service(port=70000),
            "ecs_app_services[0].port: 70000 is not a TCP port; write 1 to 65535, or 0 for none",
        ),
        row(
            service(load_balancer=None),
            "ecs_app_services[0].port: no rule of the load balancer reaches port 3000; write"
            " ecs_app_services[0].load_balancer with paths or hosts, or leave the port out",
        ),
        row(
            service(load_balancer=None, desired_count=0),
        ),
        row(
            served(stack_tiers=["network", "ecs_app"]),
            "ecs_app_services[0].load_balancer: the stack has no load balancer; add 'load_balancer' to stack_tiers",
        ),
        row(
            service(load_balancer={"priority": 50001}),
            "ecs_app_services[0].load_balancer.priority: 50001 lies outside what AWS allows, 1 to 50000;"
            " write 0 to have it computed",
        ),
        row(
            service(
                load_balancer={
                    "priority": 1,
                    "paths": ["/a", "/b", "/c"],
                    "hosts": ["a.example.com", "b.example.com", "c.example.com"],
                }
            ),
            "ecs_app_services[0].load_balancer: a rule takes 5 hosts and paths, here are 6; use patterns such"
            " as '/api/*'",
        ),
        row(
            service(load_balancer={"paths": ["api/*"]}),
            "ecs_app_services[0].load_balancer.paths: 'api/*' matches no path, which all start with a slash;"
            " write '/api/*'",
        ),
        row(
            service(load_balancer={"health_check": {"timeout": 30}}),
            "ecs_app_services[0].load_balancer.health_check.timeout: must be less than the interval; write"
            " timeout: 5 and interval: 30",
        ),
        row(
            served(SERVICE, {**OTHER_SERVICE, "load_balancer": {"paths": ["/api/*"]}}),
            "ecs_app_services[1].load_balancer: '/api/*' is asked for by api and by front; give each its own",
        ),
        row(
            served(SERVICE, {**OTHER_SERVICE, "load_balancer": {"paths": ["/api/*"], "hosts": ["a.example.com"]}}),
        ),
        row(
            served(
                *({**one, "load_balancer": {**one["load_balancer"], "priority": 7}} for one in (SERVICE, OTHER_SERVICE))
            ),
            "ecs_app_services[1].load_balancer.priority: 7 is that of api as well; give each its own",
        ),
        row(
            served(SERVICE, {**OTHER_SERVICE, "load_balancer": {"paths": ["/*"], "priority": 1}}),
            "ecs_app_services[0].load_balancer.paths: '/api/*' is never reached, a rule of front with a"
            " smaller priority takes all of it; leave the priorities out, and the most specific path comes"
            " first",
        ),
        row(
            served(
                {**SERVICE, "load_balancer": {"paths": ["/api/v1/*"], "priority": 9}},
                {**OTHER_SERVICE, "load_balancer": {"paths": ["/api/*"], "priority": 8}},
            ),
            "ecs_app_services[0].load_balancer.paths: '/api/v1/*' is never reached, a rule of front with a"
            " smaller priority takes all of it; leave the priorities out, and the most specific path comes"
            " first",
        ),
    ],
    "_service_network": [
        row(
            served(network_nat="none"),
            "network_nat: tasks in private subnets pull their images through a NAT gateway, and there is"
            " none; write network_nat: single",
        ),
        row(
            served(network_nat="none", ecs_app_asleep=True),
        ),
        row(
            served(ecs_app_subnets="data"),
            "ecs_app_subnets: 'data' is no type of subnet here; the network has private, public",
        ),
    ],
    "_service_settings": [
        row(
            served(ecs_app_log_retention_days=100),
            "ecs_app_log_retention_days: CloudWatch Logs does not accept 100; write 90",
        ),
        row(
            service(database=True),
            "ecs_app_services[0].database: the stack has no database; add 'rds' to stack_tiers, or write"
            " database: false",
        ),
        row(
            service(environment={"DB_PASSWORD": SECRET}),
            "ecs_app_services[0].environment.DB_PASSWORD: a secret in plain text does not belong in the"
            " inventory and would stand in the task definition; create it in Secrets Manager and write"
            " ecs_app_services[0].secrets: {DB_PASSWORD: NAME}",
        ),
        row(
            service(before=[{"name": "m", "command": ["m"], "environment": {"URL": f"mysql://u:{SECRET}@db/shop"}}]),
            "ecs_app_services[0].before[0].environment.URL: a secret in plain text does not belong in the"
            " inventory and would stand in the task definition; create it in Secrets Manager and write"
            " ecs_app_services[0].secrets: {URL: NAME}",
        ),
        row(
            service(environment={"A": "1"}, secrets={"A": "name"}),
            "ecs_app_services[0].secrets.A: stands in environment as well; ECS takes each name once, leave one out",
        ),
        row(
            service(stop_timeout=121),
            "ecs_app_services[0].stop_timeout: 121 lies outside what Fargate allows, 2 to 120 seconds; write"
            " such as 30",
        ),
    ],
}

ROWS = [
    pytest.param(changes, said, id=f"{name}-{n}")
    for name, rows in TABLE.items()
    for n, (changes, said) in enumerate(rows)
]


class TestSentences:
    @pytest.mark.parametrize(("changes", "said"), ROWS)
    def test_table(self, changes: dict[str, t.Any], said: list[str]) -> None:
        assert problems(**changes) == said

    @pytest.mark.parametrize(("changes", "said"), ROWS)
    def test_a_sentence_names_the_variable_and_repeats_no_secret(
        self, changes: dict[str, t.Any], said: list[str]
    ) -> None:
        # One that customers ask for, and that there is not.
        variables = {name for options in OPTIONS.values() for name in options} | {"rds_read_replica"}
        for sentence in said:
            variable = re.match(r"\w+", sentence)
            assert variable
            assert variable[0] in variables
            assert SECRET not in sentence

    @pytest.mark.parametrize(
        ("site", "certificates", "said"),
        [
            ({"hosting": "website", "certificate": "nothing"}, [], []),
            ({}, [{"name": "web", "region": "us-east-1"}], []),
            ({}, [{"name": "wep", "region": "us-east-1"}], ["dns_certificates has no 'web'. Did you mean wep?"]),
            (
                {},
                [{"name": "web", "region": ""}],
                [
                    (
                        "'web' is in eu-west-3, CloudFront takes certificates of us-east-1 only; write region:"
                        " us-east-1 in its dns_certificates"
                    )
                ],
            ),
            ({}, None, ["'web' would be a certificate of the tier 'dns'; add 'dns' to stack_tiers"]),
        ],
    )
    def test_certificates_of_sites(
        self, site: dict[str, t.Any], certificates: list[dict[str, t.Any]] | None, said: list[str]
    ) -> None:
        values = {
            "stack_region": "eu-west-3",
            "stack_tiers": ["s3_site"] if certificates is None else ["s3_site", "dns"],
            "s3_site_sites": [{"name": "site", "hosting": "cdn", "certificate": "web", **site}],
            "dns_certificates": certificates,
        }
        found = list(subject._dns_site_certificates(subject.Stack(host="shop", values=values)))
        assert found == [f"s3_site_sites[0].certificate: {sentence}" for sentence in said]

    def test_no_rule_is_left_out(self) -> None:
        others = {"_variables_are_known"}
        assert {rule.__name__ for rule in subject.RULES} - others == set(TABLE)

    def test_all_are_said_at_once_and_each_once(self) -> None:
        said = problems(stack_name="Shop", network_cidr="12.0.0.0/8", **web(ports=[22, 22, 3389]))
        assert [sentence.partition(":")[0] for sentence in said] == [
            "stack_name",
            "network_cidr",
            "ec2_app_instances[0].ports",
            "ec2_app_instances[0].ports",
        ]

    def test_a_site_without_its_directory(self) -> None:
        checked = subject.Stack(
            host="shop_prod",
            values=filled({**SHOP, "stack_tiers": ["s3_site"]}),
            missing_directories={"s3_site_sites[0].source": "./sitte"},
        )
        assert subject.problems(checked) == [
            (
                "s3_site_sites[0].source: there is no directory './sitte'; write the path of the built site,"
                " relative to the inventory or to where the run is started"
            )
        ]

    def test_a_free_block_is_found_beside_the_largest_neighbour(self) -> None:
        (sentence,) = problems(peers={"other": {**OTHER, "network_cidr": "10.0.0.0/8"}})
        assert sentence.endswith("such as '172.16.0.0/16'")

    def test_rules_of_a_tier_that_the_stack_does_not_have_are_quiet(self) -> None:
        broken = {"network_cidr": "x", "rds_username": "admin", "s3_site_sites": [{"name": "X Y", "source": "x"}]}
        values = {**SHOP, **broken, **web(ports=[22]), "peering_connections": [{"peer": "gone"}]}
        checked = subject.Stack(host="shop_prod", values={**values, "stack_tiers": []}, known=KNOWN)
        assert subject.problems(checked) == []


class TestMalformed:
    """Values that the argument specs have refused already: their sentences must not be lost to a traceback."""

    BROKEN: t.ClassVar[list[dict[str, t.Any]]] = [
        {"ec2_app_instances": ["web"]},
        {"ec2_app_instances": [{}]},
        {"ec2_app_instances": [{"name": "web", "ports": ["http"], "application": "shop"}]},
        {"network_subnets": [{"type": "public"}]},
        {"network_subnets": ["10.0.0.0/24"]},
        {"network_subnet_prefix": "x"},
        {"rds_allocated_storage": "many"},
        {"peering_connections": ["other"]},
        {"peering_connections": [{"peer": {}}]},
        {"s3_site_sites": ["site"]},
        {"stack_tiers": [{"network": None}]},
        {"network_security_groups": [{}]},
    ]

    @pytest.mark.parametrize("changes", BROKEN)
    def test_the_rules_go_on(self, changes: dict[str, t.Any]) -> None:
        values = {**filled(SHOP), "stack_region": "Paris", **changes}
        said = subject.problems(
            subject.Stack(host="a", values=values, known=KNOWN, peers={"other": OTHER}), malformed=True
        )
        assert "stack_region: 'Paris' is not an AWS region name; write one such as 'eu-west-3'" in said

    def test_what_is_not_malformed_must_not_hide_a_fault_in_a_rule(self) -> None:
        with pytest.raises(AttributeError):
            subject.problems(subject.Stack(host="a", values={**SHOP, "ec2_app_instances": ["web"]}))


class TestUnknownVariables:
    @pytest.mark.parametrize(
        ("name", "sentence"),
        [
            ("rds_engin", "rds_engin: the role rds has no such variable. Did you mean rds_engine?"),
            ("network_cdir", "network_cdir: the role network has no such variable. Did you mean network_cidr?"),
            ("ec2_app_zzz", "ec2_app_zzz: the role ec2_app has no such variable."),
            ("s3_site_xyzzy_plugh", "s3_site_xyzzy_plugh: the role s3_site has no such variable."),
        ],
    )
    def test_the_nearest_right_name(self, name: str, sentence: str) -> None:
        assert list(subject.unknown_variables([name, "rds_engine"], KNOWN)) == [sentence]

    @pytest.mark.parametrize(
        "name", ["rds_password", "rds_master_user_password", "stack_api_token", "ec2_app_secrets", "rds_apikey"]
    )
    def test_a_secret(self, name: str) -> None:
        (sentence,) = subject.unknown_variables([name], KNOWN)
        assert sentence.startswith(f"{name}: a secret in plain text does not belong in the inventory. ")
        assert "Secrets Manager" in sentence

    def test_it_is_one_of_the_rules(self) -> None:
        checked = subject.Stack(host="a", values=filled(SHOP), names={"rds_engin"}, known=KNOWN, peers={"other": OTHER})
        assert subject.problems(checked) == ["rds_engin: the role rds has no such variable. Did you mean rds_engine?"]

    def test_no_variable_of_a_role_is_taken_for_a_secret(self) -> None:
        nested = [
            name for options in OPTIONS.values() for option in options.values() for name in option.get("options", {})
        ]
        every = [*nested, *(name for options in OPTIONS.values() for name in options)]
        # A service's secrets are names of secrets.
        assert [name for name in every if subject.SECRET_NAME.search(name)] == ["secrets"]


class TestNames:
    @given(st.text(max_size=30))
    def test_the_advised_name_is_right(self, value: str) -> None:
        assert subject.NAME.match(subject._plain(value))

    @pytest.mark.parametrize(
        "name", ["DB_PASSWORD", "api_key", "APIKEY", "token", "Secrets", "PRIVATE_KEY", "passphrase"]
    )
    def test_secret_names(self, name: str) -> None:
        assert subject.SECRET_NAME.search(name)

    @pytest.mark.parametrize("name", ["APP_ENV", "KEYBOARD", "TOKENIZER", "PASSWORD_POLICY_URL", "MONKEY"])
    def test_other_names(self, name: str) -> None:
        assert not subject.SECRET_NAME.search(name)

    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("postgres://user:pw@host/db", True),
            ("redis://:pw@host:6379", True),
            ("https://host:8080/path", False),
            ("https://host/a:b@c", False),
            ("a@b.example.com", False),
        ],
    )
    def test_passwords_in_addresses(self, value: str, found: bool) -> None:
        assert bool(subject.PASSWORD_IN_URL.search(value)) is found

    # Amazon S3 user guide, "General purpose bucket naming rules".
    @pytest.mark.parametrize("name", ["abc", "a" * 63, "www.example.com", "1-2", "shop-prod-site-123456789012"])
    def test_bucket_names(self, name: str) -> None:
        assert subject.BUCKET.match(name)

    @pytest.mark.parametrize(
        "name", ["ab", "a" * 64, "-abc", "abc-", "ABC", "a_b", "a..b", "192.168.5.4", "abc\n", "a b"]
    )
    def test_no_bucket_names(self, name: str) -> None:
        assert not subject.BUCKET.match(name)

    @pytest.mark.parametrize(
        ("region", "right"),
        [
            ("eu-west-3", True),
            ("us-gov-west-1", True),
            ("ap-southeast-5", True),
            ("eu-west", False),
            ("EU-WEST-3", False),
            ("eu-west-3\n", False),
        ],
    )
    def test_regions(self, region: str, right: bool) -> None:
        assert bool(subject.REGION.match(region)) is right

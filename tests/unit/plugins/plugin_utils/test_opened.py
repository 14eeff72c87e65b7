# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which secure defaults a description has opened."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import opened as subject
from ansible_collections.palier.aws.plugins.plugin_utils.argument_specs import role_options, validate

TIERS = [
    "network",
    "rds",
    "ec2_app",
    "s3_site",
    "load_balancer",
    "registry",
    "ecs_app",
    "storage",
    "identity",
    "monitoring",
]


def described(**values: t.Any) -> list[str]:
    """The settings that a description with every tier has opened, beside what it says."""
    given = {"stack_tiers": TIERS, "stack_env": "prod", "monitoring_emails": ["ops@example.com"], **values}
    return [f"{one['setting']}={one['value']}" for one in subject.opened(given)]


def defaults() -> dict[str, t.Any]:
    """What the roles say by themselves, with one item in each list, so that the items' defaults are there too."""
    items = {
        "ec2_app_instances": [{"name": "web"}],
        "storage_buckets": [{"name": "files"}],
        "registry_repositories": [{"name": "app"}],
        "ecs_app_services": [{"name": "api", "image": "nginx:1"}],
        "s3_site_sites": [{"name": "site", "source": "site", "hosting": "cdn"}],
    }
    specs = copy.deepcopy(role_options())
    found: dict[str, t.Any] = {}
    for role in TIERS:
        options = specs[role]
        plain = {
            name: option["default"]
            for name, option in options.items()
            if "default" in option and "{{" not in str(option["default"])
        }
        given = {name: value for name, value in {**plain, **items}.items() if name in options}
        values, _errors = validate({name: options[name] for name in given}, given)
        found.update(values)
    return found


def test_the_defaults_are_closed() -> None:
    # Nobody's address can be a default.
    assert described(**{**defaults(), "monitoring_emails": ["ops@example.com"]}) == []


def test_every_variable_that_is_looked_at_exists_and_defaults_to_something_else() -> None:
    options = {name: option for of_role in role_options().values() for name, option in of_role.items()}
    for name, bad, means in subject.SWITCHES:
        assert options[name].get("default") != bad, name
        assert means
    for name, key, bad, means in subject.ITEM_SWITCHES:
        assert options[name]["options"][key].get("default") != bad, (name, key)
        assert means


CASES: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "a switch": ({"network_flow_logs": False}, ["network_flow_logs=false"]),
    "plain HTTP": ({"load_balancer_https": False}, ["load_balancer_https=false"]),
    "a choice": ({"identity_mfa": "off"}, ["identity_mfa=off"]),
    "a public site": (
        {"s3_site_sites": [{"name": "front", "hosting": "website", "access_logs": False}]},
        ["s3_site_sites[front].hosting=website"],
    ),
    "a distribution": (
        {"s3_site_sites": [{"name": "front", "hosting": "cdn", "access_logs": False, "hsts_seconds": 0}]},
        ["s3_site_sites[front].access_logs=false", "s3_site_sites[front].hsts_seconds=0"],
    ),
    "a bucket": ({"storage_buckets": [{"name": "x", "versioning": False}]}, ["storage_buckets[x].versioning=false"]),
    "everyone": (
        {"storage_buckets": [{"name": "x", "policy_statements": [{"Effect": "Allow", "Principal": "*"}]}]},
        ["storage_buckets[x].policy_statements[0]=Principal *"],
    ),
    "everyone, on a condition": (
        {
            "storage_buckets": [
                {"name": "x", "policy_statements": [{"Effect": "Allow", "Principal": "*", "Condition": {"a": 1}}]}
            ]
        },
        [],
    ),
    "no standby": ({"rds_multi_az": False}, ["rds_multi_az=false"]),
    "no standby in dev": ({"rds_multi_az": False, "stack_env": "dev"}, []),
    "few backups": ({"rds_backup_retention_days": 1}, ["rds_backup_retention_days=1"]),
    "no logs of the database": ({"rds_log_exports": []}, ["rds_log_exports=[]"]),
    "connections without TLS": (
        {"rds_parameters": {"rds.force_ssl": "0", "work_mem": "0"}},
        ["rds_parameters.rds.force_ssl=0"],
    ),
    "old TLS": (
        {"load_balancer_https": True, "load_balancer_tls_policy": "ELBSecurityPolicy-TLS13-1-0-2021-06"},
        ["load_balancer_tls_policy=ELBSecurityPolicy-TLS13-1-0-2021-06"],
    ),
    "a port of the balancer": (
        {"network_load_balancer_ports": [80, 443, 8443]},
        ["network_load_balancer_ports=8443"],
    ),
    "ports and SSH": (
        {"ec2_app_instances": [{"name": "web", "ports": [443, 5085], "ssh_from": ["203.0.113.0/24"]}]},
        ["ec2_app_instances[web].ports=443, 5085", "ec2_app_instances[web].ssh_from=203.0.113.0/24"],
    ),
    "a group": (
        {"network_security_groups": [{"name": "vpn", "rules": [{"ports": ["1194"], "cidr_ip": ["0.0.0.0/0"]}]}]},
        ["network_security_groups[vpn].rules[0]=1194"],
    ),
    "a group for friends": (
        {"network_security_groups": [{"name": "vpn", "rules": [{"ports": ["1194"], "cidr_ip": "10.0.0.0/8"}]}]},
        [],
    ),
    "short passwords": ({"identity_password_minimum_length": 6}, ["identity_password_minimum_length=6"]),
    "alarms that reach nobody": ({"monitoring_emails": []}, ["monitoring_emails=[]"]),
    "alarms by webhook": ({"monitoring_emails": [], "monitoring_webhooks": ["https://example.com"]}, []),
    "a tier that is not there": ({"stack_tiers": ["network"], "load_balancer_https": False}, []),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_open(name: str) -> None:
    values, settings = CASES[name]
    assert described(**values) == settings


def test_ssh_from_everywhere_is_called_so() -> None:
    values = {"stack_tiers": ["ec2_app"], "ec2_app_instances": [{"name": "web", "ssh_from": ["0.0.0.0/0"]}]}
    assert [one["means"] for one in subject.opened(values)] == ["SSH is open to the internet"]

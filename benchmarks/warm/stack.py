# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbook of the benchmark: a small platform of stock modules, as often as wanted."""

from __future__ import annotations

import typing as t

import yaml

Task = dict[str, t.Any]


def platform(name: str, number: int) -> list[Task]:
    """Sixteen tasks of ten stock modules, which build one small platform.

    :param name: prefix of every name.
    :param number: makes the addresses differ from one platform to the next.
    """
    variable = name.replace("-", "_") + "_vpc"
    vpc = "{{ " + variable + ".vpc.id }}"
    zones = {"a": 0, "b": 1, "c": 2}
    subnets = [
        {"amazon.aws.ec2_vpc_subnet": {"vpc_id": vpc, "cidr": f"10.{number}.{third}.0/24", "az": f"us-east-1{zone}"}}
        for zone, third in zones.items()
    ]
    groups = [
        {
            "amazon.aws.ec2_security_group": {
                "name": f"{name}-{role}",
                "description": role,
                "vpc_id": vpc,
                "rules": [{"proto": "tcp", "ports": [port], "cidr_ip": f"10.{number}.0.0/16"}],
            }
        }
        for role, port in {"front": 443, "application": 8080, "database": 5432}.items()
    ]
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}],
    }
    return [
        {
            "amazon.aws.ec2_vpc_net": {"name": name, "cidr_block": f"10.{number}.0.0/16"},
            "register": variable,
        },
        {"amazon.aws.ec2_vpc_igw": {"vpc_id": vpc}},
        *subnets,
        *groups,
        {"amazon.aws.s3_bucket": {"name": f"{name}-files", "versioning": True}},
        {"amazon.aws.s3_bucket": {"name": f"{name}-logs"}},
        {"amazon.aws.iam_role": {"name": name, "assume_role_policy_document": trust}},
        {"amazon.aws.cloudwatchlogs_log_group": {"log_group_name": name}},
        {"amazon.aws.ec2_vpc_subnet_info": {"filters": {"vpc-id": vpc}}},
        {"amazon.aws.rds_instance_info": {}},
        {
            "community.aws.elb_target_group": {
                "name": name,
                "protocol": "http",
                "port": 80,
                "vpc_id": vpc,
                "state": "present",
            }
        },
        {"amazon.aws.aws_caller_info": {}},
    ]


def play(tasks: list[Task]) -> str:
    """A playbook of these tasks, for every host."""
    return yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}])


def stacks(count: int) -> str:
    """A playbook that converges so many platforms, one after the other."""
    return play([task for number in range(count) for task in platform(f"warm-{number}", number)])


def pings(count: int) -> str:
    """A playbook of the smallest module there is."""
    return play([{"ansible.builtin.ping": {}} for _number in range(count)])


def messages(count: int) -> str:
    """A playbook that runs no module at all: what ansible-playbook itself costs."""
    return play([{"ansible.builtin.debug": {"msg": "x"}} for _number in range(count)])

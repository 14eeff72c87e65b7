# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an instance needs: its image, its policy, its rules, its order, and what a change does to it."""

from __future__ import annotations

import fnmatch
import json
import typing as t

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import argument_specs
from ansible_collections.palier.aws.plugins.plugin_utils import instances as subject
from hypothesis import given
from hypothesis import strategies as st
from moto.ec2.models.instance_types import INSTANCE_TYPES

PARAMETER = "/shop/prod/rds"


def instance(name: str = "web", **options: t.Any) -> dict[str, t.Any]:
    """An instance with every default of the role filled in."""
    if "application" in options:
        options["application"] = {"repository": "https://git.example.com/shop.git", **options["application"]}
    (filled,) = argument_specs.with_defaults([{"name": name, **options}], "ec2_app", "ec2_app_instances")
    return filled


class TestArchitecture:
    def test_every_type_that_is_known(self) -> None:
        processors = {name: data["ProcessorInfo"]["SupportedArchitectures"] for name, data in INSTANCE_TYPES.items()}
        wrong = [
            name
            for name, supported in processors.items()
            # Macs need an image of their own, which is looked up by its id.
            if not name.startswith("mac") and subject.architecture(name) not in supported
        ]
        assert len(processors) > 1000
        assert wrong == []

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("t4g.nano", "arm64"),
            ("a1.medium", "arm64"),
            ("m6gd.metal", "arm64"),
            ("g5g.xlarge", "arm64"),
            ("is4gen.large", "arm64"),
            ("hpc7g.4xlarge", "arm64"),
            ("t3.micro", "x86_64"),
            ("g4dn.xlarge", "x86_64"),
            ("g6.xlarge", "x86_64"),
            ("gr6.4xlarge", "x86_64"),
            ("m7i-flex.large", "x86_64"),
            ("u-6tb1.metal", "x86_64"),
        ],
    )
    def test_names_that_look_alike(self, name: str, expected: str) -> None:
        assert subject.architecture(name) == expected


class TestImage:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (
                {},
                {"ssm_parameter": "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"},
            ),
            (
                {"image": "ubuntu-22.04", "instance_type": "t4g.small"},
                {"ssm_parameter": "/aws/service/canonical/ubuntu/server/22.04/stable/current/arm64/hvm/ebs-gp2/ami-id"},
            ),
            ({"image": "debian-12"}, {"ssm_parameter": "/aws/service/debian/release/12/latest/amd64"}),
            (
                {"image": "debian-13", "instance_type": "t4g.small"},
                {"ssm_parameter": "/aws/service/debian/release/13/latest/arm64"},
            ),
            (
                {"image": "amazon-linux-2023"},
                {"ssm_parameter": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"},
            ),
            ({"image": "ami-0a1b2c3d"}, {"id": "ami-0a1b2c3d"}),
            ({"image": "/golden/web"}, {"ssm_parameter": "/golden/web"}),
            ({"image": "web-*"}, {"name": "web-*", "owners": ["self"], "architecture": "x86_64"}),
            (
                {"image": "web-*", "image_owner": "123456789012", "instance_type": "m7g.large"},
                {"name": "web-*", "owners": ["123456789012"], "architecture": "arm64"},
            ),
        ],
    )
    def test_how_it_is_found(self, options: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
        assert subject.image_want(instance(**options)) == expected

    @pytest.mark.parametrize(
        ("options", "user"),
        [
            ({}, "ubuntu"),
            ({"image": "debian-12"}, "admin"),
            ({"image": "amazon-linux-2023"}, "ec2-user"),
            ({"image": "ami-1"}, "ubuntu"),
            ({"image": "ami-1", "image_like": "amazon-linux-2023"}, "ec2-user"),
        ],
    )
    def test_its_user(self, options: dict[str, t.Any], user: str) -> None:
        assert subject.image_setup(instance(**options))["user"] == user

    @pytest.mark.parametrize("name", subject.IMAGES)
    def test_every_image_brings_what_the_application_needs(self, name: str) -> None:
        setup = subject.IMAGES[name]
        assert {"git", "python3-boto3"} <= set(setup["packages"])
        # A package named docker does not exist on Debian and Ubuntu.
        assert ("docker" in setup["container_packages"]) is (name == "amazon-linux-2023")
        brought = " ".join([*setup["container_packages"], *setup["container_setup"]])
        assert "compose" in brought
        assert all(line.startswith("docker") for line in setup["container_packages"])

    def test_the_argument_spec_offers_the_images_that_are_known(self) -> None:
        options = argument_specs.role_options()["ec2_app"]["ec2_app_instances"]["options"]
        assert set(options["image_like"]["choices"]) == set(subject.IMAGES)


class TestApplicationConfig:
    def test_where_secrets_are_and_no_secret(self) -> None:
        web = instance(application={"environment": {"APP_ENV": "production"}, "secrets": {"API_KEY": "shop/api#key"}})
        assert subject.application_config(web, "eu-west-3", PARAMETER, ["network", "rds"]) == {
            "region": "eu-west-3",
            "env_file": "/opt/app/.env",
            "environment": {"APP_ENV": "production"},
            "secrets": {"API_KEY": "shop/api#key"},
            "database_parameter": PARAMETER,
            "database_wait": 2400,
        }

    @pytest.mark.parametrize(
        ("options", "tiers"), [({}, ["network"]), ({"database_access": False}, ["network", "rds"])]
    )
    def test_without_a_database(self, options: dict[str, t.Any], tiers: list[str]) -> None:
        config = subject.application_config(instance(**options), "eu-west-3", PARAMETER, tiers)
        assert config["database_parameter"] == ""
        assert (config["environment"], config["secrets"]) == ({}, {})


def policy(tiers: t.Sequence[str] = ("network", "rds"), **options: t.Any) -> list[dict[str, t.Any]]:
    document = subject.instance_policy(
        instance(**options), "aws", "eu-west-3", "123456789012", "shop-prod-db", PARAMETER, tiers
    )
    assert document["Version"] == "2012-10-17"
    return document["Statement"]


#: Sources of secrets, each with what the role needs to read it.
SOURCES = {
    "shop/api": (
        "secretsmanager:GetSecretValue",
        "arn:aws:secretsmanager:eu-west-3:123456789012:secret:shop/api-??????",
    ),
    "shop/mail#key": (
        "secretsmanager:GetSecretValue",
        "arn:aws:secretsmanager:eu-west-3:123456789012:secret:shop/mail-??????",
    ),
    "arn:aws:secretsmanager:eu-west-3:123456789012:secret:x-AbCdEf#key": (
        "secretsmanager:GetSecretValue",
        "arn:aws:secretsmanager:eu-west-3:123456789012:secret:x-AbCdEf",
    ),
    "ssm:/shop/token": ("ssm:GetParameter", "arn:aws:ssm:eu-west-3:123456789012:parameter/shop/token"),
    "ssm:token": ("ssm:GetParameter", "arn:aws:ssm:eu-west-3:123456789012:parameter/token"),
}


class TestPolicy:
    def test_nothing_to_read(self) -> None:
        assert policy(tiers=["network"]) == []
        assert policy(database_access=False) == []

    def test_the_database(self) -> None:
        secret, parameter = policy()
        assert secret == {
            "Sid": "ReadDatabaseSecret",
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue"],
            "Resource": ["arn:aws:secretsmanager:eu-west-3:123456789012:secret:rds!db-*"],
            "Condition": {
                "StringEquals": {
                    "secretsmanager:ResourceTag/aws:rds:primaryDBInstanceArn": (
                        "arn:aws:rds:eu-west-3:123456789012:db:shop-prod-db"
                    )
                }
            },
        }
        assert parameter["Resource"] == ["arn:aws:ssm:eu-west-3:123456789012:parameter/shop/prod/rds"]

    @pytest.mark.parametrize("source", SOURCES)
    def test_a_secret(self, source: str) -> None:
        action, resource = SOURCES[source]
        (statement,) = policy(tiers=["network"], application={"secrets": {"KEY": source}})
        assert (statement["Action"], statement["Resource"]) == ([action], [resource])

    @given(st.lists(st.sampled_from(sorted(SOURCES)), unique=True), st.booleans(), st.booleans())
    def test_least_privilege(self, sources: list[str], rds: bool, access: bool) -> None:
        statements = policy(
            tiers=["network", *(["rds"] if rds else [])],
            database_access=access,
            application={"secrets": {f"KEY{number}": source for number, source in enumerate(sources)}},
        )
        allowed = {(action, resource) for one in statements for action in one["Action"] for resource in one["Resource"]}
        wanted = {SOURCES[source] for source in sources}
        own = "arn:aws:ssm:eu-west-3:123456789012:parameter/shop/prod/rds"
        database = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:rds!db-*"
        if rds and access:
            wanted |= {("ssm:GetParameter", own), ("secretsmanager:GetSecretValue", database)}
        assert allowed == wanted
        assert not any("*" in action for action, _resource in allowed)
        # The database's secret has a name that is not known before; its tag makes up for the wildcard.
        assert all("Condition" in one for one in statements if any("*" in resource for resource in one["Resource"]))

    def test_a_secrets_arn_is_matched_and_its_neighbours_are_not(self) -> None:
        (statement,) = policy(tiers=["network"], application={"secrets": {"KEY": "shop/api"}})
        (pattern,) = statement["Resource"]
        base = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:shop/api"
        assert fnmatch.fnmatchcase(f"{base}-AbC1eF", pattern)
        assert not fnmatch.fnmatchcase(f"{base}-admin-AbC1eF", pattern)

    def test_in_another_partition(self) -> None:
        document = subject.instance_policy(
            instance(), "aws-cn", "cn-north-1", "123456789012", "shop-prod-db", PARAMETER, ["rds"]
        )
        assert "arn:aws:" not in json.dumps(document)


class TestSecurityGroup:
    def test_closed_by_default(self) -> None:
        assert subject.security_group_rules(instance(), "shop-prod") == []

    def test_ports_trusted_networks_and_instances(self) -> None:
        rules = subject.security_group_rules(
            instance(ports=[80, 5085], ssh_from=["203.0.113.7/32"], ssh_from_instances=["bastion"]), "shop-prod"
        )
        source = {
            "group_name": ["shop-prod-bastion"],
            "group_desc": "shop-prod bastion",
            "rule_desc": "From the instance bastion",
        }
        assert rules == [
            {"proto": "tcp", "ports": ["80"], "cidr_ip": ["0.0.0.0/0"], "rule_desc": "From the internet"},
            {"proto": "tcp", "ports": ["5085"], "cidr_ip": ["0.0.0.0/0"], "rule_desc": "From the internet"},
            {"proto": "tcp", "ports": ["22"], "cidr_ip": ["203.0.113.7/32"], "rule_desc": "Trusted"},
            {"proto": "tcp", "ports": ["22"], **source},
            {"proto": "icmp", "icmp_type": -1, "icmp_code": -1, **source},
        ]

    @given(
        st.lists(st.integers(1, 65535).filter(lambda port: port != 22)),
        st.lists(st.sampled_from(["10.0.0.0/8", "203.0.113.7/32"])),
        st.lists(st.sampled_from(["a", "b"])),
    )
    def test_ssh_is_never_open_to_the_world(self, ports: list[int], trusted: list[str], others: list[str]) -> None:
        web = instance(ports=ports, ssh_from=trusted, ssh_from_instances=others)
        for rule in subject.security_group_rules(web, "shop-prod"):
            if "22" in rule.get("ports", []):
                assert "0.0.0.0/0" not in rule.get("cidr_ip", [])


def order(names: dict[str, list[str]]) -> list[str]:
    found = subject.in_group_order([{"name": name, "ssh_from_instances": others} for name, others in names.items()])
    return [one["name"] for one in found]


class TestOrder:
    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            ({}, []),
            ({"a": [], "b": []}, ["a", "b"]),
            ({"a": ["b"], "b": []}, ["b", "a"]),
            ({"a": ["b"], "b": ["c"], "c": []}, ["c", "b", "a"]),
            ({"a": ["b"], "b": ["a"]}, ["a", "b"]),
            ({"a": ["a"], "b": []}, ["b", "a"]),
            ({"a": ["b"], "b": ["a"], "c": []}, ["c", "a", "b"]),
            ({"a": ["gone"]}, ["a"]),
        ],
    )
    def test_table(self, names: dict[str, list[str]], expected: list[str]) -> None:
        assert order(names) == expected

    @given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"))))
    def test_all_are_there_whatever_they_name(self, names: dict[str, list[str]]) -> None:
        assert sorted(order(names)) == sorted(names)

    @given(st.permutations("abcdef"), st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"))))
    def test_without_a_cycle_the_named_one_comes_first(self, given: list[str], edges: list[tuple[str, str]]) -> None:
        names = {name: [min(edge) for edge in edges if max(edge) == name and min(edge) < name] for name in given}
        found = order(names)
        assert all(found.index(other) < found.index(name) for name, others in names.items() for other in others)


class TestPlan:
    @pytest.mark.parametrize(
        ("options", "standing", "action", "identifier"),
        [
            ({}, None, "create", ""),
            ({}, {"id": "i-1", "digest": "new"}, "keep", "i-1"),
            ({"application": {}}, {"id": "i-1", "digest": "old"}, "in_place", "i-1"),
            ({"application": {}, "update": "replace"}, {"id": "i-1", "digest": "old"}, "replace", "i-1"),
            # What is not an application's cannot be brought to a running instance.
            ({}, {"id": "i-1", "digest": "old"}, "replace", "i-1"),
            ({"application": {}}, {"id": "i-1", "digest": ""}, "in_place", "i-1"),
            ({"update": "replace"}, {"id": "i-1", "digest": "new"}, "keep", "i-1"),
        ],
    )
    def test_table(
        self, options: dict[str, t.Any], standing: dict[str, str] | None, action: str, identifier: str
    ) -> None:
        web = instance(**options)
        (planned,) = subject.instance_plan([web], {"web": standing} if standing else {}, {"web": "new"})
        assert (planned["action"], planned["id"], planned["digest"]) == (action, identifier, "new")
        assert planned["reason"]
        assert {key: planned[key] for key in web} == web


class TestFacts:
    def test_nothing(self) -> None:
        assert subject.ec2_app_facts([], "shop-prod") == {}

    def test_an_instance(self) -> None:
        found = {
            "instance_id": "i-1",
            "state": {"name": "running"},
            "instance_type": "t3.micro",
            "image_id": "ami-1",
            "private_ip_address": "10.0.0.4",
            "iam_instance_profile": {"arn": "arn:aws:iam::1:instance-profile/shop/prod/web"},
            "metadata_options": {"http_tokens": "required"},
            "tags": {"Name": "shop-prod-web", "UserDataDigest": "abc"},
        }
        facts = subject.ec2_app_facts([found], "shop-prod")["web"]
        assert facts["id"] == "i-1"
        assert (facts["state"], facts["private_ip"], facts["public_ip"]) == ("running", "10.0.0.4", "")
        assert facts["profile"].endswith("instance-profile/shop/prod/web")
        assert facts["digest"] == "abc"

    def test_of_two_with_one_name_the_newer_counts(self) -> None:
        found = [
            {
                "instance_id": "i-2",
                "state": {"name": "running"},
                "launch_time": "2026-02-01",
                "tags": {"Name": "p-web"},
            },
            {
                "instance_id": "i-1",
                "state": {"name": "stopped"},
                "launch_time": "2026-01-01",
                "tags": {"Name": "p-web"},
            },
        ]
        assert subject.ec2_app_facts(found, "p")["web"]["id"] == "i-2"

    def test_no_database(self) -> None:
        facts = subject.rds_facts([], "shop-prod-db")
        assert (facts["identifier"], facts["arn"], facts["status"]) == ("shop-prod-db", "", "absent")
        assert facts["connection"] == {"engine": "", "host": "", "port": 0, "name": "", "secret_arn": ""}

    def test_a_database_and_one_that_has_no_endpoint_yet(self) -> None:
        starting = {
            "db_instance_arn": "arn:aws:rds:eu-west-3:1:db:shop-prod-db",
            "db_instance_status": "creating",
            "engine": "mysql",
            "db_name": "shop",
            "vpc_security_groups": [{"vpc_security_group_id": "sg-1", "status": "active"}],
        }
        running = {
            **starting,
            "db_instance_status": "available",
            "endpoint": {"address": "db.example.com", "port": 3306},
            "master_user_secret": {"secret_arn": "arn:secret", "secret_status": "active"},
        }
        assert subject.rds_facts([starting], "x")["connection"]["host"] == ""
        facts = subject.rds_facts([running], "x")
        assert facts["security_groups"] == ["sg-1"]
        assert facts["connection"] == {
            "engine": "mysql",
            "host": "db.example.com",
            "port": 3306,
            "name": "shop",
            "secret_arn": "arn:secret",
        }

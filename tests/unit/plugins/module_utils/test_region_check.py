# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sentences that tell what a region lacks, and the choice of images and versions."""

from __future__ import annotations

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import region_check as check
from ansible_collections.palier.aws.plugins.module_utils.region_check import Database, Item

NOW = "2026-01-15T12:00:00"


@pytest.mark.parametrize(
    ("raw", "item"),
    [
        ("t3.micro", Item("t3.micro")),
        (2, Item(2)),
        ({"value": "t3.micro", "variable": "x.y"}, Item("t3.micro", "x.y")),
        ({"value": "t3.micro"}, Item("t3.micro")),
    ],
)
def test_item(raw, item):
    assert check.read_item(raw, "instance_types") == item


@pytest.mark.parametrize("raw", [{"variable": "x"}, {"value": 1, "varable": "x"}])
def test_item_is_refused(raw):
    with pytest.raises(AnsibleAWSError, match="instance_types"):
        check.read_item(raw, "instance_types")


def test_missing_type_names_variable_value_and_nearest():
    missing = check.missing_types([Item("t3.mikro", "app.type"), Item("t3.micro")], {"t3.micro"})
    assert missing == [Item("t3.mikro", "app.type")]
    (problem,) = check.type_problems(missing, "eu-west-3", ["t3.micro", "x2gd.metal", "t3a.micro"])
    assert problem == "app.type: eu-west-3 has no instance type t3.mikro; the nearest are t3.micro, t3a.micro"


def test_nothing_alike_is_not_made_up():
    (problem,) = check.type_problems([Item("banana")], "eu-west-3", ["t3.micro"])
    assert problem == "eu-west-3 has no instance type banana"


def test_zones():
    zones = ["eu-west-3a", "eu-west-3b"]
    names = [Item("eu-west-3a"), Item("eu-west-3z", "zones[1]")]
    assert check.zone_problems(names, Item(2), "eu-west-3", zones) == [
        "zones[1]: eu-west-3 has no availability zone eu-west-3z for this account; it has eu-west-3a, eu-west-3b"
    ]
    assert check.zone_problems([], Item("3", "network_zones"), "eu-west-3", zones) == [
        "network_zones: 3 availability zones are needed, eu-west-3 has 2: eu-west-3a, eu-west-3b"
    ]
    assert check.zone_problems([], None, "eu-west-3", []) == []


def test_zones_of_types():
    offerings = [{"InstanceType": "t3.micro", "Location": zone} for zone in ("b", "a")]
    assert check.zones_of_types(offerings) == {"t3.micro": ["a", "b"]}


def image(identifier, created, **more):
    return {"ImageId": identifier, "CreationDate": created, **more}


@pytest.mark.parametrize(
    ("images", "chosen"),
    [
        ([], None),
        ([image("ami-1", "2025-01-01"), image("ami-2", "2025-06-01")], "ami-2"),
        (
            [image("ami-1", "2025-01-01"), image("ami-2", "2025-06-01", DeprecationTime="2025-12-01T00:00:00.000Z")],
            "ami-1",
        ),
        ([image("ami-2", "2025-06-01", DeprecationTime="2027-12-01T00:00:00.000Z")], "ami-2"),
        ([image("ami-1", "2025-01-01"), image("ami-2", "2025-06-01", State="pending")], "ami-1"),
        ([image("ami-2", "2025-01-01"), image("ami-1", "2025-01-01")], "ami-2"),
    ],
)
def test_newest_image(images, chosen):
    found = check.newest_image(images, NOW)
    assert (found and found["ImageId"]) == chosen


BY_NAME = {"name": "debian-12-*", "owners": ["136693071363"], "architecture": "x86_64", "variable": "app.image"}


def test_image_problem_tells_other_architectures():
    assert check.image_problem(BY_NAME, "eu-west-3") == (
        "app.image: eu-west-3 has no image named debian-12-* for x86_64 by 136693071363"
    )
    assert check.image_problem(BY_NAME, "eu-west-3", {"arm64"}).endswith("; that name exists for arm64")
    assert check.image_problem({"id": "ami-1"}, "eu-west-3") == "eu-west-3 has no image ami-1"
    assert "public parameter /x" in check.image_problem({"ssm_parameter": "/x"}, "eu-west-3")


@pytest.mark.parametrize(
    ("kind", "built_for", "runs", "wrong"),
    [
        ("t4g.micro", "x86_64", ["arm64"], True),
        ("t4g.micro", "arm64", ["arm64"], False),
        ("t2.micro", "x86_64", ["i386", "x86_64"], False),
        (None, "arm64", ["x86_64"], False),
        ("t4g.micro", "x86_64", [], False),
    ],
)
def test_architecture(kind, built_for, runs, wrong):
    item = {"id": "ami-1", "instance_type": kind}
    found = check.architecture_problem(item, image("ami-1", "", Architecture=built_for), runs)
    assert (found is not None) is wrong


def versions(*numbers):
    return [{"EngineVersion": number} for number in numbers]


POSTGRES = versions("14.9", "15.4", "15.10", "16.2", "16.3")
MYSQL = versions("5.7.44", "8.0.35", "8.0.36", "8.4.3")


def numbers(found):
    return [version["EngineVersion"] for version in found]


@pytest.mark.parametrize(
    ("available", "wanted", "found"),
    [
        (POSTGRES, "15", ["15.10", "15.4"]),
        (POSTGRES, "15.4", ["15.4"]),
        (POSTGRES, "1", []),
        (MYSQL, "8.0", ["8.0.36", "8.0.35"]),
        (MYSQL, "8", ["8.4.3", "8.0.36", "8.0.35"]),
    ],
)
def test_matching_versions(available, wanted, found):
    assert numbers(check.matching_versions(available, wanted)) == found


@pytest.mark.parametrize(
    ("engine", "available", "wanted", "near"),
    [
        ("postgres", POSTGRES, "15.99", ["15.10", "15.4"]),
        ("postgres", POSTGRES, "99", ["16.3", "15.10", "14.9"]),
        ("mysql", MYSQL, "8.0.99", ["8.0.36", "8.0.35"]),
        ("mysql", MYSQL, "9.9", ["8.4.3", "8.0.36", "5.7.44"]),
    ],
)
def test_nearest_versions(engine, available, wanted, near):
    assert check.nearest_versions(engine, available, wanted) == near


WANTED = Database(
    "mysql",
    "8.0",
    "db.t2.micro",
    "gp3",
    ["storage_encryption"],
    {"engine": "rds_engine", "storage_type": "rds_storage"},
)


def test_database_sentences():
    assert check.engine_problem(Database("mysq", variables={"engine": "rds_engine"}), "eu-west-3").startswith(
        "rds_engine: RDS in eu-west-3 has no engine mysq; the nearest is mysql"
    )
    assert check.version_problem(Database("postgres", "15.99"), "eu-west-3", POSTGRES) == (
        "RDS in eu-west-3 has no postgres 15.99; the nearest are 15.10, 15.4"
    )
    assert check.class_problem(WANTED, "eu-west-3", {"db.t3.micro", "db.x2g.large"}) == (
        "RDS in eu-west-3 has no db.t2.micro for mysql 8.0; the nearest is db.t3.micro"
    )


def test_what_a_class_lacks():
    rows = [{"StorageType": "gp2", "SupportsStorageEncryption": False}]
    assert check.orderable_problems(WANTED, "eu-west-3", rows) == [
        "rds_storage: db.t2.micro for mysql 8.0 in eu-west-3 has no storage type gp3; it has gp2",
        "db.t2.micro for mysql 8.0 in eu-west-3 does not support storage_encryption",
    ]
    fine = [{"StorageType": "gp3", "SupportsStorageEncryption": True}, *rows]
    assert check.orderable_problems(WANTED, "eu-west-3", fine) == []


def test_features_are_those_of_the_storage_type():
    rows = [
        {"StorageType": "gp3", "SupportsStorageEncryption": False},
        {"StorageType": "io1", "SupportsStorageEncryption": True},
    ]
    assert len(check.orderable_problems(WANTED, "eu-west-3", rows)) == 1

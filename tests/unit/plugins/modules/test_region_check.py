# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module against an in-process AWS for EC2, and a scripted RDS, whose catalogue that one lacks."""

from __future__ import annotations

import fnmatch
import json

import moto
import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.modules import region_check
from botocore.exceptions import ClientError, EndpointConnectionError

REGION = "eu-west-3"
AL2023 = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"


class Pages:
    def __init__(self, key, rows):
        self.key, self.rows = key, rows

    def paginate(self, **parameters):
        self.rows = [
            row for row in self.rows if all(row.get(name, value) == value for name, value in parameters.items())
        ]
        return self

    def build_full_result(self):
        return {self.key: self.rows}


class ScriptedRds:
    """RDS's catalogue of two engines, filtered by equality as RDS does."""

    versions = [
        {
            "Engine": engine,
            "EngineVersion": number,
            "DBParameterGroupFamily": family,
            "ExportableLogTypes": ["error"],
            "DefaultOnly": number == "8.0.36",
        }
        for engine, number, family in (
            ("mysql", "8.0.35", "mysql8.0"),
            ("mysql", "8.0.36", "mysql8.0"),
            ("mysql", "8.4.3", "mysql8.4"),
            ("postgres", "15.4", "postgres15"),
        )
    ]
    rows = [
        {
            "Engine": "mysql",
            "EngineVersion": number,
            "DBInstanceClass": kind,
            "StorageType": "gp3",
            "SupportsStorageEncryption": kind != "db.t2.micro",
            "AvailabilityZones": [{"Name": "eu-west-3a"}],
        }
        for number in ("8.0.35", "8.0.36")
        for kind in ("db.t3.micro", "db.t2.micro")
    ]

    def get_paginator(self, operation):
        if operation == "describe_db_engine_versions":
            return Pages("DBEngineVersions", self.versions)
        return Pages("OrderableDBInstanceOptions", self.rows)


@pytest.fixture
def aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    original = region_check.AnsibleAWSModule.client

    def client(self, service, **kwargs):
        return ScriptedRds() if service == "rds" else original(self, service, **kwargs)

    monkeypatch.setattr(region_check.AnsibleAWSModule, "client", client)
    with moto.mock_aws():
        yield


def task(check_mode=False, **arguments):
    arguments = {"region": REGION, **arguments, "_ansible_check_mode": check_mode}
    with patch_module_args(arguments):
        module = region_check.AnsibleAWSModule(argument_spec=region_check.ARGUMENTS, supports_check_mode=True)
        return region_check.run(module)


def test_all_there(aws):
    result = task(
        instance_types=["t3.micro", {"value": "t4g.micro", "variable": "x"}],
        availability_zones=["eu-west-3a"],
        availability_zone_count=3,
        db=[{"engine": "mysql", "engine_version": "8.0", "db_instance_class": "db.t3.micro", "storage_type": "gp3"}],
        images=[{"key": "web", "ssm_parameter": AL2023, "instance_type": "t3.micro"}],
    )
    assert result["problems"] == []
    assert result["changed"] is False
    assert result["account_id"] == "123456789012"
    assert result["partition"] == "aws"
    assert result["zones"] == ["eu-west-3a", "eu-west-3b", "eu-west-3c"]
    assert result["instance_types"]["t4g.micro"]["architectures"] == ["arm64"]
    assert set(result["instance_types"]["t3.micro"]["zones"]) <= set(result["zones"])
    assert result["db"][0]["engine_version"] == "8.0.36"
    assert result["db"][0]["parameter_group_family"] == "mysql8.0"
    assert result["images"][0]["key"] == "web"
    assert result["images"][0]["image_id"].startswith("ami-")


def test_check_mode_tells_the_same(aws):
    assert task(check_mode=True, instance_types=["t3.micro"]) == task(instance_types=["t3.micro"])


def test_nothing_asked(aws):
    result = task()
    assert result["problems"] == []
    assert len(result["zones"]) == 3


def test_all_problems_at_once(aws):
    result = task(
        fail=False,
        instance_types=[{"value": "t3.mikro", "variable": "app.type"}],
        availability_zones=["eu-west-3z"],
        availability_zone_count={"value": 4, "variable": "network_zones"},
        db=[
            {"engine": "mysqll"},
            {"engine": "postgres", "engine_version": "99", "variables": {"engine_version": "rds_engine_version"}},
            {"engine": "mysql", "engine_version": "8.0", "db_instance_class": "db.t3.mikro"},
            {"engine": "mysql", "db_instance_class": "db.t2.micro", "features": ["storage_encryption"]},
            {"engine": "mysql", "engine_version": "8.4", "db_instance_class": "db.t3.micro"},
        ],
        images=[
            {"id": "ami-00000000000000000", "variable": "app.image"},
            {"id": "nonsense"},
            {"name": "no-such-*"},
            {"ssm_parameter": "/aws/service/none"},
        ],
    )
    assert [problem.split(";")[0] for problem in result["problems"]] == [
        "app.type: eu-west-3 has no instance type t3.mikro",
        "eu-west-3 has no availability zone eu-west-3z for this account",
        "network_zones: 4 availability zones are needed, eu-west-3 has 3: eu-west-3a, eu-west-3b, eu-west-3c",
        "RDS in eu-west-3 has no engine mysqll",
        "rds_engine_version: RDS in eu-west-3 has no postgres 99",
        "RDS in eu-west-3 has no db.t3.mikro for mysql 8.0",
        "db.t2.micro for mysql in eu-west-3 does not support storage_encryption",
        "RDS in eu-west-3 has no db.t3.micro for mysql 8.4",
        "app.image: eu-west-3 has no image ami-00000000000000000",
        "eu-west-3 has no image nonsense",
        "eu-west-3 has no image named no-such-* for x86_64 by amazon",
        "eu-west-3 has no public parameter /aws/service/none",
    ]
    assert "t3.micro" in result["problems"][0]
    assert result["images"] == [None] * 4
    assert result["db"][3]["engine_version"] == "8.0.36"


def test_problems_fail_the_task(aws, capsys):
    with pytest.raises(SystemExit):
        task(instance_types=["t3.mikro"], availability_zone_count=9)
    result = json.loads(capsys.readouterr().out)
    assert result["failed"]
    assert len(result["problems"]) == 2
    assert result["msg"].count("\n- ") == 2


IMAGES = [
    {"ImageId": "ami-1", "Name": "app-1", "Architecture": "x86_64", "CreationDate": "2025-01-01T00:00:00.000Z"},
    {"ImageId": "ami-2", "Name": "app-2", "Architecture": "x86_64", "CreationDate": "2025-02-01T00:00:00.000Z"},
    {"ImageId": "ami-3", "Name": "app-3", "Architecture": "arm64", "CreationDate": "2025-03-01T00:00:00.000Z"},
]


@pytest.fixture
def images(aws, monkeypatch):
    """Images with architectures, which the in-process AWS forgets."""

    def describe(client, ImageIds=None, Owners=None, Filters=()):  # noqa: N803 (AWS's names)
        wanted = {item["Name"]: item["Values"] for item in Filters}
        return [
            image
            for image in IMAGES
            if (ImageIds is None or image["ImageId"] in ImageIds)
            and (Owners is None or Owners == ["self"])
            and image["Architecture"] in wanted.get("architecture", [image["Architecture"]])
            and fnmatch.fnmatch(image["Name"], wanted.get("name", ["*"])[0])
        ]

    monkeypatch.setattr(region_check.api, "describe_images", describe)


def test_newest_image_by_name_and_architecture(images):
    find = {"name": "app-*", "owners": ["self"]}
    result = task(
        images=[find, {**find, "instance_type": "t4g.micro"}, {**find, "architecture": "arm64"}, {"id": "ami-1"}]
    )
    assert [image["image_id"] for image in result["images"]] == ["ami-2", "ami-3", "ami-3", "ami-1"]


def test_image_of_another_architecture_only(images):
    item = {"name": "app-3", "owners": ["self"], "variable": "app.image"}
    assert task(fail=False, images=[item])["problems"] == [
        "app.image: eu-west-3 has no image named app-3 for x86_64 by self; that name exists for arm64"
    ]


def test_image_that_the_instance_type_cannot_run(images):
    item = {"id": "ami-3", "instance_type": "t3.micro", "variable": "app.image"}
    assert task(fail=False, images=[item])["problems"] == [
        "app.image: image ami-3 is built for arm64, and t3.micro runs x86_64"
    ]


def test_unknown_type_of_an_image_is_told_by_the_images_variable(aws):
    result = task(fail=False, images=[{"ssm_parameter": AL2023, "instance_type": "t3.mikro", "variable": "app.image"}])
    assert result["problems"][0].startswith("app.image: eu-west-3 has no instance type t3.mikro")


class Refusing:
    def __init__(self, error):
        self.error = error

    def __getattr__(self, name):
        def call(**_parameters):
            raise self.error

        return call


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (EndpointConnectionError(endpoint_url="https://x"), "eu-west-33 cannot be reached; the nearest are eu-west-3"),
        (ClientError({"Error": {"Code": "AuthFailure", "Message": ""}}, "x"), "has not enabled it"),
        (ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "not yours"}}, "x"), "not yours"),
    ],
)
def test_region_that_is_not_there(monkeypatch, error, said):
    monkeypatch.setattr(region_check.AnsibleAWSModule, "client", lambda self, service, **_: Refusing(error))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with pytest.raises(AnsibleAWSError, match=said):
        task(region="eu-west-33")

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: region_check
version_added: 0.1.0
short_description: Tell before the first change whether a region has what a stack asks for
description:
  - Looks up instance types, database classes and versions, availability zones and images in one region, and reports all
    that is missing at once, each with the nearest that exists and, where given, the variable that asks for it.
  - Resolves images and the account, so that a play needs no other look-up for these.
  - Only reads. It runs in check mode as in a real run and never changes anything.
author: The palier.aws authors (@palier)
options:
  instance_types:
    description: EC2 instance types. Each is a name, or a dict of C(value) and C(variable).
    type: list
    elements: raw
    default: []
  availability_zones:
    description: Names of zones that must exist. Each is a name, or a dict of C(value) and C(variable).
    type: list
    elements: raw
    default: []
  availability_zone_count:
    description: How many zones are needed, as a number or a dict of C(value) and C(variable).
    type: raw
  db:
    description: Kinds of databases.
    type: list
    elements: dict
    default: []
    suboptions:
      engine:
        description: The engine, for example V(mysql) or V(postgres).
        type: str
        required: true
      engine_version:
        description: A version, or the leading part of one. Not given, RDS's default version is looked at.
        type: str
      db_instance_class:
        description: The compute class.
        type: str
      storage_type:
        description: The kind of storage. Looked at together with the class.
        type: str
      features:
        description: What the class must support.
        type: list
        elements: str
        default: []
        choices:
          - enhanced_monitoring
          - iam_database_authentication
          - multi_az
          - performance_insights
          - read_replica
          - storage_autoscaling
          - storage_encryption
      variables:
        description: For each of the keys above (or a feature's name) the inventory variable it comes from.
        type: dict
        default: {}
  images:
    description: Machine images. Each is found in one of three ways.
    type: list
    elements: dict
    default: []
    suboptions:
      key:
        description: A name by which RV(images) tells the image again.
        type: str
      id:
        description: The image's id.
        type: str
      name:
        description:
          - The image's name, V(*) and V(?) standing for any text and any character.
          - The newest that is available and not deprecated is taken.
        type: str
      ssm_parameter:
        description: A Systems Manager parameter that holds the image's id.
        type: str
      owners:
        description: Who may own an image found by name, as account ids, V(amazon), V(aws-marketplace) or V(self).
        type: list
        elements: str
        default: [amazon]
      architecture:
        description:
          - The architecture of an image found by name. Not given, it is that of O(images[].instance_type), else x86_64.
        type: str
        choices: [x86_64, arm64, i386]
      instance_type:
        description: The instance type that shall run the image. One that cannot is a problem.
        type: str
      variable:
        description: The inventory variable that asks for the image.
        type: str
  fail:
    description: Whether a problem fails the task. With V(false) they are only returned.
    type: bool
    default: true
notes:
  - The permissions needed are C(ec2:DescribeAvailabilityZones), C(ec2:DescribeInstanceTypeOfferings),
    C(ec2:DescribeInstanceTypes), C(ec2:DescribeImages), C(ssm:GetParameter), C(rds:DescribeDBEngineVersions) and
    C(rds:DescribeOrderableDBInstanceOptions), each only where it is asked for.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Check what the region has
  palier.aws.region_check:
    region: eu-west-3
    instance_types:
      - value: t3.micro
        variable: ec2_app_instances[0].instance_type
    availability_zone_count:
      value: 2
      variable: network_zones
    db:
      - engine: postgres
        engine_version: "15"
        db_instance_class: db.t3.micro
        storage_type: gp3
        features: [storage_encryption, multi_az]
        variables:
          engine: rds_engine
          engine_version: rds_engine_version
          db_instance_class: rds_instance_class
    images:
      - key: web
        name: ubuntu/images/hvm-ssd*/ubuntu-jammy-22.04-amd64-server-*
        owners: ["099720109477"]
        instance_type: t3.micro
        variable: ec2_app_instances[0].image
      - key: tools
        ssm_parameter: /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64
  register: __stack_region
"""

RETURN = r"""
problems:
  description: What is missing, one sentence each, led by its variable. Empty when all is there.
  returned: always
  type: list
  elements: str
  sample:
    - "ec2_app_instances[0].instance_type: eu-west-3 has no instance type t3.mikro; the nearest are t3.micro, t2.micro"
account_id:
  description: The account.
  returned: always
  type: str
partition:
  description: V(aws), V(aws-cn) or V(aws-us-gov).
  returned: always
  type: str
region:
  description: The region.
  returned: always
  type: str
zones:
  description: The region's availability zones that need no opting in, sorted.
  returned: always
  type: list
  elements: str
instance_types:
  description: For each instance type that exists its C(architectures) and the C(zones) that offer it.
  returned: always
  type: dict
db:
  description:
    - For each database asked for, in the same order, the newest version that will do, its C(parameter_group_family) and
      C(log_types), and what the class can (C(storage_types), C(availability_zones), C(features)).
    - Null for one that cannot be had.
  returned: always
  type: list
  elements: dict
images:
  description: For each image asked for, in the same order, its C(key) and what it resolves to. Null for one not found.
  returned: always
  type: list
  elements: dict
  contains:
    key: {description: The C(key) that it was asked for by., type: str}
    image_id: {description: The image., type: str}
    name: {description: Its name., type: str}
    owner_id: {description: The account that owns it., type: str}
    architecture: {description: What it is built for., type: str}
    creation_date: {description: "When it was made, ISO 8601.", type: str}
    root_device_name: {description: "The device of its root volume, for example /dev/xvda.", type: str}
    deprecated: {description: Whether its owner advises against it. Only an image asked for by id can be., type: bool}
"""

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import region_check as check
from ansible_collections.palier.aws.plugins.module_utils import region_check_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module

Params = t.Mapping[str, t.Any]
Record = t.Mapping[str, t.Any]

#: The problems of one thing asked for, and what is known of it where it can be had.
Findings = tuple[list[str], dict[str, t.Any] | None]

#: Calls under way at once: a stack asks for a handful of things, and each takes a round trip or two.
WORKERS = 8

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "instance_types": {"type": "list", "elements": "raw", "default": []},
    "availability_zones": {"type": "list", "elements": "raw", "default": []},
    "availability_zone_count": {"type": "raw"},
    "db": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "engine": {"type": "str", "required": True},
            "engine_version": {"type": "str"},
            "db_instance_class": {"type": "str"},
            "storage_type": {"type": "str"},
            "features": {"type": "list", "elements": "str", "default": [], "choices": sorted(check.DB_FEATURES)},
            "variables": {"type": "dict", "default": {}},
        },
    },
    "images": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "key": {"type": "str", "no_log": False},
            "id": {"type": "str"},
            "name": {"type": "str"},
            "ssm_parameter": {"type": "str"},
            "owners": {"type": "list", "elements": "str", "default": ["amazon"]},
            "architecture": {"type": "str", "choices": ["x86_64", "arm64", "i386"]},
            "instance_type": {"type": "str"},
            "variable": {"type": "str"},
        },
        "mutually_exclusive": [("id", "name", "ssm_parameter")],
        "required_one_of": [("id", "name", "ssm_parameter")],
    },
    "fail": {"type": "bool", "default": True},
}


class Region:
    """The look-ups in one region. Its clients are made up front, since only calls may go on side by side."""

    def __init__(self, module: AnsibleAWSModule) -> None:
        self.name = module.region
        self.now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        params = module.params
        self.sts = module.client("sts")
        self.ec2 = module.client("ec2")
        self.rds = module.client("rds") if params["db"] else None
        self.ssm = module.client("ssm") if any(item["ssm_parameter"] for item in params["images"]) else None

    def zones(self) -> list[str]:
        return sorted(zone["ZoneName"] for zone in api.availability_zones(self.ec2))

    def types(self, items: list[check.Item]) -> tuple[list[str], dict[str, Record]]:
        """Problems, and the zones and architectures of each instance type that there is."""
        names = sorted({item.value for item in items})
        if not names:
            return [], {}
        zones = check.zones_of_types(api.zone_offerings(self.ec2, names))
        missing = check.missing_types(items, zones)
        problems = check.type_problems(missing, self.name, self.all_types()) if missing else []
        found = api.instance_types(self.ec2, sorted(zones)) if zones else []
        architectures = {kind["InstanceType"]: kind["ProcessorInfo"]["SupportedArchitectures"] for kind in found}
        return problems, {
            name: {"zones": zones[name], "architectures": sorted(architectures.get(name, []))} for name in zones
        }

    def all_types(self) -> list[str]:
        return [offering["InstanceType"] for offering in api.region_offerings(self.ec2)]

    def database(self, wanted: check.Database) -> Findings:
        """Problems, and what is known of a database that can be had."""
        versions = api.engine_versions(self.rds, wanted.engine)
        if not versions:
            return [check.engine_problem(wanted, self.name)], None
        matching = self.versions(wanted, versions)
        if not matching:
            return [check.version_problem(wanted, self.name, versions)], None
        if wanted.db_instance_class is None:
            return [], check.database_facts(wanted, matching[0], [])
        return self.database_class(wanted, matching)

    def versions(self, wanted: check.Database, versions: list[Record]) -> list[Record]:
        if wanted.engine_version is None:
            return api.engine_versions(self.rds, wanted.engine, DefaultOnly=True)
        return check.matching_versions(versions, wanted.engine_version)

    def database_class(self, wanted: check.Database, matching: list[Record]) -> Findings:
        rows = api.orderable_options(self.rds, Engine=wanted.engine, DBInstanceClass=wanted.db_instance_class)
        by_version: dict[str, list[Record]] = {}
        for row in rows:
            by_version.setdefault(row["EngineVersion"], []).append(row)
        version = next((version for version in matching if version["EngineVersion"] in by_version), None)
        if version is None:
            return [check.class_problem(wanted, self.name, self.classes(wanted.engine, matching[0]))], None
        chosen = by_version[version["EngineVersion"]]
        return check.orderable_problems(wanted, self.name, chosen), check.database_facts(wanted, version, chosen)

    def classes(self, engine: str, version: Record) -> set[str]:
        rows = api.orderable_options(self.rds, Engine=engine, EngineVersion=version["EngineVersion"])
        return {row["DBInstanceClass"] for row in rows}

    def image(self, item: Record, types: dict[str, Record]) -> Findings:
        """Problems, and the image that an item resolves to."""
        runs = types.get(item["instance_type"], {}).get("architectures", [])
        image, others = self.find_image(item, item["architecture"] or default_architecture(runs))
        if image is None:
            return [check.image_problem(wished(item, runs), self.name, others)], None
        problem = check.architecture_problem(wished(item, runs), image, runs)
        return [problem] if problem else [], check.image_facts(item, image, self.now)

    def find_image(self, item: Record, architecture: str) -> tuple[Record | None, t.Collection[str]]:
        """The image, or ``None`` and the other architectures that have one of that name."""
        if item["name"] is None:
            identifier = item["id"] or api.parameter_value(self.ssm, item["ssm_parameter"])
            images = api.describe_images(self.ec2, ImageIds=[identifier]) if identifier else []
            return next(iter(images), None), []
        by_name = {"Name": "name", "Values": [item["name"]]}
        by_architecture = {"Name": "architecture", "Values": [architecture]}
        images = api.describe_images(self.ec2, Owners=item["owners"], Filters=[by_name, by_architecture])
        image = check.newest_image(images, self.now)
        if image is not None:
            return image, []
        others = api.describe_images(self.ec2, Owners=item["owners"], Filters=[by_name])
        return None, {other.get("Architecture") for other in others} - {architecture, None}


def default_architecture(architectures: list[str]) -> str:
    """What an image is looked for when only the instance type, or nothing, is known."""
    return "x86_64" if not architectures or "x86_64" in architectures else architectures[0]


def wished(item: Record, architectures: list[str]) -> dict[str, t.Any]:
    return {**item, "architecture": item["architecture"] or default_architecture(architectures)}


def type_items(params: Params) -> list[check.Item]:
    """The instance types asked for, those of the images among them, each once a variable."""
    items = [check.read_item(raw, "instance_types") for raw in params["instance_types"]]
    named = {item.value for item in items}
    images = [
        check.Item(image["instance_type"], image["variable"] or "")
        for image in params["images"]
        if image["instance_type"] and image["instance_type"] not in named
    ]
    return items + images


def look_up(module: AnsibleAWSModule) -> tuple[list[str], dict[str, t.Any]]:
    """Everything that the task asks about, looked up side by side; returns problems and findings."""
    params = module.params
    types = type_items(params)
    names = [check.read_item(raw, "availability_zones") for raw in params["availability_zones"]]
    count = params["availability_zone_count"]
    count = None if count is None else check.read_item(count, "availability_zone_count")
    databases = [check.Database(**item) for item in params["db"]]
    region = Region(module)
    with ThreadPoolExecutor(WORKERS) as pool:
        identity = pool.submit(api.caller_identity, region.sts)
        zones = pool.submit(region.zones)
        asked = [pool.submit(region.database, wanted) for wanted in databases]
        type_problems, type_facts = pool.submit(region.types, types).result()
        images = list(pool.map(lambda item: region.image(item, type_facts), params["images"]))
        db = [future.result() for future in asked]
    problems = [
        *type_problems,
        *check.zone_problems(names, count, region.name, zones.result()),
        *(problem for found, _facts in [*db, *images] for problem in found),
    ]
    return problems, {
        **account_facts(identity.result()),
        "region": region.name,
        "zones": zones.result(),
        "instance_types": type_facts,
        "db": [facts for _problems, facts in db],
        "images": [facts for _problems, facts in images],
    }


def account_facts(identity: dict[str, str]) -> dict[str, str]:
    return {"account_id": identity["Account"], "partition": identity["Arn"].split(":")[1]}


def explain(error: AnsibleAWSError, region: str) -> AnsibleAWSError:
    """A region that does not exist or is not enabled shows as a failed connection or as bad credentials."""
    cause = error.exception
    code = getattr(cause, "response", {}).get("Error", {}).get("Code")
    if type(cause).__name__ == "EndpointConnectionError":
        import boto3

        regions = boto3.session.Session().get_available_regions("ec2")
        hint = f"region {region} cannot be reached"
        if region not in regions:
            hint += check.instead(check.nearest(region, regions))
    elif code in {"AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException"}:
        hint = f"region {region} does not take these credentials: they are wrong, or the account has not enabled it"
    else:
        return error
    return AnsibleAWSError(message=hint, exception=cause)


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    try:
        problems, findings = look_up(module)
    except AnsibleAWSError as error:
        raise explain(error, module.region) from error
    result = {"changed": False, "problems": problems, **findings}
    if problems and module.params["fail"]:
        lines = "".join(f"\n- {problem}" for problem in problems)
        module.fail_json(msg=f"region {module.region} lacks what is asked for:{lines}", **result)
    return result


def main() -> None:
    run_module(AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()

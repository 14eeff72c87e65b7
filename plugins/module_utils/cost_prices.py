# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a price is looked for in the AWS Price List, and read from what it answers.

A question is answered by one price or by none: where several products with different prices match, the price file is
the better source. All of it is pure.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass

#: Usage types begin with a short name of the region (C(EUW3-)), but for those of us-east-1.
START = r"(^|-)"


@dataclass(frozen=True)
class Question:
    """What to ask C(GetProducts), and which of the products answer it.

    :param service: the service code.
    :param filters: attributes that must have these values.
    :param usage: what the usage type must match.
    :param unit: what the unit must start with, in any case.
    :param share: what part of the price's unit ours is.
    """

    service: str
    filters: tuple[tuple[str, str], ...]
    usage: str
    unit: str
    share: float = 1.0


def question(key: str, region: str) -> Question | None:
    """The question for the price of that key, as the price file calls it. C(None) where the list is not asked."""
    service, _dot, kind = key.partition(".")
    if service == "ec2" and kind != "credits":
        return _ec2(kind, region)
    if service == "rds" and kind.count(".") >= 2 and not kind.startswith("storage"):
        engine, _dot, instance_class = kind.partition(".")
        return _rds(engine, instance_class, region)
    found = QUESTIONS.get(key)
    if not found:
        return None
    where = () if found.service in GLOBAL else (("regionCode", region),)
    return Question(found.service, (*where, *found.filters), found.usage, found.unit, found.share)


def _ec2(instance_type: str, region: str) -> Question | None:
    if instance_type.count(".") != 1:
        return None  # of another platform than Linux
    filters = {
        "regionCode": region,
        "instanceType": instance_type,
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
    }
    return Question("AmazonEC2", tuple(filters.items()), rf"{START}BoxUsage:", "hrs")


#: Engines as the price list calls them.
ENGINES = {"postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}


def _rds(engine: str, instance_class: str, region: str) -> Question | None:
    if engine not in ENGINES:
        return None
    filters = {
        "regionCode": region,
        "instanceType": instance_class,
        "databaseEngine": ENGINES[engine],
        "deploymentOption": "Single-AZ",
    }
    return Question("AmazonRDS", tuple(filters.items()), rf"{START}InstanceUsage:", "hrs")


def _family(name: str, **others: str) -> tuple[tuple[str, str], ...]:
    return (("productFamily", name), *others.items())


def _volume(kind: str) -> Question:
    return Question("AmazonEC2", _family("Storage", volumeApiName=kind), rf"{START}EBS:VolumeUsage", "gb-mo")


def _balancer(kind: str, usage: str, unit: str) -> Question:
    return Question("AWSELB", _family(f"Load Balancer-{kind}", locationType="AWS Region"), rf"{START}{usage}$", unit)


def _database_storage(usage: str) -> Question:
    filters = _family("Database Storage", deploymentOption="Single-AZ")
    return Question("AmazonRDS", filters, rf"{START}RDS:{usage}$", "gb-mo")


def _fargate(usage: str, unit: str) -> Question:
    return Question("AmazonECS", _family("Compute"), rf"{START}Fargate-{usage}$", unit)


#: Services whose products name no region of their own.
GLOBAL = ("AmazonRoute53",)

#: Questions that need no more than the region, by the price file's keys.
QUESTIONS: dict[str, Question] = {
    **{f"ebs.{kind}": _volume(kind) for kind in ("gp3", "gp2", "io1", "io2", "st1", "sc1", "standard")},
    "ebs.gp3.iops": Question(
        "AmazonEC2",
        _family("System Operation", volumeApiName="gp3"),
        rf"{START}EBS:VolumeP-IOPS.gp3$",
        "iops-mo",
    ),
    "ebs.gp3.throughput": Question(
        "AmazonEC2",
        _family("Provisioned Throughput", volumeApiName="gp3"),
        rf"{START}EBS:VolumeP-Throughput.gp3$",
        "gibps-mo",
        share=1 / 1024,
    ),
    "ebs.snapshot": Question("AmazonEC2", _family("Storage Snapshot"), rf"{START}EBS:SnapshotUsage$", "gb-mo"),
    "ipv4.hour": Question("AmazonVPC", (), rf"{START}PublicIPv4:InUseAddress$", "hrs"),
    "nat.hour": Question("AmazonEC2", _family("NAT Gateway"), rf"{START}NatGateway-Hours$", "hrs"),
    "nat.gb": Question("AmazonEC2", _family("NAT Gateway"), rf"{START}NatGateway-Bytes$", "gb"),
    "endpoint.hour": Question("AmazonVPC", _family("VpcEndpoint"), rf"{START}VpcEndpoint-Hours$", "hrs"),
    "endpoint.gb": Question("AmazonVPC", _family("VpcEndpoint"), rf"{START}VpcEndpoint-Bytes$", "gb"),
    "lb.application.hour": _balancer("Application", "LoadBalancerUsage", "hrs"),
    "lb.application.lcu": _balancer("Application", "LCUUsage", "lcu-hr"),
    "lb.network.hour": _balancer("Network", "LoadBalancerUsage", "hrs"),
    "lb.network.lcu": _balancer("Network", "LCUUsage", "lcu-hr"),
    "rds.storage.gp3": _database_storage("GP3-Storage"),
    "rds.storage.gp2": _database_storage("GP2-Storage"),
    "rds.storage.io1": _database_storage("PIOPS-Storage"),
    "rds.storage.standard": _database_storage("StorageUsage"),
    "rds.backup": Question("AmazonRDS", _family("Storage Snapshot"), rf"{START}RDS:ChargedBackupUsage$", "gb-mo"),
    "fargate.x86.vcpu": _fargate("vCPU-Hours:perCPU", "h"),
    "fargate.x86.gb": _fargate("GB-Hours", ""),
    "fargate.arm.vcpu": _fargate("ARM-vCPU-Hours:perCPU", "h"),
    "fargate.arm.gb": _fargate("ARM-GB-Hours", ""),
    "fargate.disk": _fargate("EphemeralStorage-GB-Hours", ""),
    "s3.StandardStorage": Question("AmazonS3", _family("Storage"), rf"{START}TimedStorage-ByteHrs$", "gb-mo"),
    "s3.StandardIAStorage": Question("AmazonS3", _family("Storage"), rf"{START}TimedStorage-SIA-ByteHrs$", "gb-mo"),
    "s3.OneZoneIAStorage": Question("AmazonS3", _family("Storage"), rf"{START}TimedStorage-ZIA-ByteHrs$", "gb-mo"),
    "s3.GlacierStorage": Question("AmazonS3", _family("Storage"), rf"{START}TimedStorage-GlacierByteHrs$", "gb-mo"),
    "s3.GlacierInstantRetrievalStorage": Question(
        "AmazonS3", _family("Storage"), rf"{START}TimedStorage-GIR-ByteHrs$", "gb-mo"
    ),
    "s3.DeepArchiveStorage": Question("AmazonS3", _family("Storage"), rf"{START}TimedStorage-GDA-ByteHrs$", "gb-mo"),
    "s3.puts": Question("AmazonS3", _family("API Request"), rf"{START}Requests-Tier1$", "req", share=1000),
    "s3.gets": Question("AmazonS3", _family("API Request"), rf"{START}Requests-Tier2$", "req", share=1000),
    "ecr.storage": Question("AmazonECR", (), rf"{START}TimedStorage-ByteHrs$", "gb-mo"),
    "kms.key": Question("awskms", (), rf"{START}KMS-Keys$", "keys"),
    "secret": Question("AWSSecretsManager", (), rf"{START}AWSSecretsManager-Secrets$", "secrets"),
    "dns.zone": Question("AmazonRoute53", (("usagetype", "HostedZone"),), "^HostedZone$", "hostedzone"),
    "alarm": Question("AmazonCloudWatch", (), rf"{START}CW:AlarmMonitorUsage$", "alarm"),
    "alarm.composite": Question("AmazonCloudWatch", (), rf"{START}CW:CompositeAlarmMonitorUsage$", "alarm"),
    "metric": Question("AmazonCloudWatch", (), rf"{START}CW:MetricMonitorUsage$", "metric"),
    "logs.storage": Question("AmazonCloudWatch", (), rf"{START}TimedStorage-ByteHrs$", "gb-mo"),
    "logs.ingested": Question("AmazonCloudWatch", _family("Data Payload"), rf"{START}DataProcessing-Bytes$", "gb"),
}


def answer(found: Question, products: t.Iterable[str]) -> float | None:
    """The price, if all products that match agree on one.

    :param products: C(PriceList) of GetProducts, each a JSON text.
    """
    prices = {price for text in products for price in _prices(found, json.loads(text))}
    return prices.pop() if len(prices) == 1 else None


def _prices(found: Question, product: t.Mapping[str, t.Any]) -> t.Iterator[float]:
    """The prices of a product that matches: on demand, in dollars, of the first tier."""
    usage = product.get("product", {}).get("attributes", {}).get("usagetype", "")
    if not re.search(found.usage, usage):
        return
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term.get("priceDimensions", {}).values():
            usd = float(dimension.get("pricePerUnit", {}).get("USD", 0))
            first = float(dimension.get("beginRange", 0)) == 0
            if usd and first and str(dimension.get("unit", "")).lower().startswith(found.unit):
                yield round(usd * found.share, 10)

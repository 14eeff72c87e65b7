# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The patches of Route 53 and of AWS Certificate Manager."""

from __future__ import annotations

import typing as t

import pytest

from tests.emulator import Emulator
from tests.emulator.helpers import REGION, TAGS, Network, mends, refusal

CLOUDFRONT = "Z2FDTNDATAQYW2"
Change = dict[str, t.Any]


@pytest.fixture
def route53(emulator: Emulator) -> t.Any:
    return emulator.client("route53")


@pytest.fixture
def zone(route53: t.Any) -> str:
    made = route53.create_hosted_zone(Name="shop.example", CallerReference="one")["HostedZone"]["Id"]
    return t.cast(str, made)


def change(action: str, name: str = "www.shop.example", kind: str = "A", *values: str, **more: t.Any) -> Change:
    record: dict[str, t.Any] = {"Name": name, "Type": kind, **more}
    if "AliasTarget" not in more:
        record |= {"TTL": 300, "ResourceRecords": [{"Value": value} for value in values or ("203.0.113.7",)]}
    return {"Action": action, "ResourceRecordSet": record}


def send(route53: t.Any, zone: str, *changes: Change) -> None:
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": list(changes)})


def refused(route53: t.Any, zone: str, *changes: Change) -> str:
    return refusal(route53.change_resource_record_sets, HostedZoneId=zone, ChangeBatch={"Changes": list(changes)})


def names(route53: t.Any, zone: str) -> list[str]:
    found = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return sorted(f"{one['Type']} {one['Name']}" for one in found if one["Type"] not in ("NS", "SOA"))


@mends("route53.atomic_batches")
def test_a_batch_is_carried_out_whole_or_not_at_all(route53: t.Any, zone: str) -> None:
    send(route53, zone, change("CREATE"))
    assert refused(route53, zone, change("CREATE", "a.shop.example"), change("CREATE")) == "InvalidChangeBatch"
    assert names(route53, zone) == ["A www.shop.example."]
    other = change("DELETE", "www.shop.example", "A", "203.0.113.8")
    assert refused(route53, zone, change("CREATE", "a.shop.example"), other) == "InvalidChangeBatch"
    assert names(route53, zone) == ["A www.shop.example."]
    send(route53, zone, change("DELETE"), change("CREATE", "www.shop.example", "CNAME", "shop.example."))
    assert names(route53, zone) == ["CNAME www.shop.example."]
    assert refusal(route53.delete_hosted_zone, Id=zone) == "HostedZoneNotEmpty"


@mends("route53.atomic_batches")
def test_names_come_back_in_aws_spelling(route53: t.Any, zone: str) -> None:
    send(route53, zone, change("CREATE", "*.Shop.example"))
    assert names(route53, zone) == ["A \\052.shop.example."]
    send(route53, zone, change("DELETE", "\\052.shop.example."))
    assert names(route53, zone) == []


@mends("route53.atomic_batches")
@pytest.mark.parametrize(
    "changes",
    [
        [change("CREATE", "shop.example", "CNAME", "other.example.")],
        [change("CREATE"), change("CREATE", "www.shop.example", "CNAME", "other.example.")],
        [change("CREATE", "www.xshop.example")],
        [change("CREATE", "www.shop.example", "TXT", "bare")],
        [change("CREATE", "www.shop.example", "A", "203.0.113.7", "203.0.113.7")],
        [change("CREATE"), change("CREATE", SetIdentifier="one", Weight=1)],
        [
            change("CREATE", SetIdentifier="one", Failover="PRIMARY"),
            change("CREATE", SetIdentifier="two", Failover="PRIMARY"),
        ],
        [
            change("CREATE", SetIdentifier="one", Failover="PRIMARY"),
            change("CREATE", SetIdentifier="two", Weight=1),
        ],
    ],
)
def test_what_may_not_be_in_a_zone(route53: t.Any, zone: str, changes: list[Change]) -> None:
    assert refused(route53, zone, *changes) == "InvalidChangeBatch"
    assert names(route53, zone) == []


@mends("route53.atomic_batches")
def test_records_with_a_health_check(route53: t.Any, zone: str) -> None:
    missing = change("CREATE", SetIdentifier="one", Failover="PRIMARY", HealthCheckId="nothing")
    assert refused(route53, zone, missing) == "NoSuchHealthCheck"
    assert refused(route53, zone, change("CREATE", Failover="PRIMARY")) == "InvalidInput"


@mends("route53.alias_targets")
def test_aliases(route53: t.Any, zone: str) -> None:
    def alias(name: str, evaluate: bool = False, target: str = CLOUDFRONT) -> Change:
        shape = {"HostedZoneId": target, "DNSName": name, "EvaluateTargetHealth": evaluate}
        return change("UPSERT", AliasTarget=shape)

    assert refused(route53, zone, alias("example.com")) == "InvalidChangeBatch"
    assert refused(route53, zone, alias("d1.cloudfront.net", evaluate=True)) == "InvalidChangeBatch"
    assert refused(route53, zone, alias("example.com", target=zone.rpartition("/")[2])) == "InvalidChangeBatch"
    send(route53, zone, alias("d1.cloudfront.net"))
    found = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [one["AliasTarget"]["DNSName"] for one in found if "AliasTarget" in one] == ["d1.cloudfront.net."]


@mends("route53.references_and_defaults")
def test_references_and_defaults(route53: t.Any, zone: str) -> None:
    again = {"Name": "other.example", "CallerReference": "one"}
    assert refusal(route53.create_hosted_zone, **again) == "HostedZoneAlreadyExists"
    asked = {"Type": "HTTPS", "FullyQualifiedDomainName": "shop.example"}
    first = route53.create_health_check(CallerReference="a", HealthCheckConfig=asked)["HealthCheck"]
    assert route53.create_health_check(CallerReference="a", HealthCheckConfig=asked)["HealthCheck"]["Id"] == first["Id"]
    assert (first["HealthCheckConfig"]["Port"], first["HealthCheckConfig"]["EnableSNI"]) == (443, True)
    changed = route53.update_health_check(HealthCheckId=first["Id"], FailureThreshold=5)["HealthCheck"]
    assert (changed["HealthCheckVersion"], changed["HealthCheckConfig"]["FailureThreshold"]) == (2, 5)


@mends("route53.tags_of_what_exists")
def test_tags_go_with_a_health_check(route53: t.Any) -> None:
    made = route53.create_health_check(
        CallerReference="a", HealthCheckConfig={"Type": "TCP", "Port": 1, "IPAddress": "203.0.113.7"}
    )["HealthCheck"]["Id"]
    route53.change_tags_for_resource(ResourceType="healthcheck", ResourceId=made, AddTags=TAGS)
    asked = {"ResourceType": "healthcheck", "ResourceIds": [made]}
    assert route53.list_tags_for_resources(**asked)["ResourceTagSets"][0]["Tags"] == TAGS
    assert (
        refusal(route53.list_tags_for_resources, ResourceType="healthcheck", ResourceIds=[made] * 11) == "InvalidInput"
    )
    route53.delete_health_check(HealthCheckId=made)
    assert refusal(route53.list_tags_for_resources, **asked) == "NoSuchHealthCheck"
    assert refusal(route53.delete_health_check, HealthCheckId=made) == "NoSuchHealthCheck"


def request(acm: t.Any, *domains: str, **more: t.Any) -> str:
    asked = {"DomainName": domains[0], "SubjectAlternativeNames": list(domains), "ValidationMethod": "DNS", **more}
    return t.cast(str, acm.request_certificate(**asked)["CertificateArn"])


def described(acm: t.Any, arn: str) -> dict[str, t.Any]:
    return t.cast(dict[str, t.Any], acm.describe_certificate(CertificateArn=arn)["Certificate"])


def records(acm: t.Any, arn: str) -> dict[str, str]:
    options = described(acm, arn)["DomainValidationOptions"]
    return {one["ResourceRecord"]["Name"]: one["ResourceRecord"]["Value"] for one in options if "ResourceRecord" in one}


@mends("acm.validation_records")
def test_certificates_share_the_record_of_a_name(emulator: Emulator) -> None:
    acm, home = emulator.client("acm", REGION), emulator.client("acm", "us-east-1")
    arn = request(acm, "shop.example", "*.shop.example", "api.shop.example")
    assert records(acm, arn) == {}
    found = records(acm, arn)
    assert len(found) == 2
    other = request(home, "*.shop.example")
    records(home, other)
    assert records(home, other).items() < found.items()
    assert "NotAfter" not in described(acm, arn)


@mends("acm.validation_by_dns")
def test_a_certificate_is_issued_by_its_records(emulator: Emulator, route53: t.Any, zone: str) -> None:
    acm = emulator.client("acm", REGION)
    arn = request(acm, "shop.example", "api.shop.example")
    described(acm, arn)
    first, second = records(acm, arn).items()
    send(route53, zone, change("CREATE", first[0], "CNAME", first[1]))
    assert described(acm, arn)["Status"] == "PENDING_VALIDATION"
    send(route53, zone, change("CREATE", second[0], "CNAME", second[1]))
    issued = described(acm, arn)
    assert (issued["Status"], "NotAfter" in issued) == ("ISSUED", True)


def issue(acm: t.Any, route53: t.Any, zone: str, arn: str) -> None:
    """Enter what validates a certificate."""
    described(acm, arn)
    for name, value in records(acm, arn).items():
        send(route53, zone, change("CREATE", name, "CNAME", value))
    assert described(acm, arn)["Status"] == "ISSUED"


@mends("acm.certificates_in_use")
def test_a_certificate_in_use_stays(emulator: Emulator, route53: t.Any, zone: str) -> None:
    acm, elb, network = emulator.client("acm", REGION), emulator.client("elbv2", REGION), Network(emulator)
    arn = request(acm, "shop.example", IdempotencyToken="once")
    issue(acm, route53, zone, arn)
    network.gateway()
    balancer = elb.create_load_balancer(Name="lb", Subnets=network.subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    listener = elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Listeners"][0]["ListenerArn"]
    assert described(acm, arn)["InUseBy"] == [balancer]
    assert refusal(acm.delete_certificate, CertificateArn=arn) == "ResourceInUseException"
    elb.delete_listener(ListenerArn=listener)
    assert described(acm, arn)["InUseBy"] == []
    acm.delete_certificate(CertificateArn=arn)
    assert request(acm, "shop.example", IdempotencyToken="once") != arn


@mends("acm.key_algorithms")
def test_kinds_of_keys(emulator: Emulator) -> None:
    acm = emulator.client("acm", REGION)
    arn = request(acm, "shop.example", KeyAlgorithm="EC_prime256v1")
    assert described(acm, arn)["KeyAlgorithm"] == "EC_prime256v1"
    assert acm.list_certificates()["CertificateSummaryList"] == []
    asked = acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"]
    assert [one["CertificateArn"] for one in asked] == [arn]


@mends("acm.certificates_in_use")
def test_a_certificate_of_a_distribution_stays(emulator: Emulator, route53: t.Any, zone: str) -> None:
    acm, cloudfront = emulator.client("acm", "us-east-1"), emulator.client("cloudfront")
    arn = request(acm, "shop.example")
    issue(acm, route53, zone, arn)
    behavior = {
        "TargetOriginId": "one",
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    }
    made = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": "one",
            "Comment": "",
            "Enabled": True,
            "Aliases": {"Quantity": 1, "Items": ["shop.example"]},
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "one",
                        "DomainName": "origin.example",
                        "CustomOriginConfig": {
                            "HTTPPort": 80,
                            "HTTPSPort": 443,
                            "OriginProtocolPolicy": "https-only",
                        },
                    }
                ],
            },
            "DefaultCacheBehavior": behavior,
            "ViewerCertificate": {
                "ACMCertificateArn": arn,
                "SSLSupportMethod": "sni-only",
                "MinimumProtocolVersion": "TLSv1.2_2021",
            },
        }
    )["Distribution"]["ARN"]
    assert described(acm, arn)["InUseBy"] == [made]
    assert refusal(acm.delete_certificate, CertificateArn=arn) == "ResourceInUseException"

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

import pytest
from botocore.loaders import Loader

from tests.emulator.operations import is_write, resolve

READS = [
    ("ec2", "DescribeInstances"),
    ("ec2", "GetConsoleOutput"),
    ("ec2", "SearchTransitGatewayRoutes"),
    ("s3", "HeadBucket"),
    ("s3", "ListObjectsV2"),
    ("s3", "SelectObjectContent"),
    ("ecr", "BatchGetImage"),
    ("ecr", "BatchCheckLayerAvailability"),
    ("ecr", "GetAuthorizationToken"),
    ("iam", "SimulatePrincipalPolicy"),
    ("cloudtrail", "LookupEvents"),
    ("logs", "FilterLogEvents"),
    ("sts", "AssumeRole"),
    ("sts", "DecodeAuthorizationMessage"),
    ("sts", "GetCallerIdentity"),
    ("dynamodb", "Query"),
    ("dynamodb", "Scan"),
    ("cloudformation", "ValidateTemplate"),
]
WRITES = [
    ("ec2", "RunInstances"),
    ("ec2", "CreateTags"),
    ("ecr", "BatchDeleteImage"),
    ("ecr", "PutImage"),
    ("route53", "ChangeResourceRecordSets"),
    ("ssm", "SendCommand"),
    ("sqs", "ReceiveMessage"),
    ("logs", "StartQuery"),
    ("kms", "GenerateDataKey"),
    ("cognito-identity", "GetId"),
    ("secretsmanager", "RotateSecret"),
    ("s3", "CopyObject"),
    ("ec2", "Listen"),
    ("ec2", "Getaway"),
    ("ec2", None),
    (None, None),
]


@pytest.mark.parametrize(("service", "operation"), READS)
def test_read(service: str, operation: str) -> None:
    assert not is_write(service, operation)


@pytest.mark.parametrize(("service", "operation"), WRITES)
def test_write(service: str | None, operation: str | None) -> None:
    assert is_write(service, operation)


@pytest.mark.parametrize(
    "service", ["ec2", "s3", "rds", "iam", "ecs", "elbv2", "cloudfront", "route53", "backup", "ssm"]
)
def test_no_operation_that_makes_or_removes_something_counts_as_a_read(service: str) -> None:
    changing = ("Create", "Delete", "Put", "Modify", "Update", "Attach", "Detach", "Associate", "Disassociate", "Tag")
    operations = Loader().load_service_model(service, "service-2")["operations"]
    assert [name for name in operations if name.startswith(changing) and not is_write(service, name)] == []
    assert [name for name in operations if name.startswith(("Describe", "List")) and is_write(service, name)] == []


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"signing_name": "ec2", "form": "Action=RunInstances&Version=2016-11-15"}, ("ec2", "RunInstances")),
        ({"signing_name": "rds", "form": "Version=2014-10-31&Action=CreateDBInstance"}, ("rds", "CreateDBInstance")),
        (
            {"signing_name": "elasticloadbalancing", "form": "Action=CreateListener&Version=2015-12-01"},
            ("elbv2", "CreateListener"),
        ),
        (
            {"signing_name": "elasticloadbalancing", "form": "Action=DescribeLoadBalancers&Version=2012-06-01"},
            ("elb", "DescribeLoadBalancers"),
        ),
        ({"signing_name": "sts", "method": "GET", "query": "Action=GetCallerIdentity"}, ("sts", "GetCallerIdentity")),
        ({"signing_name": "ssm", "target": "AmazonSSM.GetParameter"}, ("ssm", "GetParameter")),
        (
            {"signing_name": "dynamodb", "target": "DynamoDBStreams_20120810.ListStreams"},
            ("dynamodbstreams", "ListStreams"),
        ),
        (
            {"signing_name": "monitoring", "path": "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm"},
            ("cloudwatch", "PutMetricAlarm"),
        ),
        (
            {"signing_name": "tagging", "target": "ResourceGroupsTaggingAPI_20170126.GetResources"},
            ("resourcegroupstaggingapi", "GetResources"),
        ),
        ({"signing_name": "backup", "method": "PUT", "path": "/backup-vaults/v"}, ("backup", "CreateBackupVault")),
        (
            {"signing_name": "route53", "path": "/2013-04-01/hostedzone/Z1/rrset/"},
            ("route53", "ChangeResourceRecordSets"),
        ),
        (
            {"signing_name": "cloudfront", "method": "GET", "path": "/2020-05-31/distribution/E1/config"},
            ("cloudfront", "GetDistributionConfig"),
        ),
        ({"signing_name": "s3", "method": "GET"}, ("s3", "ListBuckets")),
        ({"signing_name": "s3", "method": "PUT", "path": "/b"}, ("s3", "CreateBucket")),
        ({"signing_name": "s3", "method": "HEAD", "path": "/b"}, ("s3", "HeadBucket")),
        (
            {"signing_name": "s3", "method": "GET", "path": "/b", "query": "list-type=2&prefix=x"},
            ("s3", "ListObjectsV2"),
        ),
        ({"signing_name": "s3", "method": "GET", "path": "/b", "query": "policy"}, ("s3", "GetBucketPolicy")),
        (
            {"signing_name": "s3", "method": "PUT", "path": "/b", "query": "publicAccessBlock"},
            ("s3", "PutPublicAccessBlock"),
        ),
        ({"signing_name": "s3", "path": "/b", "query": "delete"}, ("s3", "DeleteObjects")),
        ({"signing_name": "s3", "method": "PUT", "path": "/b/a/key"}, ("s3", "PutObject")),
        ({"signing_name": "s3", "method": "PUT", "path": "/b/a/key", "copies": True}, ("s3", "CopyObject")),
        (
            {"signing_name": "s3", "method": "PUT", "path": "/b/k", "query": "partNumber=1&uploadId=x"},
            ("s3", "UploadPart"),
        ),
        ({"signing_name": "s3", "method": "GET", "path": "/b/folder/", "query": ""}, ("s3", "GetObject")),
        (
            {"signing_name": "s3", "method": "GET", "path": "/key", "host": "b.s3.eu-west-3.amazonaws.com"},
            ("s3", "GetObject"),
        ),
        (
            {"signing_name": "s3", "method": "GET", "path": "/v20180820/configuration/publicAccessBlock"},
            ("s3control", "GetPublicAccessBlock"),
        ),
        ({"signing_name": None, "method": "GET", "path": "/b/k"}, ("s3", "GetObject")),
        ({"signing_name": "nosuchservice", "method": "GET", "path": "/x"}, ("nosuchservice", None)),
    ],
)
def test_resolve(request_: dict[str, t.Any], expected: tuple[str, str]) -> None:
    assert resolve(**{"method": "POST", "path": "/", **request_}) == expected

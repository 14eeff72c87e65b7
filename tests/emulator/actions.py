# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which IAM actions a caller needs for an API operation.

Most have the operation's own name. The exceptions below are those of AWS's Service Authorization Reference and, for
what an operation needs beside its own action, of the service's user guide ("required permissions").
"""

from __future__ import annotations

#: IAM's name of a service, where boto3's is another.
PREFIXES = {
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "service-quotas": "servicequotas",
}
#: S3's actions predate its operations: Service Authorization Reference, Amazon S3.
_S3 = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
#: What an operation needs beside its own action, as the roles call it: all that can be is created with tags, logs go
#: to buckets and log groups, keys encrypt.
_ALSO = {
    "application-autoscaling:RegisterScalableTarget": (
        "application-autoscaling:TagResource",
        "iam:CreateServiceLinkedRole",
    ),
    "autoscaling:CreateAutoScalingGroup": (
        "autoscaling:CreateOrUpdateTags",
        "ec2:RunInstances",
        "ec2:CreateTags",
        "iam:CreateServiceLinkedRole",
    ),
    "autoscaling:UpdateAutoScalingGroup": ("ec2:RunInstances", "ec2:CreateTags"),
    "autoscaling:StartInstanceRefresh": ("ec2:RunInstances", "ec2:CreateTags"),
    "backup:CreateBackupVault": ("backup-storage:MountCapsule", "backup:TagResource"),
    "backup:CreateBackupPlan": ("backup:TagResource",),
    "cloudfront:CreateDistributionWithTags": ("cloudfront:CreateDistribution", "cloudfront:TagResource"),
    "cloudwatch:PutMetricAlarm": ("cloudwatch:TagResource",),
    "ec2:AllocateAddress": ("ec2:CreateTags",),
    "ec2:CopySnapshot": ("ec2:CreateTags",),
    "ec2:CreateFlowLogs": ("ec2:CreateTags", "logs:CreateLogDelivery", "logs:DeleteLogDelivery"),
    "ec2:CreateLaunchTemplate": ("ec2:CreateTags",),
    "ec2:CreateNatGateway": ("ec2:CreateTags",),
    "ec2:CreateSecurityGroup": ("ec2:CreateTags",),
    "ec2:CreateSnapshots": ("ec2:CreateTags",),
    "ec2:CreateVpcEndpoint": ("ec2:CreateTags",),
    "ec2:RunInstances": ("ec2:CreateTags",),
    "ecr:CreateRepository": ("ecr:TagResource",),
    "ecs:CreateCluster": ("ecs:TagResource", "iam:CreateServiceLinkedRole"),
    "ecs:CreateService": ("ecs:TagResource",),
    "ecs:RegisterTaskDefinition": ("ecs:TagResource",),
    "elasticloadbalancing:CreateListener": ("elasticloadbalancing:AddTags",),
    "elasticloadbalancing:CreateLoadBalancer": (
        "elasticloadbalancing:AddTags",
        "iam:CreateServiceLinkedRole",
    ),
    "elasticloadbalancing:CreateRule": ("elasticloadbalancing:AddTags",),
    "elasticloadbalancing:CreateTargetGroup": ("elasticloadbalancing:AddTags",),
    "iam:CreatePolicy": ("iam:TagPolicy",),
    "iam:CreateRole": ("iam:TagRole",),
    "logs:CreateLogGroup": ("logs:TagResource",),
    # The master password is a secret that RDS makes and rotates in the caller's name: RDS user guide, "Permissions
    # required for Secrets Manager integration".
    "rds:CreateDBInstance": (
        "rds:AddTagsToResource",
        "secretsmanager:CreateSecret",
        "secretsmanager:TagResource",
        "kms:DescribeKey",
        "kms:CreateGrant",
        "iam:CreateServiceLinkedRole",
    ),
    "rds:CreateDBParameterGroup": ("rds:AddTagsToResource",),
    "rds:CreateDBSnapshot": ("rds:AddTagsToResource",),
    "rds:CreateDBSubnetGroup": ("rds:AddTagsToResource",),
    "s3:CopyObject": ("s3:GetObject",),
    "secretsmanager:CreateSecret": ("secretsmanager:TagResource",),
    "sns:CreateTopic": ("sns:TagResource",),
    "ssm:PutParameter": ("ssm:AddTagsToResource",),
}
#: Operations that hand a role to a service; the role is in the request.
PASSES_ROLE = frozenset(
    {
        "autoscaling:CreateAutoScalingGroup",
        "autoscaling:PutLifecycleHook",
        "autoscaling:StartInstanceRefresh",
        "autoscaling:UpdateAutoScalingGroup",
        "backup:CreateBackupSelection",
        "cognito-identity:SetIdentityPoolRoles",
        "cognito-idp:CreateUserPool",
        "cognito-idp:UpdateUserPool",
        "ec2:AssociateIamInstanceProfile",
        "ec2:CreateFlowLogs",
        "ec2:RunInstances",
        "ecs:RegisterTaskDefinition",
        "ecs:RunTask",
        "iam:AddRoleToInstanceProfile",
        "rds:CreateDBInstance",
        "rds:ModifyDBInstance",
        "s3:PutBucketReplication",
    }
)
#: Anyone who has credentials may ask who they are.
_FREE = frozenset({"sts:GetCallerIdentity"})


#: Services whose ARNs name no region.
_GLOBAL = frozenset({"cloudfront", "iam", "route53", "sts"})


def region_of(action: str, region: str) -> str:
    """The region in the ARN of what an action is about: none for global services and for CloudWatch's dashboards.

    :param action: such as C{ec2:CreateVpc}.
    :param region: the region that was called.
    """
    service, _, name = action.partition(":")
    return "" if service in _GLOBAL or (service == "cloudwatch" and "Dashboard" in name) else region


def needed(service: str, operation: str) -> list[str]:
    """The IAM actions, without C{iam:PassRole}, which depends on the request.

    :param service: boto3's name of the service, such as C{elbv2}.
    :param operation: the API's name of the operation, such as C{CreateLoadBalancer}.
    """
    prefix = PREFIXES.get(service, service)
    called = f"{prefix}:{operation}"
    if called in _FREE:
        return []
    own = f"s3:{_S3.get(operation, operation)}" if prefix == "s3" else called
    renamed = "cloudfront:CreateDistribution" if called == "cloudfront:CreateDistributionWithTags" else own
    return list(dict.fromkeys([renamed, *_ALSO.get(called, ())]))

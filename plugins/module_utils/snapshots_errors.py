# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWS's refusals about snapshots mean, and the way out of each. Pure: no AWS."""

from __future__ import annotations

import typing as t

THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "RequestThrottled",
        "SnapshotCreationPerVolumeRateExceeded",
    }
)

#: Codes that say nothing about whether the request took effect.
UNCERTAIN = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "ServerInternal",
        "ServiceUnavailable",
        "Unavailable",
        "RequestTimeout",
        "500",
        "502",
        "503",
        "504",
    }
)

#: "Too many copies are under way": EC2 has a code for it, RDS says it under the code of its snapshot quota.
_NO_ROOM = "ResourceLimitExceeded"
_NO_ROOM_MESSAGE = "Cannot copy more than"

#: "That is there already": a repeated request finds what the lost answer to the first one made.
EXISTS = frozenset({"DBSnapshotAlreadyExists", "DBClusterSnapshotAlreadyExistsFault"})

#: "That is not there": what was to be removed is gone.
GONE = frozenset({"InvalidSnapshot.NotFound", "DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault"})

IN_USE = frozenset({"InvalidSnapshot.InUse"})

_KEY = (
    "the KMS key cannot be used: see that it exists in the region, is enabled, and that its policy lets this role "
    "and the service use it (kms:DescribeKey, CreateGrant, Decrypt, GenerateDataKeyWithoutPlaintext, ReEncrypt*)"
)
_AGAIN = "run it again, what is done stays done"

_WAYS_OUT: dict[str, str] = {
    "RequestLimitExceeded": f"AWS throttles this account's calls: {_AGAIN}, or lower concurrency",
    "Throttling": f"AWS throttles this account's calls: {_AGAIN}, or lower concurrency",
    "ThrottlingException": f"AWS throttles this account's calls: {_AGAIN}, or lower concurrency",
    "SnapshotCreationPerVolumeRateExceeded": (
        "AWS wants 15 seconds between two snapshots of a volume: see that nothing else snapshots it, and run it again"
    ),
    "ConcurrentSnapshotLimitExceeded": (
        "the volume has as many snapshots under way as AWS allows (5, or 1 on st1 and sc1): run it again when "
        "they have completed; those that ended in error count too"
    ),
    "SnapshotLimitExceeded": (
        "the account holds as many snapshots as its quota in this region: remove some with "
        "palier.aws.snapshot_prune, or have the quota raised"
    ),
    "SnapshotQuotaExceeded": (
        "the account holds as many manual database snapshots as its quota in this region (100 unless raised): "
        "remove some with palier.aws.snapshot_prune, or have the quota raised"
    ),
    "SharedSnapshotQuotaExceeded": "the snapshot is shared with 20 accounts already: withdraw one",
    "ResourceLimitExceeded": "too many copies are under way to this region: run it again when some are done",
    "KMSKeyNotAccessibleFault": _KEY,
    "InvalidKMSKey": _KEY,
    "InvalidDBInstanceState": "the database is not in state available: run it again when it is",
    "InvalidDBClusterStateFault": "the cluster is not in state available: run it again when it is",
    "InvalidDBSnapshotState": "the snapshot is not in state available: run it again when it is",
    "InvalidDBClusterSnapshotStateFault": "the snapshot is not in state available: run it again when it is",
    "InvalidSnapshot.InUse": "a machine image uses it: deregister the image first",
    "UnauthorizedOperation": "this role may not do that: add the action that AWS names to its policy",
    "AccessDenied": "this role may not do that: add the action that AWS names to its policy",
    "DBInstanceNotFound": "no such database in this region: see region and db_instance_identifier",
    "DBClusterNotFoundFault": "no such cluster in this region: see region and db_cluster_identifier",
    "InvalidInstanceID.NotFound": "no such instance in this region: see region and instance_id",
}

_BY_MESSAGE: tuple[tuple[str, str], ...] = (
    ("AWS Backup", "AWS Backup made it: it goes by the rules of its backup plan"),
    ("locked", "a snapshot lock protects it: it goes when the lock has ended"),
    ("key", _KEY),
)


def code_of(error: BaseException) -> str:
    """AWS's error code inside an exception, or an empty string.

    :param error: a ClientError, or an AnsibleAWSError around one.
    """
    error = getattr(error, "exception", None) or error
    response: dict[str, t.Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def message_of(error: BaseException) -> str:
    """What AWS said, without the wrapping.

    :param error: any exception.
    """
    error = getattr(error, "exception", None) or error
    response: dict[str, t.Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Message", "")) or str(error)


def uncertain(error: BaseException) -> bool:
    """Whether the request may have taken effect although it failed: no answer came, or the server stumbled.

    :param error: a botocore error, or an AnsibleAWSError around one.
    """
    code = code_of(error)
    return not code or code in UNCERTAIN


def no_room(error: BaseException) -> bool:
    """Whether a copy was refused because as many as AWS allows are under way, so that it only has to wait.

    :param error: a botocore error.
    """
    code = code_of(error)
    return code == _NO_ROOM or (code == "SnapshotQuotaExceeded" and _NO_ROOM_MESSAGE in message_of(error))


def explain(error: BaseException, subject: str) -> str:
    """One message: what failed, on which resource, what AWS said, and the way out.

    :param error: what was raised.
    :param subject: the attempt in the reader's words, for example ``copy ebs snapshot snap-1``.
    """
    code, message = code_of(error), message_of(error)
    way_out = _WAYS_OUT.get(code) or next((way for part, way in _BY_MESSAGE if part in message), "")
    said = f"{code}: {message}" if code else message
    return f"Could not {subject} ({said})" + (f": {way_out}" if way_out else "")

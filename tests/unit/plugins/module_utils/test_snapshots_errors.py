# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS's refusals, and the way out of each."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.module_utils.snapshots_errors import explain, no_room, uncertain
from botocore.exceptions import ClientError, ReadTimeoutError


def refusal(code: str, message: str = "as it is") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Call")


@pytest.mark.parametrize(
    ("code", "message", "way_out"),
    [
        ("InvalidSnapshot.InUse", "in use", "deregister the image first"),
        ("OperationNotPermitted", "This snapshot is managed by AWS Backup service", "its backup plan"),
        ("OperationNotPermitted", "the snapshot is locked", "when the lock has ended"),
        ("InvalidParameterValue", "The key is not accessible", "kms:DescribeKey"),
        ("SharedSnapshotQuotaExceeded", "too many", "withdraw one"),
    ],
)
def test_each_has_a_way_out(code, message, way_out):
    text = explain(refusal(code, message), "delete snap-1")
    assert text.startswith(f"Could not delete snap-1 ({code}: {message})")
    assert way_out in text


def test_what_is_not_known_is_told_as_it_is():
    assert explain(refusal("NewError", "odd"), "copy snap-1") == "Could not copy snap-1 (NewError: odd)"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ReadTimeoutError(endpoint_url="https://example.invalid"), True),
        (refusal("InternalError"), True),
        (refusal("503"), True),
        (refusal("RequestLimitExceeded"), False),
        (refusal("UnauthorizedOperation"), False),
    ],
)
def test_what_may_have_taken_effect(error, expected):
    assert uncertain(error) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refusal("ResourceLimitExceeded"), True),
        (refusal("SnapshotQuotaExceeded", "Cannot copy more than 20 snapshots across regions"), True),
        (refusal("SnapshotQuotaExceeded", "Cannot create more than 100 manual snapshots"), False),
    ],
)
def test_what_only_has_to_wait(error, expected):
    assert no_room(error) is expected

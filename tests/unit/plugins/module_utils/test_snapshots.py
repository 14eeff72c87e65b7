# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading what AWS lists as restore points."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.palier.aws.plugins.module_utils import snapshots as s
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


def ebs(number: int = 1, size: int = 1, state: str = "completed", **tags: str) -> s.Snapshot:
    ours = {s.POINT: "web-1", s.OF: "web", s.SOURCE: "i-1", s.SIZE: str(size)}
    raw = {
        "SnapshotId": f"snap-{number}",
        "State": state,
        "StartTime": NOW,
        "VolumeId": f"vol-{number}",
        "VolumeSize": 8,
        "Tags": [{"Key": key, "Value": value} for key, value in {**ours, **tags}.items()],
    }
    return s.from_ebs(raw, "eu-west-3")


@pytest.mark.parametrize(
    ("states", "size", "state"),
    [
        (["completed", "completed"], 2, s.COMPLETE),
        (["completed", "pending"], 2, s.PENDING),
        (["completed", "error"], 2, s.ERROR),
        (["completed"], 2, s.INCOMPLETE),
        (["pending"], 2, s.INCOMPLETE),
        (["recoverable"], 1, s.ERROR),
        (["something-new"], 1, s.ERROR),
    ],
)
def test_the_state_of_a_set(states, size, state):
    points, loose = s.group(ebs(n, size, value) for n, value in enumerate(states))
    assert [point.state for point in points] == [state]
    assert loose == []
    assert bool(points[0].flaw()) is (state != s.COMPLETE)


@pytest.mark.parametrize(
    ("status", "state"),
    [("available", s.COMPLETE), ("creating", s.PENDING), ("copying", s.PENDING), ("failed", s.ERROR)],
)
def test_the_state_of_a_database_snapshot(status, state):
    raw = {"DBSnapshotIdentifier": "a", "DBSnapshotArn": "arn:a", "Status": status, "SnapshotType": "manual"}
    assert s.from_rds(raw, "eu-west-3").state == state


@pytest.mark.parametrize("kind", [{"SnapshotType": "awsbackup"}, {"DBSnapshotIdentifier": "awsbackup:job-1"}])
def test_what_aws_backup_made_of_a_database(kind):
    raw = {"DBSnapshotIdentifier": "a", "DBSnapshotArn": "arn:a", "Status": "available", **kind}
    assert s.from_rds(raw, "eu-west-3").maker == "AWS Backup"


@pytest.mark.parametrize("key", [s.POINT, s.SOURCE, s.SIZE])
def test_without_a_tag_of_ours_it_belongs_to_none(key):
    snapshot = ebs()
    del snapshot.tags[key]
    assert s.group([snapshot]) == ([], [snapshot])


def test_a_size_that_is_no_number_belongs_to_none():
    assert s.group([ebs(**{s.SIZE: "many"})])[0] == []


def test_two_sources_of_one_name_are_two_points():
    points, _loose = s.group([ebs(1), ebs(2, **{s.SOURCE: "i-2"})])
    assert sorted(point.key for point in points) == ["ebs:web-1:i-1", "ebs:web-1:i-2"]


@pytest.mark.parametrize(
    ("tag", "time"),
    [
        ("2024-06-14T12:00:00Z", NOW - timedelta(days=1)),
        ("2024-06-16T12:00:00Z", NOW),
        ("yesterday", NOW),
        ("", NOW),
    ],
)
def test_the_time_of_the_content(tag, time):
    assert ebs(**{s.TIME: tag}).time == time


def test_a_copy_keeps_what_its_source_was():
    source = ebs(**{s.TIME: "2024-06-14T12:00:00Z", s.REMOVAL: "x", s.SHARED: "1", "aws:x": "y", "Tier": "web"})
    tags = s.copy_tags(source)
    assert tags[s.COPY_OF] == "snap-1"
    assert tags[s.COPY_VOLUME] == "vol-1"
    assert tags[s.TIME] == "2024-06-14T12:00:00Z"
    assert tags["Tier"] == "web"
    assert not {s.REMOVAL, s.SHARED, "aws:x"} & set(tags)
    copy = s.from_ebs(
        {"SnapshotId": "snap-9", "State": "completed", "StartTime": NOW, "VolumeId": "vol-ffffffff",
         "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}, "eu-central-1")  # fmt: skip
    assert (copy.member, copy.time, copy.is_copy) == ("vol-1", source.time, True)
    assert s.copy_tags(copy)[s.COPY_VOLUME] == "vol-1", "a copy of a copy as well"


@given(st.text(max_size=40))
def test_a_point_name_is_an_identifier_of_rds(of):
    name = s.point_name(of, NOW)
    s.check_identifier(name, s.RDS)
    assert name.endswith("-20240615t120000z")


@given(
    st.dictionaries(
        st.from_regex(r"vol-[0-9a-f]{17}", fullmatch=True),
        st.from_regex(r"/dev/sd[b-z][a-z]?", fullmatch=True),
        max_size=60,
    )
)
def test_devices_are_read_back_as_they_were_written(devices):
    tags = s.point_tags({}, name="n", of="o", source="i", size=1, at=NOW, devices=devices)
    assert s.parse_devices(tags) == devices
    assert all(len(value) <= s.MAX_TAG_VALUE for value in tags.values())


def test_the_stacks_tags_do_not_override_ours():
    tags = s.point_tags({s.POINT: "x", "AWS:y": "z"}, name="n", of="o", source="i", size=2, at=NOW, devices={})
    assert tags[s.POINT] == "n"
    assert not [key for key in tags if re.match("aws:", key, re.IGNORECASE)]

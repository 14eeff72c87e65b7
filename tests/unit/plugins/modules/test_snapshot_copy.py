# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# ruff: noqa: F811 (the fixture is imported)
"""Copies to another region or account: what lacks, nothing twice, within AWS's limits."""

from __future__ import annotations

import pytest
from ansible_collections.palier.aws.plugins.modules import ec2_instance_snapshot, rds_snapshot, snapshot_copy

from tests.unit.module_runner import run_module
from tests.unit.plugins.snapshot_cloud import (
    ACCOUNT,
    FRANKFURT,
    OTHER_ACCOUNT,
    PARIS,
    Cloud,
    cloud,  # noqa: F401
    lost_answer,
    refusal,
    unreachable,
)

STACK = {"Stack": "shop", "Environment": "prod"}
ROLE = {"region": PARIS, "destination_role_arn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/backups"}


def copy(check: bool = False, **options):
    return run_module(snapshot_copy, {"tags": STACK, "source_region": PARIS, "region": FRANKFURT, **options}, check)


def save_instance(cloud: Cloud, volumes: int = 2, name: str = "shop-prod-web", tags=STACK) -> str:
    instance = cloud.add_instance(volumes=volumes, name=name)
    run_module(ec2_instance_snapshot, {"instance_id": instance, "tags": tags})
    cloud.sleep(100)
    return instance


def save_database(cloud: Cloud, key: str = "") -> None:
    cloud.databases[cloud.add_database()]["KmsKeyId"] = key
    run_module(rds_snapshot, {"db_instance_identifier": "shop-prod-db", "tags": STACK})
    cloud.sleep(100)


def there(cloud: Cloud, region: str = FRANKFURT, account: str = ACCOUNT) -> list:
    return [raw for raw in [*cloud.ebs, *cloud.rds] if (raw["region"], raw["account"]) == (region, account)]


def tags(raw) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in raw.get("Tags", raw.get("TagList"))}


def test_what_lacks_is_copied_once(cloud):
    save_instance(cloud)
    save_database(cloud)
    first = copy()
    assert first["changed"]
    assert (len(first["copies"]), first["queued"], first["under_way"]) == (3, 0, 3)
    assert {step["reason"] for step in first["plan"]} == {"eu-central-1 has no copy of it"}
    second = copy()
    assert not second["changed"]
    assert second["under_way"] == 3
    cloud.sleep(100)
    third = copy()
    assert (third["changed"], third["under_way"]) == (False, 0)
    assert "is copied to eu-central-1 as" in third["plan"][0]["reason"]
    assert len(there(cloud)) == 3


def test_check_mode_shows_the_same_plan_and_writes_nothing(cloud):
    save_instance(cloud)
    save_database(cloud)
    cloud.heal()
    planned = copy(check=True)
    assert cloud.writes == []
    done = copy()
    assert (planned["plan"], planned["diff"], planned["changed"]) == (done["plan"], done["diff"], True)
    assert planned["copies"] == []


def test_a_copy_says_what_it_is(cloud):
    instance = save_instance(cloud, volumes=1)
    source = cloud.ebs[0]
    source["Tags"].append({"Key": "aws:cloudformation:stack-name", "Value": "x"})
    cloud.sleep(3600)
    copy()
    made = there(cloud)[0]
    assert tags(made) == {
        **{key: value for key, value in tags(source).items() if not key.startswith("aws:")},
        "RestorePointCopyOf": source["SnapshotId"],
        "RestorePointVolume": source["VolumeId"],
    }
    assert tags(made)["RestorePointTime"] == "2024-06-15T12:00:00Z"
    assert tags(made)["RestorePointSource"] == instance
    assert source["SnapshotId"] in made["Description"]


def test_only_the_newest_of_each_source_unless_asked(cloud):
    instance = save_instance(cloud)
    run_module(ec2_instance_snapshot, {"instance_id": instance, "tags": STACK})
    cloud.sleep(100)
    save_instance(cloud, name="other")
    assert len(copy(check=True)["plan"]) == 4
    assert len(copy(check=True, select="all")["plan"]) == 6
    name = tags(cloud.ebs[0])["RestorePoint"]
    assert len(copy(check=True, restore_points=[name])["plan"]) == 2
    assert "names nope, which is not there" in copy(restore_points=["nope"])["msg"]


def test_other_stacks_are_left_alone(cloud):
    save_instance(cloud, tags={"Stack": "other"})
    save_instance(cloud)
    assert len(copy(select="all")["copies"]) == 2


def test_what_is_not_complete_is_skipped(cloud):
    instance = save_instance(cloud)
    run_module(ec2_instance_snapshot, {"instance_id": instance, "tags": STACK})
    result = copy()
    assert [(s["action"], s["reason"]) for s in result["plan"]][-1] == (
        "skip",
        "only complete ones are copied: still pending",
    )
    assert len(result["copies"]) == 2


def test_a_copy_that_failed_is_made_again(cloud):
    save_instance(cloud, volumes=1)
    copy()
    failed = there(cloud)[0]
    failed["doomed"] = "out of luck"
    cloud.sleep(100)
    result = copy()
    assert [step["action"] for step in result["plan"]] == ["delete", "copy"]
    assert "out of luck" in result["plan"][0]["reason"]
    assert [raw["SnapshotId"] for raw in there(cloud)] != [failed["SnapshotId"]]
    assert len(there(cloud)) == 1


# Limits


def test_no_more_than_twenty_at_once_the_rest_is_queued(cloud):
    save_instance(cloud, volumes=20)
    save_instance(cloud, volumes=5, name="other")
    planned = copy(check=True)
    first = copy()
    assert (len(first["copies"]), first["queued"], first["changed"]) == (20, 5, True)
    assert sum(s["reason"].startswith("queued:") for s in first["plan"]) == 5
    assert planned["plan"] == first["plan"]
    assert (len(copy()["copies"]), copy()["queued"]) == (0, 5)
    cloud.sleep(100)
    assert len(copy()["copies"]) == 5
    assert len(there(cloud)) == 25


def test_with_wait_the_queue_is_worked_off(cloud):
    save_instance(cloud, volumes=20)
    save_instance(cloud, volumes=20, name="other")
    save_database(cloud)
    result = copy(wait=True)
    assert not result.get("failed")
    assert (len(result["copies"]), result["queued"], result["under_way"]) == (41, 0, 0)
    assert cloud.most_in_flight == 20
    assert cloud.count()["CopySnapshot"] == 40
    assert {raw.get("State", raw.get("Status")) for raw in there(cloud)} == {"completed", "available"}


def test_other_peoples_copies_take_room(cloud):
    save_instance(cloud, volumes=5)
    copy(max_in_flight=3)
    assert len(there(cloud)) == 3
    for raw in there(cloud):
        raw["Tags"] = []
    assert len(copy(max_in_flight=5)["copies"]) == 2


def test_a_refusal_for_want_of_room_queues(cloud):
    save_instance(cloud, volumes=5)
    save_database(cloud)
    cloud.copies_at_once = 2
    first = copy(concurrency=1)
    assert not first.get("failed")
    assert (len(first["copies"]), first["queued"]) == (3, 3)
    assert sum(s["reason"].startswith("queued:") for s in first["plan"]) == 3
    cloud.sleep(100)
    cloud.copies_at_once = 0
    assert copy()["queued"] == 3
    cloud.copies_at_once = 2
    assert copy(wait=True)["queued"] == 0
    assert len(there(cloud)) == 6


def test_waiting_ends_at_the_timeout(cloud):
    save_instance(cloud)
    cloud.pending_seconds = 10**6
    result = copy(wait=True, wait_timeout=60)
    assert "are not complete after wait_timeout, 60 s" in result["msg"]
    assert len(result["copies"]) == 2


def test_time_based_copies(cloud):
    save_instance(cloud)
    save_database(cloud)
    copy(completion_minutes=30)
    asked = [params.get("CompletionDurationMinutes") for name, params in cloud.calls if name == "CopySnapshot"]
    assert asked == [30, 30]


# Keys


def test_copies_are_encrypted_with_the_destinations_key(cloud):
    key = cloud.add_key("mine", region=FRANKFURT)
    save_instance(cloud)
    save_database(cloud, key="arn:aws:kms:eu-west-3:1:key/source")
    copy(kms_key_id=key)
    assert {raw["KmsKeyId"] for raw in there(cloud)} == {key}
    assert {raw["Encrypted"] for raw in there(cloud)} == {True}


def test_an_encrypted_database_needs_a_key_the_rest_is_done(cloud):
    save_instance(cloud)
    save_database(cloud, key="arn:aws:kms:eu-west-3:1:key/source")
    result = copy()
    assert result["failed"]
    assert "give kms_key_id" in result["msg"]
    assert cloud.rds[0]["DBSnapshotIdentifier"] in result["msg"]
    assert len(result["copies"]) == 2
    assert copy(check=True)["failed"]


@pytest.mark.parametrize(
    ("state", "region", "message"),
    [
        ("Disabled", FRANKFURT, "is in state Disabled: enable it"),
        ("PendingDeletion", FRANKFURT, "is in state PendingDeletion"),
        ("Enabled", PARIS, "does not exist in eu-central-1"),
    ],
)
def test_a_key_that_cannot_be_used_is_found_before_anything_starts(cloud, state, region, message):
    save_instance(cloud)
    key = cloud.add_key("mine", state=state, region=region)
    cloud.heal()
    result = copy(kms_key_id=key)
    assert result["failed"]
    assert f"kms_key_id {key} {message}" in result["msg"]
    assert cloud.ebs[0]["SnapshotId"] in result["msg"]
    assert cloud.writes == []


def test_a_key_that_breaks_on_the_way_is_explained(cloud):
    save_instance(cloud, volumes=1)
    save_database(cloud)
    key = cloud.add_key("mine", state="Disabled", region=FRANKFURT)
    cloud.fail("DescribeKey", refusal("AccessDeniedException"), times=-1)
    result = copy(kms_key_id=key, wait=True)
    assert result["failed"]
    assert "ended in error (Given key ID is not accessible): the KMS key cannot be used" in result["msg"]
    assert cloud.ebs[0]["SnapshotId"] in result["msg"]
    assert "KMSKeyNotAccessibleFault" in result["msg"]


# Another account


def test_to_another_account_through_its_role(cloud):
    key = cloud.add_key("theirs")
    save_instance(cloud)
    save_database(cloud)
    first = copy(**ROLE, kms_key_id=key)
    assert len(first["copies"]) == 3
    assert first["plan"][0]["reason"] == f"eu-west-3 of account {OTHER_ACCOUNT} has no copy of it"
    assert len(there(cloud, PARIS, OTHER_ACCOUNT)) == 3
    assert all(raw["shared"] == {OTHER_ACCOUNT} for raw in there(cloud, PARIS))
    cloud.sleep(100)
    second = copy(**ROLE, kms_key_id=key)
    assert [s["action"] for s in second["plan"] if s["action"] != "keep"] == ["unshare"] * 3
    assert all(raw["shared"] == set() for raw in there(cloud, PARIS))
    assert "RestorePointSharedWith" not in tags(there(cloud, PARIS)[0])
    assert "RestorePointSharedWith" not in tags(there(cloud, PARIS, OTHER_ACCOUNT)[0])
    assert not copy(**ROLE, kms_key_id=key)["changed"]


def test_waiting_takes_the_share_back_at_once(cloud):
    key = cloud.add_key("theirs")
    save_instance(cloud)
    copy(**ROLE, kms_key_id=key, wait=True)
    assert all(raw["shared"] == set() for raw in there(cloud, PARIS))


def test_what_a_default_key_encrypts_cannot_be_shared_the_rest_is_done(cloud):
    default = cloud.add_key("default", manager="AWS")
    own = cloud.add_key("own")
    save_instance(cloud, volumes=2)
    for raw, key in zip(cloud.ebs, (default, own), strict=True):
        raw.update(Encrypted=True, KmsKeyId=key)
    result = copy(**ROLE, kms_key_id=own)
    assert result["failed"]
    assert f"{cloud.ebs[0]['SnapshotId']} is encrypted with the account's default key {default}" in result["msg"]
    assert "encrypt the source with a key of your own" in result["msg"]
    assert [made["of"] for made in result["copies"]] == [cloud.ebs[1]["SnapshotId"]]
    assert cloud.ebs[0]["shared"] == set()


# Options and failures


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"region": PARIS}, "source_region and region are both eu-west-3"),
        ({"completion_minutes": 20}, "multiple of 15"),
        ({"completion_minutes": 3000}, "from 15 to 2880"),
        ({"max_in_flight": 21}, "write 1 to 20"),
        ({"tags": {}}, "tags is empty"),
        ({"source_region": FRANKFURT, "region": PARIS}, "no restore point in eu-central-1"),
    ],
)
def test_what_is_refused(cloud, options, message):
    save_instance(cloud)
    cloud.heal()
    result = copy(**options)
    assert result["failed"]
    assert message in result["msg"]
    assert cloud.writes == []


def test_nothing_to_copy_is_fine_where_it_is_expected(cloud):
    result = copy(allow_empty=True)
    assert (result["changed"], result["queued"], result["under_way"]) == (False, 0, 0)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [lost_answer(), unreachable(), refusal("InternalError")])
@pytest.mark.parametrize("operation", ["CopySnapshot", "CopyDBSnapshot"])
def test_a_lost_answer_copies_nothing_twice(cloud, operation, error, after):
    save_instance(cloud)
    save_database(cloud)
    cloud.fail(operation, error, after=after)
    result = copy()
    assert len(result["copies"]) == 3
    assert len(there(cloud)) == 3


def test_one_that_fails_does_not_keep_the_others_back(cloud):
    save_instance(cloud, volumes=3)
    stuck = cloud.ebs[1]["SnapshotId"]
    cloud.fail_when(
        lambda op, p: op == "CopySnapshot" and p["SourceSnapshotId"] == stuck, refusal("UnauthorizedOperation")
    )
    result = copy()
    assert result["failed"]
    assert f"copy ebs snapshot {stuck}" in result["msg"]
    assert len(result["copies"]) == 2
    cloud.heal()
    assert len(copy()["copies"]) == 1


def test_quotas_are_explained(cloud):
    save_instance(cloud)
    save_database(cloud)
    cloud.quota["ebs"] = 1
    cloud.quota["rds"] = 0
    result = copy(concurrency=1)
    assert "SnapshotLimitExceeded" in result["msg"]
    assert "100 unless raised" in result["msg"]
    assert len(there(cloud)) == 1


@pytest.mark.parametrize("options", [{}, ROLE])
@pytest.mark.parametrize(
    ("error", "after"),
    [
        (lost_answer(), False),
        (lost_answer(), True),
        (refusal("InternalError"), True),
        (refusal("RequestLimitExceeded"), False),
        (refusal("UnauthorizedOperation"), False),
    ],
)
def test_each_call_failing_once_in_turn(cloud, error, after, options):
    """Whatever call fails, a second run ends with each snapshot copied once and nothing left shared."""
    options = {
        **options,
        "wait": True,
        "concurrency": 1,
        "kms_key_id": cloud.add_key("k", region=options.get("region", FRANKFURT)),
    }
    target = (options.get("region", FRANKFURT), OTHER_ACCOUNT if "destination_role_arn" in options else ACCOUNT)
    save_instance(cloud)
    save_database(cloud)

    def reset() -> None:
        mine = (PARIS, ACCOUNT)
        for listing in (cloud.ebs, cloud.rds):
            listing[:] = [raw for raw in listing if (raw["region"], raw["account"]) == mine]
        cloud.heal()

    cloud.heal()
    copy(**options)
    total = len(cloud.calls)
    assert len(there(cloud, *target)) == 3
    for number in range(total):
        reset()
        cloud.fail(number, error, after=after)
        copy(**options)
        cloud.heal()
        again = copy(**options)
        assert not again.get("failed"), (number, again["msg"])
        assert len(there(cloud, *target)) == 3, number
        assert {raw.get("State", raw.get("Status")) for raw in there(cloud, *target)} == {"completed", "available"}
        assert all(raw["shared"] == set() for raw in there(cloud, PARIS)), number

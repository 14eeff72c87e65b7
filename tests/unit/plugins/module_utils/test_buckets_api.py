# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The S3 calls, against answers that S3 gives and moto does not."""

from __future__ import annotations

import typing as t
from unittest import mock

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import buckets_api as api
from ansible_collections.palier.aws.plugins.module_utils.plan import Step
from botocore.exceptions import ClientError


def refusal(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "SomeCall")


class Client(mock.Mock):
    """An S3 client that does what the test says."""

    def __init__(self, region: str = "eu-west-3", **answers: t.Any) -> None:
        super().__init__()
        self.meta.region_name = region
        for name, answer in answers.items():
            getattr(self, name).side_effect = answer

    def _get_child_mock(self, **kw: t.Any) -> mock.Mock:
        return mock.Mock(**kw)


@pytest.fixture(autouse=True)
def naps() -> t.Iterator[mock.Mock]:
    """Nothing here waits; the naps that would be taken are counted."""
    with mock.patch("time.sleep") as sleep:
        yield sleep


def test_no_bucket() -> None:
    assert api.find_bucket(Client(head_bucket=refusal("404")), "b") is None


@pytest.mark.parametrize(
    "answer",
    [{"BucketRegion": "eu-west-1"}, {"ResponseMetadata": {"HTTPHeaders": {"x-amz-bucket-region": "eu-west-1"}}}],
)
def test_where_a_bucket_is(answer: dict) -> None:
    assert api.find_bucket(Client(head_bucket=[answer]), "b") == "eu-west-1"


def test_a_bucket_of_which_s3_does_not_say_where_it_is_exists() -> None:
    assert api.find_bucket(Client(head_bucket=[{}]), "b") == ""


def test_somebody_elses_bucket() -> None:
    with pytest.raises(AnsibleAWSError, match=r"The bucket b exists.*another AWS account.*names are global"):
        api.find_bucket(Client(head_bucket=refusal("403", "Forbidden")), "b")


@pytest.mark.parametrize(
    ("region", "where"),
    [("eu-west-3", {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-3"}}), ("us-east-1", {})],
)
def test_only_us_east_1_has_no_location_constraint(region: str, where: dict) -> None:
    client = Client(region)
    api.create_bucket(client, "b")
    client.create_bucket.assert_called_once_with(Bucket="b", **where)
    client.get_waiter.assert_called_once_with("bucket_exists")


def test_creating_what_is_ours_already_is_fine() -> None:
    api.create_bucket(Client(create_bucket=refusal("BucketAlreadyOwnedByYou")), "b")


def test_creating_what_is_somebody_elses() -> None:
    with pytest.raises(AnsibleAWSError, match="choose another name"):
        api.create_bucket(Client(create_bucket=refusal("BucketAlreadyExists")), "b")


def test_a_bucket_that_is_still_being_deleted_is_tried_again(naps: mock.Mock) -> None:
    client = Client(create_bucket=[refusal("OperationAborted"), {}])
    api.create_bucket(client, "b")
    assert client.create_bucket.call_count == 2
    assert naps.call_count == 1


@pytest.mark.parametrize("code", ["NoSuchBucket", "OperationAborted", "SlowDown"])
def test_writes_are_tried_again_until_all_of_s3_knows_the_bucket(code: str) -> None:
    client = Client(put_bucket_versioning=[refusal(code), {}])
    api.put_versioning(client, "b", True)
    assert client.put_bucket_versioning.call_count == 2


@pytest.mark.parametrize(
    ("read", "call", "code", "empty"),
    [
        (api.get_policy, "get_bucket_policy", "NoSuchBucketPolicy", None),
        (api.get_website, "get_bucket_website", "NoSuchWebsiteConfiguration", None),
        (api.get_lifecycle, "get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration", None),
        (api.get_cors, "get_bucket_cors", "NoSuchCORSConfiguration", None),
        (api.get_tags, "get_bucket_tagging", "NoSuchTagSet", None),
        (api.get_encryption, "get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError", None),
        (api.get_public_access_block, "get_public_access_block", "NoSuchPublicAccessBlockConfiguration", None),
        (api.get_object_ownership, "get_bucket_ownership_controls", "OwnershipControlsNotFoundError", None),
        (api.get_versioning, "get_bucket_versioning", "NoSuchBucket", False),
    ],
)
def test_a_setting_that_is_not_there_is_no_error(read: t.Callable, call: str, code: str, empty: t.Any) -> None:
    assert read(Client(**{call: refusal(code)}), "b") is empty
    with pytest.raises(AnsibleAWSError, match="AccessDenied"):
        read(Client(**{call: refusal("AccessDenied")}), "b")


OPENED = {"public_access_block": {"block_public_policy": False}, "policy": {"Statement": []}}


def test_a_public_policy_is_tried_again_right_after_the_block_was_opened(naps: mock.Mock) -> None:
    client = Client(put_bucket_policy=[refusal("AccessDenied"), refusal("AccessDenied"), {}])
    steps = [Step("modify", "s3 bucket b", "", None, {name: value}) for name, value in OPENED.items()]
    with mock.patch.dict(api.WRITERS, public_access_block=mock.Mock()):
        api.carry_out(client, "b", steps, {"public_access_block": {"block_public_policy": True}})
    assert client.put_bucket_policy.call_count == 3
    assert naps.call_count == 1


def test_a_policy_that_s3_refuses_is_not_tried_again(naps: mock.Mock) -> None:
    client = Client(put_bucket_policy=refusal("AccessDenied"))
    with pytest.raises(AnsibleAWSError, match="AccessDenied"):
        api.put_policy(client, "b", {"Statement": []})
    assert naps.call_count == 0


def test_a_principal_that_iam_does_not_know_yet_is_waited_for() -> None:
    client = Client(put_bucket_policy=[refusal("MalformedPolicy", "Invalid principal in policy")] * 2 + [{}])
    api.put_policy(client, "b", {"Statement": []})
    assert client.put_bucket_policy.call_count == 3


def test_a_plan_is_carried_out_in_its_order() -> None:
    done: list[str] = []
    spies = {name: mock.Mock(side_effect=lambda *a, name=name, **k: done.append(name)) for name in api.WRITERS}
    steps = [Step("modify", "s3 bucket b", "", None, {name: None}) for name in ("policy", "tags", "cors_rules")]
    with mock.patch.dict(api.WRITERS, spies):
        api.carry_out(Client(), "b", [*steps, Step("keep", "s3 bucket b", "")], {})
    assert done == ["policy", "tags", "cors_rules"]


def pages(*found: dict) -> t.Callable[[str], mock.Mock]:
    """A client's get_paginator: these pages of versions, no unfinished uploads."""
    listing = {"list_object_versions": list(found), "list_multipart_uploads": [{}]}
    return lambda name: mock.Mock(paginate=lambda **_: listing[name])


def test_emptying_deletes_versions_and_markers_page_by_page() -> None:
    versions = [{"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}]
    markers = [{"Key": "b", "VersionId": "3"}]
    client = Client(get_paginator=pages({"Versions": versions}, {}, {"DeleteMarkers": markers}))
    client.delete_objects.return_value = {}
    api.empty_bucket(client, "b")
    batches = [call.kwargs["Delete"]["Objects"] for call in client.delete_objects.call_args_list]
    assert batches == [versions, markers]


def test_an_object_that_s3_keeps_is_named() -> None:
    client = Client(get_paginator=pages({"Versions": [{"Key": "a", "VersionId": "1"}]}))
    client.delete_objects.return_value = {"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "locked"}]}
    with pytest.raises(AnsibleAWSError, match="refused to delete 1 objects of b, the first is a: AccessDenied locked"):
        api.empty_bucket(client, "b")


def test_unfinished_uploads_are_aborted() -> None:
    listing = {"list_object_versions": [{}], "list_multipart_uploads": [{"Uploads": [{"Key": "a", "UploadId": "u"}]}]}
    client = Client(get_paginator=lambda name: mock.Mock(paginate=lambda **_: listing[name]))
    api.empty_bucket(client, "b")
    client.abort_multipart_upload.assert_called_once_with(Bucket="b", Key="a", UploadId="u")


def test_what_arrives_while_emptying_is_deleted_too() -> None:
    client = Client(get_paginator=pages({}), delete_bucket=[refusal("BucketNotEmpty"), {}])
    api.delete_bucket(client, "b", force=True)
    assert client.delete_bucket.call_count == 2


@pytest.mark.parametrize(("force", "tries"), [(False, 1), (True, 3)])
def test_a_bucket_that_never_empties_is_an_error(force: bool, tries: int) -> None:
    client = Client(get_paginator=pages({}), delete_bucket=refusal("BucketNotEmpty"))
    with pytest.raises(AnsibleAWSError, match="BucketNotEmpty"):
        api.delete_bucket(client, "b", force=force, tries=3)
    assert client.delete_bucket.call_count == tries


def test_a_bucket_that_is_gone_meanwhile_is_fine() -> None:
    api.delete_bucket(Client(delete_bucket=refusal("NoSuchBucket")), "b", force=False)


@pytest.mark.parametrize(
    ("page", "key"),
    [({}, None), ({"Versions": [{"Key": "a"}]}, "a"), ({"DeleteMarkers": [{"Key": "m"}]}, "m")],
)
def test_first_key(page: dict, key: str | None) -> None:
    assert api.first_key(Client(list_object_versions=[page]), "b") == key

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The S3 calls about a site's content, against answers that S3 gives and moto does not."""

from __future__ import annotations

import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import site_content_api as api
from ansible_collections.palier.aws.plugins.module_utils.plan import Step
from ansible_collections.palier.aws.plugins.module_utils.site_content import LocalFile
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

FILE = LocalFile(1, "text/css; charset=utf-8", "no-cache")


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "SomeCall")


@pytest.fixture(autouse=True)
def naps() -> t.Iterator[mock.Mock]:
    with mock.patch("time.sleep") as sleep:
        yield sleep


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "a.css").write_bytes(b"x")
    return str(tmp_path / "a.css")


def test_an_upload_carries_its_headers_and_hashes(path: str) -> None:
    client = mock.Mock()
    api.upload(client, "b", "v2/a.css", path, FILE)
    request = client.put_object.call_args.kwargs
    assert request.pop("Body").name == path
    assert request == {
        "Bucket": "b",
        "Key": "v2/a.css",
        "ContentType": "text/css; charset=utf-8",
        "CacheControl": "no-cache",
        "ContentMD5": "ndTkYSaMgDT1yFZOFVxnpg==",
        "Metadata": {"sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"},
    }


def test_a_retry_sends_the_file_from_its_start(path: str) -> None:
    sent: list[bytes] = []

    def put_object(Body: t.Any, **_: t.Any) -> None:  # noqa: N803
        sent.append(Body.read())
        if len(sent) == 1:
            raise refusal("SlowDown")

    api.upload(mock.Mock(put_object=put_object), "b", "a.css", path, FILE)
    assert sent == [b"x", b"x"]


def test_large_files_go_in_parts(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MULTIPART_FROM", 1)
    client = mock.Mock()
    api.upload(client, "b", "a.css", path, FILE)
    assert not client.put_object.called
    assert client.upload_file.call_args.kwargs["ExtraArgs"]["CacheControl"] == "no-cache"
    client.upload_file.side_effect = S3UploadFailedError("AccessDenied")
    with pytest.raises(AnsibleAWSError, match=r"Failed to upload .*a.css: AccessDenied"):
        api.upload(client, "b", "a.css", path, FILE)


def test_removals_go_in_batches() -> None:
    client = mock.Mock()
    client.delete_objects.return_value = {}
    api.delete(client, "b", [str(number) for number in range(2001)])
    assert [len(call.kwargs["Delete"]["Objects"]) for call in client.delete_objects.call_args_list] == [1000, 1000, 1]


def test_a_refused_removal_is_an_error() -> None:
    client = mock.Mock()
    client.delete_objects.return_value = {"Errors": [{"Key": "a", "Code": "AccessDenied"}]}
    with pytest.raises(AnsibleAWSError, match="refused to delete 1 objects of b, the first is a: AccessDenied"):
        api.delete(client, "b", ["a"])


def test_pages_follow_the_last_asset_and_removals_the_last_page() -> None:
    done: list[str] = []
    files = dict.fromkeys(("index.html", "a.js", "b.js"), ("", FILE))
    steps = [Step("upload", key, "", None, {"path": key}) for key in files]
    steps.append(Step("delete", "old", "", {"path": "old.js"}))
    with (
        mock.patch.object(api, "upload", lambda client, bucket, key, *rest: done.append(key)),
        mock.patch.object(api, "delete", lambda client, bucket, keys: done.extend(keys)),
    ):
        api.carry_out(None, "b", "v2/", steps, files, 4)
    assert sorted(done[:2]) == ["v2/a.js", "v2/b.js"]
    assert done[2:] == ["v2/index.html", "v2/old.js"]


def test_a_failed_asset_stops_the_pages_and_the_removals() -> None:
    files = {"index.html": ("", FILE), "a.js": ("", FILE)}
    steps = [Step("upload", key, "", None, {"path": key}) for key in files]
    upload, delete = mock.Mock(side_effect=AnsibleAWSError(message="no")), mock.Mock()
    with (
        mock.patch.object(api, "upload", upload),
        mock.patch.object(api, "delete", delete),
        pytest.raises(AnsibleAWSError, match="no"),
    ):
        api.carry_out(None, "b", "", steps, files, 4)
    assert [call.args[2] for call in upload.call_args_list] == ["a.js"]
    assert not delete.called


def test_results_keep_their_order() -> None:
    assert api.side_by_side(lambda number: number * 2, range(50), 8) == [number * 2 for number in range(50)]

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module s3_site_build as a whole, against moto."""

from __future__ import annotations

import datetime
import itertools
import typing as t
from pathlib import Path

import boto3
import pytest
from ansible_collections.palier.aws.plugins.module_utils import site_content_api
from ansible_collections.palier.aws.plugins.modules import s3_site_build, s3_site_content
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

BUCKET = "shop-prod-site"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    """S3, for which a second passes with each write."""
    seconds = (datetime.datetime(2026, 11, 1) + datetime.timedelta(seconds=passed) for passed in itertools.count())
    monkeypatch.setattr("moto.s3.models.utcnow", lambda: next(seconds))
    with mock_aws():
        client = boto3.client("s3", "eu-west-3", aws_access_key_id="testing", aws_secret_access_key="testing")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


def publish(directory: Path, **files: str) -> dict[str, t.Any]:
    for old in directory.iterdir():
        old.unlink()
    for name, content in files.items():
        (directory / name.replace("_", ".")).write_text(content)
    result = run_module(s3_site_content, {"bucket": BUCKET, "source": str(directory), "delete": True})
    assert not result.get("failed"), result["msg"]
    return result


def bring(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    result = run_module(s3_site_build, {"bucket": BUCKET, **options}, check)
    assert not result.get("failed"), result["msg"]
    return result


def served(s3: t.Any) -> dict[str, str]:
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {one["Key"]: s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read().decode() for one in found}


def test_it_names_the_build_as_the_upload_does(s3: t.Any, tmp_path: Path) -> None:
    uploaded = publish(tmp_path, index_html="1", a_js="1")
    with recorded_calls() as calls:
        found = bring()
    assert writes(calls) == []
    assert (found["exists"], found["content"], found["changed"]) == (True, uploaded["content"], False)


def test_back_and_forth(s3: t.Any, tmp_path: Path) -> None:
    first = publish(tmp_path, index_html="1", a_js="1")["content"]
    second = publish(tmp_path, index_html="2", b_js="2")["content"]
    with recorded_calls() as calls:
        planned = bring(build=first, check=True)
    assert writes(calls) == []
    back = bring(build=first)
    assert (back["plan"], back["content_before"], back["content"]) == (planned["plan"], second, first)
    assert (back["restored"], back["deleted"]) == (["a.js", "index.html"], ["b.js"])
    assert back["changed_paths"] == ["/", "/a.js", "/b.js", "/index.html"]
    assert served(s3) == {"index.html": "1", "a.js": "1"}
    page = s3.head_object(Bucket=BUCKET, Key="index.html")
    assert (page["ContentType"], page["CacheControl"]) == (
        "text/html; charset=utf-8",
        "public, max-age=0, must-revalidate",
    )
    assert not bring(build=first)["changed"]
    bring(build=second, delete=False)
    assert served(s3) == {"index.html": "2", "b.js": "2", "a.js": "1"}
    assert bring(build=second)["deleted"] == ["a.js"]
    assert bring()["content"] == second


def test_a_half_published_build_is_taken_back(s3: t.Any, tmp_path: Path) -> None:
    first = publish(tmp_path, index_html="1", a_js="1")["content"]
    s3.put_object(Bucket=BUCKET, Key="b.js", Body=b"2")
    bring(build=first)
    assert served(s3) == {"index.html": "1", "a.js": "1"}


def test_a_large_file_keeps_its_etag_and_headers(s3: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_content_api, "MULTIPART_FROM", 1 << 20)
    publish(tmp_path, film_mp4="x" * (9 << 20))
    first = bring()["content"]
    before = s3.head_object(Bucket=BUCKET, Key="film.mp4")
    publish(tmp_path, index_html="2")
    bring(build=first)
    after = s3.head_object(Bucket=BUCKET, Key="film.mp4")
    assert before["ETag"].endswith('-2"')
    for name in ("ETag", "ContentType", "CacheControl", "Metadata"):
        assert after[name] == before[name]
    assert not bring(build=first)["changed"]


def test_what_cannot_be_brought_back(s3: t.Any, tmp_path: Path) -> None:
    publish(tmp_path, index_html="1")
    failed = run_module(s3_site_build, {"bucket": BUCKET, "build": "0" * 64})
    assert "which the bucket shop-prod-site neither holds nor remembers" in failed["msg"]
    missing = run_module(s3_site_build, {"bucket": "shop-test-site", "build": "0" * 64})
    assert "bucket is shop-test-site, which does not exist" in missing["msg"]
    assert "concurrency is 0" in run_module(s3_site_build, {"bucket": BUCKET, "concurrency": 0})["msg"]


def test_a_bucket_that_is_not_there_yet(s3: t.Any) -> None:
    for check, build in ((False, ""), (True, "0" * 64)):
        found = run_module(s3_site_build, {"bucket": "shop-test-site", "build": build}, check)
        assert (found["exists"], found["changed"]) == (False, False)

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module s3_site_content as a whole, against moto."""

from __future__ import annotations

import typing as t
from pathlib import Path

import boto3
import pytest
from ansible_collections.palier.aws.plugins.module_utils import site_content_api
from ansible_collections.palier.aws.plugins.modules import s3_site_content
from moto import mock_aws

from tests.unit.module_runner import recorded_calls, run_module, writes

BUCKET = "shop-prod-site"
SITE = {"index.html": "<p>1", "docs/index.html": "<p>2", "assets/app-3f2a91bc.js": "1", "robots.txt": "x"}


@pytest.fixture
def s3() -> t.Iterator[t.Any]:
    with mock_aws():
        client = boto3.client("s3", "eu-west-3", aws_access_key_id="testing", aws_secret_access_key="testing")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
        yield client


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name, content in SITE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def publish(source: Path, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    result = run_module(s3_site_content, {"bucket": BUCKET, "source": str(source), **options}, check)
    assert not result.get("failed"), result["msg"]
    return result


def keys(s3: t.Any) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_a_new_site(s3: t.Any, source: Path) -> None:
    result = publish(source)
    assert result["changed"]
    assert result["uploaded"] == ["assets/app-3f2a91bc.js", "robots.txt", "docs/index.html", "index.html"]
    assert result["bytes"] == sum(len(content) for content in SITE.values())
    assert keys(s3) == sorted(SITE)
    page = s3.head_object(Bucket=BUCKET, Key="index.html")
    assert (page["ContentType"], page["CacheControl"]) == (
        "text/html; charset=utf-8",
        "public, max-age=0, must-revalidate",
    )


def test_check_mode_writes_nothing_and_says_the_same(s3: t.Any, source: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="old.js", Body=b"x")
    with recorded_calls() as calls:
        planned = publish(source, check=True, delete=True)
    done = publish(source, delete=True)
    assert writes(calls) == []
    for key in ("changed", "plan", "diff", "uploaded", "deleted", "unchanged", "changed_paths", "bytes"):
        assert planned[key] == done[key]


@pytest.mark.usefixtures("s3")
def test_the_second_run_takes_one_listing(source: Path) -> None:
    publish(source)
    with recorded_calls() as calls:
        result = publish(source, delete=True)
    assert calls == ["ListObjectsV2"]
    assert (result["changed"], result["uploaded"], result["changed_paths"]) == (False, [], [])
    assert result["unchanged"] == sorted(SITE)


def test_only_what_differs_is_uploaded(s3: t.Any, source: Path) -> None:
    publish(source)
    (source / "docs/index.html").write_text("<p>3")
    (source / "robots.txt").unlink()
    s3.put_object(Bucket=BUCKET, Key=".env", Body=b"kept, since it is excluded")
    result = publish(source, delete=True)
    assert result["uploaded"] == ["docs/index.html"]
    assert result["deleted"] == ["robots.txt"]
    assert result["changed_paths"] == ["/docs/", "/docs/index.html", "/robots.txt"]
    assert keys(s3) == [".env", "assets/app-3f2a91bc.js", "docs/index.html", "index.html"]


def test_nothing_is_removed_unless_asked(s3: t.Any, source: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="old.js", Body=b"x")
    assert publish(source)["deleted"] == []
    assert "old.js" in keys(s3)


def test_nothing_outside_the_prefix_is_touched(s3: t.Any, source: Path) -> None:
    for key in ("v2-old/index.html", "index.html", "v2/gone.html"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    assert publish(source, prefix="v2", delete=True)["deleted"] == ["gone.html"]
    assert keys(s3) == sorted(["v2-old/index.html", "index.html", *(f"v2/{key}" for key in SITE)])


def test_headers_count_when_asked(s3: t.Any, source: Path) -> None:
    publish(source)
    rules = [{"pattern": "robots.txt", "cache_control": "no-store"}]
    assert not publish(source, cache_control=rules)["changed"]
    result = publish(source, cache_control=rules, compare="metadata")
    assert result["uploaded"] == ["robots.txt"]
    assert result["plan"][0]["reason"] == "Cache-Control: public, max-age=3600, wanted no-store"
    assert not publish(source, cache_control=rules, compare="metadata")["changed"]


def test_a_file_in_parts_is_known_by_its_stored_hash(s3: t.Any, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_content_api, "MULTIPART_FROM", 8 << 20)
    (source / "film.mp4").write_bytes(b"x" * (9 << 20))
    publish(source)
    assert "-" in s3.head_object(Bucket=BUCKET, Key="film.mp4")["ETag"]
    with recorded_calls() as calls:
        assert not publish(source)["changed"]
    assert calls == ["ListObjectsV2", "HeadObject"]


def test_a_missing_bucket_is_planned_for_and_then_an_error(s3: t.Any, source: Path) -> None:
    assert publish(source, check=True, bucket="shop-prod-not-yet")["uploaded"]
    result = run_module(s3_site_content, {"bucket": "shop-prod-not-yet", "source": str(source)})
    assert "which does not exist: create it first" in result["msg"]


@pytest.mark.usefixtures("s3")
def test_an_empty_build_is_never_published(tmp_path: Path) -> None:
    for options in ({"source": str(tmp_path)}, {"source": str(tmp_path / "dist")}):
        result = run_module(s3_site_content, {"bucket": BUCKET, "delete": True, **options})
        assert result["failed"]
        assert "build" in result["msg"]


@pytest.mark.usefixtures("s3")
def test_a_link_that_leads_out_is_named(source: Path) -> None:
    (source / "passwd").symlink_to("/etc/passwd")
    result = publish(source, check=True)
    assert "passwd" not in result["uploaded"]
    assert "not published: passwd" in str(result["warnings"])


@pytest.mark.usefixtures("s3")
def test_concurrency_below_one_is_refused(source: Path) -> None:
    result = run_module(s3_site_content, {"bucket": BUCKET, "source": str(source), "concurrency": 0})
    assert result["msg"] == "concurrency is 0: give 1 or more"

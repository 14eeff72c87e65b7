# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of a site on this machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils.site_content_files import digest_file, list_site


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def test_files_by_path(tmp_path: Path) -> None:
    write(tmp_path, "b.html", "a/c.css", ".git/config")
    files, left_out = list_site(str(tmp_path), [".git/*"])
    assert list(files) == ["a/c.css", "b.html"]
    assert Path(files["a/c.css"]).read_text() == "a/c.css"
    assert left_out == []


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write(tmp_path, "site/real.html", "site/folder/a.css", "secret.txt", "site-old/x.html")
    (site / "inside.html").symlink_to("real.html")
    (site / "outside.txt").symlink_to(tmp_path / "secret.txt")
    (site / "neighbour.html").symlink_to(tmp_path / "site-old" / "x.html")
    (site / "broken").symlink_to("nothing")
    (site / "circle").symlink_to(".")
    files, left_out = list_site(str(site), [])
    assert list(files) == ["folder/a.css", "inside.html", "real.html"]
    assert left_out == ["broken", "circle", "neighbour.html", "outside.txt"]


def test_the_directory_itself_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path, "release-1/index.html")
    (tmp_path / "current").symlink_to("release-1")
    assert list(list_site(str(tmp_path / "current"), [])[0]) == ["index.html"]


def test_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(AnsibleAWSError, match=r"source is .*/dist, which is no directory: build the site"):
        list_site(str(tmp_path / "dist"), [])


def test_an_empty_directory(tmp_path: Path) -> None:
    write(tmp_path, ".DS_Store")
    with pytest.raises(AnsibleAWSError, match="an empty site is not published"):
        list_site(str(tmp_path), [".DS_Store"])


def test_digests(tmp_path: Path) -> None:
    content = b"x" * (3 << 20)
    (tmp_path / "a").write_bytes(content)
    digests = digest_file(str(tmp_path / "a"))
    assert digests == (hashlib.md5(content).hexdigest(), hashlib.sha256(content).hexdigest())


def test_a_file_that_went_away_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(AnsibleAWSError, match=r"Failed to read a file of the site: .*gone"):
        digest_file(str(tmp_path / "gone"))

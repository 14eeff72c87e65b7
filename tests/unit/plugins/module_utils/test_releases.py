# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils import releases
from hypothesis import given
from hypothesis import strategies as st

V1 = {"version": "v1", "reference": "app:v1", "revision": "app:1"}


def begin(last: dict[str, t.Any], version: str, running: dict[str, str]) -> dict[str, t.Any]:
    release = {"component": "app", "kind": "service", "version": version, "reference": f"app:{version}"}
    return releases.started(last, {**release, "by": "me", "source": "ci", "at": "1"}, running)


def succeed(last: dict[str, t.Any], version: str, running: dict[str, str]) -> dict[str, t.Any]:
    return releases.ended(begin(last, version, running), "succeeded", "2", revision=f"app:{version[1:]}")


def test_the_first_release_can_go_back_to_what_was_deployed() -> None:
    begun = begin({}, "v2", V1)
    assert begun["result"] == "started"
    assert releases.unfinished(begun)
    assert releases.kept(begun) == {}, "the inventory's version is the good one still"
    assert releases.back(begun)["reference"] == "app:v1"
    done = releases.ended(begun, "succeeded", "2", revision="app:2")
    assert releases.kept(done) == {"version": "v2", "reference": "app:v2", "revision": "app:2", "at": "2"}
    assert releases.back(done)["reference"] == "app:v1"


def test_a_failed_release_leaves_the_good_version_and_the_way_back() -> None:
    done = succeed({}, "v2", V1)
    failed = releases.ended(begin(done, "v3", dict(done["good"])), "failed", "4", "it exits", rolled_back=True)
    assert (releases.kept(failed)["version"], releases.back(failed)["version"]) == ("v2", "v1")
    assert not releases.unfinished(failed)
    left = releases.ended(begin(done, "v3", dict(done["good"])), "failed", "4", "it exits")
    assert releases.unfinished(left)
    assert releases.back(left)["version"] == "v2"


def test_a_first_release_that_fails_leaves_the_inventory_in_charge() -> None:
    failed = releases.ended(begin({}, "v2", V1), "failed", "2", rolled_back=True)
    assert releases.kept(failed) == {}
    # Meanwhile the inventory has another version, and it was deployed.
    again = begin(failed, "v3", {"version": "v1b", "reference": "app:v1b", "revision": "app:5"})
    assert again["good"]["reference"] == "app:v1b"


def test_a_release_that_was_cut_off_does_not_become_the_good_one() -> None:
    cut_off = begin({}, "v2", V1)
    again = begin(cut_off, "v2", {"version": "v2", "reference": "app:v2", "revision": "app:2"})
    assert again["good"]["reference"] == "app:v1"
    assert again["good"]["revision"] == "app:1"
    later = begin(begin(succeed({}, "v2", V1), "v3", V1), "v4", {"reference": "app:v3", "revision": "app:3"})
    assert later["good"]["reference"] == "app:v2"


def test_previous_goes_back_and_forth_and_a_release_of_the_same_keeps_it() -> None:
    second = succeed(succeed({}, "v2", V1), "v3", {})
    assert releases.back(second)["version"] == "v2"
    assert releases.back(succeed(second, "v2", {}))["version"] == "v3"
    assert releases.back(succeed(second, "v3", {}))["version"] == "v2"


def test_a_newer_revision_of_the_good_version_is_the_one_to_go_back_to() -> None:
    done = succeed({}, "v2", V1)
    # A deployment changed a setting, so the same image runs under another revision.
    begun = begin(done, "v3", {"version": "v2", "reference": "app:v2", "revision": "app:7"})
    assert begun["good"]["revision"] == "app:7"


def test_what_is_no_record_is_none() -> None:
    for text in (None, "", "{}", "[]", "no json", '{"a": 1}'):
        assert releases.parse(text) == {}


@given(st.text(max_size=6000))
def test_a_record_comes_back_and_fits_into_a_parameter(reason: str) -> None:
    record = releases.ended(begin({}, "v2", V1), "failed", "2", reason)
    text = releases.text_of(record)
    assert len(text) <= releases.LONGEST
    found = releases.parse(text)
    assert reason.startswith(found.pop("reason"))
    assert found == {key: value for key, value in record.items() if key != "reason"}


def test_a_short_reason_stays_whole() -> None:
    record = releases.ended(begin({}, "v2", V1), "failed", "2", "it exits")
    assert releases.parse(releases.text_of(record)) == record


def test_what_follows_is_shown_with_the_record() -> None:
    shown = releases.shown(succeed({}, "v2", V1))
    assert (shown["unfinished"], shown["kept"]["version"], shown["back"]["version"]) == (False, "v2", "v1")

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be done to controls, keys and policies, without AWS."""

from __future__ import annotations

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.palier.aws.plugins.module_utils import cloudfront_access as subject

BODY = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE" * 3
NORMAL = f"-----BEGIN PUBLIC KEY-----\n{BODY[:64]}\n{BODY[64:]}\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize(
    "text",
    [
        NORMAL,
        NORMAL.strip(),
        NORMAL.replace("\n", "\r\n"),
        f"  \n-----BEGIN PUBLIC KEY-----{BODY}-----END PUBLIC KEY-----\n\n",
        f"-----BEGIN PUBLIC KEY-----\n{BODY[:50]}\n  {BODY[50:]}\n-----END PUBLIC KEY-----",
    ],
)
def test_the_same_key_however_it_is_written(text: str) -> None:
    assert subject.normal_key("a", text) == NORMAL
    assert subject.key_name("g", "a", subject.normal_key("a", text)) == subject.key_name("g", "a", NORMAL)


@pytest.mark.parametrize("text", ["", "x", NORMAL + NORMAL, NORMAL.replace("PUBLIC", "PRIVATE")])
def test_what_is_no_public_key(text: str) -> None:
    with pytest.raises(AnsibleAWSError, match="keys: the text of a") as caught:
        subject.normal_key("a", text)
    assert BODY[:64] not in str(caught.value)


def test_another_key_has_another_name() -> None:
    assert subject.key_name("g", "a", NORMAL) != subject.key_name("g", "a", NORMAL.replace("MFk", "MFl"))
    assert subject.key_name("g", "a b.c", NORMAL).startswith("g-a-b-c-")


@pytest.mark.parametrize(
    ("current", "wanted", "verb"),
    [
        (None, {"Name": "x"}, "create"),
        ({"Name": "x", "Id": "E1"}, {"Name": "x"}, "keep"),
        ({"Name": "x"}, {"Name": "x", "Description": ""}, "keep"),
        ({"Name": "x", "Parts": {"A": {"On": True, "Off": False}}}, {"Parts": {"A": {"On": True}}}, "keep"),
        ({"Name": "x", "Parts": {"A": {"On": True}}}, {"Parts": {"A": {"On": False}}}, "modify"),
        ({"Name": "x", "Parts": {"A": 1, "B": 2}}, {"Parts": {"A": 1}}, "modify"),
        ({"Name": "x"}, None, "delete"),
        (None, None, "skip"),
    ],
)
def test_plan_of_a_named_thing(current: dict | None, wanted: dict | None, verb: str) -> None:
    (step,) = subject.plan_one("thing", "x", current, wanted)
    assert step.verb == verb

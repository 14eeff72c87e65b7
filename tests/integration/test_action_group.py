# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which ``module_defaults`` groups reach this collection's modules, as ansible-core really resolves them."""

from __future__ import annotations

import typing as t

import pytest

REGION = "ap-southeast-2"
#: Nothing listens there, so that the call fails at once; what the module was given can be read all the same.
NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("group", "module", "reached"),
    [
        ("palier.aws.aws", "palier.aws.s3_bucket", True),
        ("palier.aws.aws", "amazon.aws.aws_caller_info", True),
        ("palier.aws.aws", "community.aws.acm_certificate_info", True),
        # ansible-core's own list of what group/aws extends names amazon.aws and community.aws. A collection cannot
        # add itself to that list: should this begin to fail, group/aws can be recommended.
        ("aws", "palier.aws.s3_bucket", False),
        ("aws", "amazon.aws.aws_caller_info", True),
    ],
)
def test_group_reaches_module(ansible_playbook: t.Any, group: str, module: str, reached: bool) -> None:
    values = {"region": REGION, "endpoint_url": NOWHERE}
    options = {"name": "testing-bucket"} if module.endswith("s3_bucket") else {}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {f"group/{group}": values},
        "tasks": [{"name": "Call", module: options, "ignore_errors": True}],
    }
    run = ansible_playbook([play], "-vvv", AWS_MAX_ATTEMPTS="1", AWS_ENDPOINT_URL=NOWHERE)
    assert run.returncode == 0, run
    assert (f" region: {REGION}" in run.stdout) is reached

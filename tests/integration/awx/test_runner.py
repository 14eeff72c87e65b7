# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every playbook as AWX runs it: by ansible-runner, from a private data directory, without a home directory, with what
the survey's defaults say, ended when it is silent for too long.

The tests follow one another on one account, in the order in which they stand.
"""

from __future__ import annotations

import typing as t

import pytest

from tests import awx_data
from tests.emulator import Emulator
from tests.integration.awx_runner import IN_AWX, SILENCE, Job, Launcher

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def account() -> t.Iterator[Emulator]:
    """An account that is empty at first and keeps what the tests do."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def launcher(account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Launcher:
    """Launches the job templates for inventories/classic_ec2."""
    return Launcher(account, tmp_path_factory.mktemp("awx"), "classic_ec2", IN_AWX)


def ended_well(job: Job) -> None:
    """Assert that a job was successful, and heard of all the time."""
    assert job.status == "successful", job.output[-3000:]
    assert job.silence < SILENCE, job.output[-3000:]


def test_deploy(launcher: Launcher) -> None:
    ended_well(launcher.launch("deploy"))


def test_verify(launcher: Launcher) -> None:
    ended_well(launcher.launch("backup"))
    ended_well(launcher.launch("verify"))


def test_no_drift(launcher: Launcher) -> None:
    job = launcher.launch("drift")
    ended_well(job)
    assert "classic-prod is as its inventory says" in job.output


def test_drift_fails_the_job_and_names_what_has_drifted(launcher: Launcher, account: Emulator) -> None:
    ec2 = account.client("ec2")
    name = [{"Name": "tag:Name", "Values": ["classic-prod-vpc"]}]
    [vpc] = ec2.describe_vpcs(Filters=name)["Vpcs"]
    ec2.modify_vpc_attribute(VpcId=vpc["VpcId"], EnableDnsHostnames={"Value": False})
    account.clear_requests()
    job = launcher.launch("drift", limit="classic_prod", tags="network")
    assert (job.status, account.requests(writes=True)) == ("failed", [])
    assert "classic-prod is no longer as its inventory says: 1 to change in network." in job.text
    ec2.modify_vpc_attribute(VpcId=vpc["VpcId"], EnableDnsHostnames={"Value": True})


def test_report(launcher: Launcher) -> None:
    job = launcher.launch("report")
    ended_well(job)
    assert "classic-prod in us-east-1 on " in job.text
    assert "US dollars a month" in job.text


def test_release_names_what_it_releases(launcher: Launcher, account: Emulator) -> None:
    job = launcher.launch(
        "release", limit="classic_prod", answers={"release_component": "wbe", "release_version": "v2"}
    )
    assert (job.status, "this stack has no 'wbe'" in job.text) == ("failed", True)


def test_sync_images(launcher: Launcher) -> None:
    ended_well(launcher.launch("sync_images"))


def test_restore_names_one_stack(launcher: Launcher) -> None:
    job = launcher.launch("restore")
    assert (job.status, "name it with --limit" in job.text) == ("failed", True)
    ended_well(launcher.launch("restore", limit="classic_prod"))


def test_destroy_names_one_stack_twice(launcher: Launcher) -> None:
    job = launcher.launch("destroy", limit="classic_ai", answers={"destroy_confirm": "something else"})
    assert (job.status, "name it twice" in job.text) == ("failed", True)
    ended_well(launcher.launch("destroy", limit="classic_ai", answers={"destroy_confirm": "classic"}))


def test_every_job_template_is_launched_here() -> None:
    here = {"deploy", "verify", "backup", "drift", "release", "report", "sync_images", "restore", "destroy"}
    assert here == set(awx_data.job_templates())

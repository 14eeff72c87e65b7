# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures for every test: an environment that is the same everywhere, and real ansible-playbook runs."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

ROOT = Path(__file__).resolve().parent.parent
#: Variables of a developer's or a CI machine's environment that would change what a test sees.
FOREIGN = ("ANSIBLE_", "AWS_", "PALIER_", "MOLECULE_")

# A deadline in milliseconds would fail on a busy machine, not on a wrong result.
settings.register_profile(
    "house", deadline=None, database=DirectoryBasedExampleDatabase(ROOT / ".cache" / "hypothesis")
)
settings.load_profile("house")


def clean_environment() -> dict[str, str]:
    """The environment without what would change a run, and with credentials that are nobody's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {
        **kept,
        "ANSIBLE_HOME": str(ROOT / ".ansible"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-3",
        # Without this, botocore asks the machine's metadata service for credentials, and waits for it.
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture(scope="session", autouse=True)
def environment() -> t.Iterator[dict[str, str]]:
    """Replaces this process's environment by the clean one for the whole session."""
    before = dict(os.environ)
    clean = clean_environment()
    os.environ.clear()
    os.environ.update(clean)
    yield clean
    os.environ.clear()
    os.environ.update(before)


class RunPlaybook(t.Protocol):
    """See L{ansible_playbook}."""

    def __call__(
        self, plays: t.Any, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:  # pragma: no cover - a type
        ...


@pytest.fixture
def ansible_playbook(tmp_path: Path) -> RunPlaybook:
    """Runs ansible-playbook from the repository's root, as a user does.

    C{ansible_playbook(plays, "--check", PALIER_PLAN_FILE="...")}: a list of plays (or a playbook's path), further
    arguments, further environment variables. Returns the ended process with its output; asserts nothing.
    """

    def run(plays: t.Any, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        if isinstance(plays, list):
            playbook = tmp_path / "playbook.yml"
            playbook.write_text(yaml.safe_dump(plays, sort_keys=False))
        else:
            playbook = plays
        return subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), str(playbook), *arguments],
            cwd=ROOT,
            env={**os.environ, **variables},
            text=True,
            capture_output=True,
            check=False,
        )

    return run

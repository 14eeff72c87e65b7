# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Payloads are kept for the runs to come, as long as nothing that they are made from changes."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.palier.aws.plugins.plugin_utils import warm_payloads
from ansible_collections.palier.aws.plugins.plugin_utils.warm_payloads import Store

OURS = "ansible_collections.palier.aws.plugins.modules.s3_bucket-ZIP_DEFLATED-none"
LEGACY = "ansible.legacy.s3_bucket-ZIP_DEFLATED-none"


class Account(t.NamedTuple):
    """A directory in which runs follow one another."""

    path: Path

    def run(self, name: str, version: str = "2.19.0") -> Store:
        """A run; its temporary directory is there, as Ansible makes it."""
        temporary = self.path / "tmp" / name
        temporary.mkdir(parents=True)
        home, core = self.path / "home", self.path / "ansible"
        return Store(str(home), str(temporary), str(core), version, (str(self.path / "collections"),))


@pytest.fixture
def account(tmp_path: Path) -> Account:
    for file in (
        "ansible/module_utils/basic.py",
        "collections/ansible_collections/amazon/aws/plugins/module_utils/botocore.py",
        "collections/ansible_collections/palier/aws/meta/runtime.yml",
        "collections/ansible_collections/palier/aws/plugins/modules/s3_bucket.py",
    ):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(file)
    return Account(tmp_path)


def made(store: Store) -> dict[str, str]:
    """What a run finds there instead of making it."""
    directory = Path(store.run)
    found = {path.name: path.read_text() for path in directory.iterdir() if path.name != warm_payloads.MARK}
    return dict(sorted(found.items()))


def first_run(account: Account, **archives: str) -> Store:
    store = account.run("first")
    warm_payloads.restore(store, shadows=False)
    for name, text in ({OURS: "archive"} | archives).items():
        (Path(store.run) / name).write_text(text)
    warm_payloads.save(store, shadows=False)
    return store


def test_the_next_run_finds_what_this_one_made(account: Account) -> None:
    first = first_run(account)
    assert made(first) == {OURS: "archive"}, "it is still there for this run"
    second = account.run("second")
    warm_payloads.restore(second, shadows=False)
    assert made(second) == {OURS: "archive"}
    warm_payloads.save(second, shadows=False)
    assert made(second) == {OURS: "archive"}


def test_only_finished_archives_of_the_collections_are_kept(account: Account) -> None:
    first_run(account, **{LEGACY: "a role's own", f"{OURS}-part": "half", f"{OURS}.lock": ""})
    second = account.run("second")
    warm_payloads.restore(second, shadows=False)
    assert made(second) == {OURS: "archive"}


@pytest.mark.parametrize(
    "file",
    [
        "ansible/module_utils/basic.py",
        "ansible/module_utils/new.py",
        "collections/ansible_collections/amazon/aws/plugins/module_utils/botocore.py",
        "collections/ansible_collections/palier/aws/meta/runtime.yml",
        "collections/ansible_collections/palier/aws/plugins/modules/s3_bucket.py",
    ],
)
def test_a_source_that_changes_has_them_made_anew(account: Account, file: str) -> None:
    first_run(account)
    (account.path / file).write_text("something else")
    second = account.run("second")
    warm_payloads.restore(second, shadows=False)
    assert made(second) == {}


def test_a_change_of_the_same_length_counts(account: Account) -> None:
    first_run(account)
    source = account.path / "ansible/module_utils/basic.py"
    before = source.stat()
    source.write_text(source.read_text().upper())
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    second = account.run("second")
    warm_payloads.restore(second, shadows=False)
    assert made(second) == {}


def test_another_version_of_ansible_makes_its_own(account: Account) -> None:
    first_run(account)
    second = account.run("second", version="2.19.1")
    warm_payloads.restore(second, shadows=False)
    assert made(second) == {}


def test_what_is_made_while_somebody_edits_is_not_kept(account: Account) -> None:
    store = account.run("first")
    warm_payloads.restore(store, shadows=False)
    (Path(store.run) / OURS).write_text("of before the edit, or after?")
    (account.path / "ansible/module_utils/basic.py").write_text("edited")
    warm_payloads.save(store, shadows=False)
    for name in ("second", "third"):
        later = account.run(name)
        warm_payloads.restore(later, shadows=False)
        assert made(later) == {}


def test_support_code_of_ones_own_is_neither_kept_nor_hidden(account: Account) -> None:
    store = account.run("first")
    warm_payloads.restore(store, shadows=False)
    (Path(store.run) / OURS).write_text("with a role's own support code")
    warm_payloads.save(store, shadows=True)
    second = account.run("second")
    warm_payloads.restore(second, shadows=False)
    assert made(second) == {}
    (Path(second.run) / OURS).write_text("archive")
    warm_payloads.save(second, shadows=False)
    third = account.run("third")
    warm_payloads.restore(third, shadows=False)
    assert made(third) == {OURS: "archive"}
    # A role with module_utils comes later in the same run.
    warm_payloads.restore(third, shadows=True)
    assert made(third) == {}


def test_a_run_that_began_without_is_left_alone(account: Account) -> None:
    first_run(account)
    second = account.run("second")
    Path(second.run).mkdir()
    (Path(second.run) / OURS).write_text("made by a task of another connection")
    warm_payloads.restore(second, shadows=False)
    warm_payloads.save(second, shadows=False)
    third = account.run("third")
    warm_payloads.restore(third, shadows=False)
    assert made(third) == {OURS: "archive"}


def test_the_archives_are_the_users_alone(account: Account) -> None:
    first_run(account)
    kept = account.path / "home" / warm_payloads.DIRECTORY
    assert {stat.S_IMODE(path.stat().st_mode) for path in (kept, *kept.iterdir())} == {0o700}
    kept.chmod(0o750)
    second = account.run("second")
    warm_payloads.restore(second, shadows=False)
    assert not Path(second.run).exists(), "what others could write to is not trusted"


def test_a_home_that_cannot_be_written_costs_nothing_but_time(account: Account) -> None:
    (account.path / "home").write_text("no directory")
    store = account.run("first")
    warm_payloads.restore(store, shadows=False)
    warm_payloads.save(store, shadows=False)
    assert not Path(store.run).exists()


def test_of_the_states_of_before_the_latest_stay(account: Account) -> None:
    for number in range(warm_payloads.KEPT_STATES + 3):
        store = account.run(f"run{number}", version=f"2.19.{number}")
        warm_payloads.restore(store, shadows=False)
    kept = account.path / "home" / warm_payloads.DIRECTORY
    assert len(list(kept.iterdir())) == warm_payloads.KEPT_STATES
    assert (kept / warm_payloads.digest(store)).is_dir()


def test_the_slower_of_two_workers_uses_what_the_other_linked(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_run(account)
    store = account.run("second")
    monkeypatch.setattr(os.path, "isdir", lambda path, real=os.path.isdir: path != store.run and real(path))
    warm_payloads.restore(store, shadows=False)
    warm_payloads.restore(store, shadows=False)
    assert made(store) == {OURS: "archive"}
    assert [path.name for path in Path(store.temporary).iterdir()] == [warm_payloads.RUN_DIRECTORY]

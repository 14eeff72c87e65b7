#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_lock
version_added: 0.1.0
short_description: Keep two runs from working on one stack at once
description:
  - Keeps a lock in a parameter of Systems Manager in the stack's own account and region. Standard parameters are free.
  - Taking a lock that is not there is atomic, since AWS creates the parameter for one caller only.
  - A run takes its own lock again without harm, which renews it. Giving back what is not there is fine.
  - The lock is no part of the plan. The module always reports C(changed=false), so that a plan equals its run and a
    second run changes nothing, although a real run does write. In check mode it only reads.
author: The palier.aws authors (@palier)
options:
  name:
    description:
      - The parameter's name, for example C(/shop/prod/lock). Every run on the stack must use the same one.
    type: str
    required: true
  state:
    description:
      - V(acquired) takes the lock or renews it, and fails while another run has it.
      - V(released) deletes it if the run has it. The lock of another run stays, with a warning.
    type: str
    choices: [acquired, released]
    default: acquired
  run_id:
    description: What tells this run from every other, for example an AWX job id or a random word made once a run.
    type: str
    required: true
  holder:
    description: Who runs it, for people who find the lock. Not given, it is the local user and host.
    type: str
  ttl:
    description:
      - Seconds for which the lock holds from each time it is taken or renewed. Another run may take it over 60 seconds
        after that.
      - It must be longer than the longest time between two renewals. The default is two hours, longer than AWS usually
        takes for any one tier (a distribution or a Multi-AZ database takes up to half an hour).
    type: int
    default: 7200
  wait_timeout:
    description: Seconds to wait for another run to end. V(0) does not wait.
    type: int
    default: 0
  force:
    description: With O(state=released), removes the lock whoever has it. For people, once no run is at work.
    type: bool
    default: false
  tags:
    description: Tags of the parameter. They are set when it is created.
    type: dict
    aliases: [resource_tags]
notes:
  - A lock that ran out is taken over by writing over it and looking at the version that this write became. Exactly one
    run gets the version right after. The others see that they came later, put that run's text back and fail.
  - Age is told by the clock of AWS, not by that of the machine.
  - A run that goes on beyond O(ttl) without renewing can lose the lock and notices only when it renews it.
  - A run that stands still for over 60 seconds between reading and deleting its own lock, just when its time ends, can
    delete the next run's.
  - When three or more runs meet over a lock that ran out, its text may name a run that has ended. It then holds until
    its time is over or O(force) removes it.
  - The permissions needed are C(ssm:GetParameter), C(ssm:PutParameter), C(ssm:DeleteParameter) and
    C(ssm:AddTagsToResource).
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Take the stack's lock
  palier.aws.stack_lock:
    region: eu-west-3
    name: /shop/prod/lock
    run_id: "{{ awx_job_id | default(__stack_run_id) }}"
    tags:
      Stack: shop

- name: Give it back
  palier.aws.stack_lock:
    region: eu-west-3
    name: /shop/prod/lock
    state: released
    run_id: "{{ awx_job_id | default(__stack_run_id) }}"

- name: Remove what a run that was killed left behind
  palier.aws.stack_lock:
    region: eu-west-3
    name: /shop/prod/lock
    state: released
    run_id: by-hand
    force: true
"""

RETURN = r"""
acquired:
  description: Whether this run has the lock now. In check mode, whether it had it or could take it.
  returned: always
  type: bool
lock:
  description: The lock that is there now, empty for none.
  returned: always
  type: dict
  contains:
    run_id: {description: The run that has it., type: str}
    holder: {description: Who runs it., type: str}
    started: {description: "When it was taken, ISO 8601, UTC.", type: str}
    expires: {description: "When its time is over unless it is renewed, ISO 8601, UTC.", type: str}
taken_over:
  description: The lock of another run that had run out and was taken over, or that O(force) removed; else empty.
  returned: always
  type: dict
"""

import datetime
import email.utils
import getpass
import re
import socket
import time
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.palier.aws.plugins.module_utils import stack_lock as locks
from ansible_collections.palier.aws.plugins.module_utils import stack_lock_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module

Params = t.Mapping[str, t.Any]

#: Seconds between two looks at another run's lock.
POLL_SECONDS = 10

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["acquired", "released"], "default": "acquired"},
    "run_id": {"type": "str", "required": True},
    "holder": {"type": "str"},
    "ttl": {"type": "int", "default": 7200},
    "wait_timeout": {"type": "int", "default": 0},
    "force": {"type": "bool", "default": False},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
}


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)  # noqa: UP017 (Python before 3.11 on the target)


class Parameter:
    """The lock's parameter in one region: answers what the protocol asks for."""

    def __init__(self, module: AnsibleAWSModule) -> None:
        self.client = module.client("ssm")
        self.name = module.params["name"]
        tags = module.params["tags"] or {}
        self.tags = ansible_dict_to_boto3_tag_list({str(key): str(value) for key, value in tags.items()})

    def perform(self, ask: locks.Ask) -> t.Any:
        if isinstance(ask, locks.Get):
            return self.get(ask.version)
        if isinstance(ask, locks.Create):
            return api.create(self.client, self.name, ask.lock.text(), self.tags)
        if isinstance(ask, locks.Overwrite):
            return self.overwrite(ask.lock)
        return api.delete(self.client, self.name)

    def get(self, version: int | None = None) -> locks.Found | None:
        answer = api.get(self.client, self.name if version is None else f"{self.name}:{version}")
        if answer is None:
            return None
        parameter = answer["Parameter"]
        written = parameter["LastModifiedDate"]
        age = (clock_of(answer) - written).total_seconds()
        return locks.Found(locks.parse(parameter["Value"]), parameter["Version"], max(age, 0), written)

    def overwrite(self, lock: locks.Lock) -> int:
        version = api.overwrite(self.client, self.name, lock.text())
        if version == 1 and self.tags:
            api.tag(self.client, self.name, self.tags)  # overwriting takes no tags, and this one created
        return version


def clock_of(answer: dict[str, t.Any]) -> datetime.datetime:
    """The time by AWS's clock, so that a machine whose clock is wrong takes no living lock."""
    date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    return email.utils.parsedate_to_datetime(date) if date else now()


def wanted_lock(params: Params) -> locks.Lock:
    return locks.Lock(
        run_id=params["run_id"],
        holder=params["holder"] or f"{getpass.getuser()}@{socket.gethostname()}",
        started=now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        ttl=params["ttl"],
    )


def check(params: Params) -> None:
    name = params["name"]
    if not re.fullmatch(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", name) or re.match(r"/?(aws|ssm)", name, re.IGNORECASE):
        raise AnsibleAWSError(
            message=f"name {name!r} is no parameter's name: write letters, digits and _.-, parted by slashes, "
            "not beginning with aws or ssm, for example /shop/prod/lock"
        )
    if params["ttl"] < 1:
        raise AnsibleAWSError(message=f"ttl {params['ttl']} must be a positive number of seconds")
    if not params["run_id"]:
        raise AnsibleAWSError(message="run_id is empty: write what tells this run from every other")


def shown(lock: locks.Lock | None, age: float = 0) -> dict[str, str]:
    if lock is None:
        return {}
    return {
        "run_id": lock.run_id,
        "holder": lock.holder,
        "started": lock.started,
        "expires": locks.until(age, lock, now()),
    }


def drive(
    module: AnsibleAWSModule, parameter: Parameter, make_protocol: t.Callable[[], locks.Protocol]
) -> locks.Outcome:
    try:
        return locks.drive(make_protocol(), parameter.perform)
    except locks.NoEndError as error:
        name = module.params["name"]
        raise AnsibleAWSError(message=f"lock {name} comes and goes under other runs: run again") from error


def acquire(module: AnsibleAWSModule, parameter: Parameter) -> dict[str, t.Any]:
    end = time.monotonic() + module.params["wait_timeout"]
    while True:
        outcome = drive(module, parameter, lambda: locks.acquire(wanted_lock(module.params)))
        if outcome.mine or time.monotonic() >= end:
            break
        time.sleep(POLL_SECONDS)
    if not outcome.mine:
        raise AnsibleAWSError(message=refusal(module.params["name"], outcome))
    if outcome.former:
        module.warn(
            f"the lock of run {outcome.former.run_id} by {outcome.former.holder} had run out and was taken over"
        )
    return result(outcome)


def refusal(name: str, outcome: locks.Outcome) -> str:
    lock = shown(outcome.lock, outcome.age)
    return (
        f"run {lock['run_id'] or '?'} by {lock['holder']} has been at work on this stack since {lock['started']} "
        f"(lock {name}, until {lock['expires']}): wait for its end or, if it is dead, release the lock with "
        "force: true (in this collection's playbooks: -e stack_lock_takeover=true)"
    )


def release(module: AnsibleAWSModule, parameter: Parameter) -> dict[str, t.Any]:
    params = module.params
    outcome = drive(module, parameter, lambda: locks.release(params["run_id"], params["force"]))
    if outcome.lock is not None:
        module.warn(f"lock {params['name']} stays: it is that of run {outcome.lock.run_id} by {outcome.lock.holder}")
    return result(outcome, former=outcome.former if params["force"] else None)


def result(outcome: locks.Outcome, former: locks.Lock | None = None) -> dict[str, t.Any]:
    return {
        "changed": False,
        "acquired": outcome.mine,
        "lock": shown(outcome.lock, outcome.age),
        "taken_over": shown(outcome.former if outcome.mine else former),
    }


def look(module: AnsibleAWSModule, parameter: Parameter) -> dict[str, t.Any]:
    """Check mode: say who has the lock, and write nothing."""
    found = parameter.get()
    free = found is None or found.lock.run_id == module.params["run_id"] or found.free_to_take
    if found is not None and not free:
        module.warn(f"run {found.lock.run_id} by {found.lock.holder} is at work on this stack: a real run would fail")
    lock = {} if found is None else shown(found.lock, found.age)
    return {"changed": False, "acquired": free and module.params["state"] == "acquired", "lock": lock, "taken_over": {}}


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    check(module.params)
    parameter = Parameter(module)
    if module.check_mode:
        return look(module, parameter)
    return acquire(module, parameter) if module.params["state"] == "acquired" else release(module, parameter)


def main() -> None:
    run_module(AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()

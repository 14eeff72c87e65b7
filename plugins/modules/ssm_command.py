#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.ssm_command."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_command
short_description: Run a shell script on instances through Systems Manager
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Runs a shell script on EC2 instances with Systems Manager Run Command (document C(AWS-RunShellScript)), so that no
    port is open for it and no key is kept.
  - Waits until Systems Manager reaches the instances, and until the script has ended. A script that fails on an
    instance fails the task, with the end of its output.
  - A script that takes minutes can be sent with O(wait=false) and looked at later with O(command_id).
options:
  instance_ids:
    description:
      - Ids of the instances, 50 at most.
    type: list
    elements: str
    required: true
    aliases: [instance_id]
  commands:
    description:
      - Lines of the script. It runs as root with C(/bin/sh), unless its first line names another interpreter
        (C(#!/bin/bash)), and goes on after a line that fails, so say C(set -e).
      - B(Never put a secret here.) AWS keeps and shows commands in clear text for 30 days, and they stand in the plan
        and the diff. Let the script fetch the secret with the instance's own role.
      - Exactly one of O(commands) and O(command_id) is required.
    type: list
    elements: str
  command_id:
    description:
      - Instead of sending a command, look at this one, which was sent before.
    type: str
  working_directory:
    description:
      - Directory in which the script runs.
    type: str
  timeout_seconds:
    description:
      - Seconds in which an instance must have taken the command, 30 at least.
    type: int
    default: 600
  execution_timeout:
    description:
      - Seconds that the script may run. AWS's own default and maximum are 3600 and 172800.
    type: int
    default: 3600
  online_timeout:
    description:
      - Seconds to wait until Systems Manager reaches all instances, as after a start. V(0) looks once.
    type: int
    default: 300
  wait:
    description:
      - Whether to wait until the script has ended.
    type: bool
    default: true
  comment:
    description:
      - What the script is for, 100 characters at most. It stands in the plan and in AWS's history.
    type: str
  output_s3_bucket:
    description:
      - Bucket for the whole output. AWS itself keeps the first 24,000 characters only.
    type: str
  output_s3_prefix:
    description:
      - Prefix in that bucket.
    type: str
  output_lines:
    description:
      - Last lines of the output that are returned, and shown in an error.
    type: int
    default: 50
  changed_marker:
    description:
      - The task is changed only if an instance's standard output has this text.
      - Without it, sending a command is always a change, and looking at one with O(command_id) is none.
    type: str
notes:
  - In check mode nothing is sent. The task is changed, its plan names the instances, which need not exist.
  - AWS has no way to send a command exactly once. After a network error it can have been sent twice, so let scripts be
    such that this does no harm.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Release version 1.4.2 on the instance
  palier.aws.ssm_command:
    region: eu-west-3
    instance_ids: [i-0a1b2c3d4e5f60718]
    comment: Release v1.4.2
    commands:
      - set -e
      - /opt/app/deploy.sh v1.4.2
    changed_marker: DEPLOYED

- name: Start a long migration
  palier.aws.ssm_command:
    region: eu-west-3
    instance_ids: [i-0a1b2c3d4e5f60718]
    commands: [set -e, /opt/app/migrate.sh]
    wait: false
  register: __migration

- name: Wait for the migration
  palier.aws.ssm_command:
    region: eu-west-3
    instance_ids: [i-0a1b2c3d4e5f60718]
    command_id: "{{ __migration.command_id }}"
    wait: false
  register: __migrated
  until: __migrated.finished
  retries: 60
  delay: 30
  when: not ansible_check_mode
"""

RETURN = r"""
command_id:
  description: The command's id; null in check mode.
  returned: always
  type: str
  sample: 92853adf-ba41-4cd6-9a88-142d1218c083
finished:
  description: Whether the script has ended on all instances.
  returned: always
  type: bool
results:
  description: What is known of each instance, also returned when the task fails.
  returned: always
  type: list
  elements: dict
  contains:
    instance_id:
      description: The instance.
      type: str
    status:
      description: V(Success), V(Failed), V(TimedOut), V(Cancelled), or one of a script that has not ended.
      type: str
    status_details:
      description: The same in more detail, for example V(ExecutionTimedOut).
      type: str
    response_code:
      description: The script's exit code, -1 before its end.
      type: int
    stdout:
      description: The last lines of its standard output.
      type: str
    stderr:
      description: The last lines of its standard error.
      type: str
    stdout_url:
      description: Where the whole output is, with O(output_s3_bucket).
      type: str
plan:
  description: What was done, or would be done in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(run), or V(keep) where the script changed nothing.
      type: str
    resource:
      description: The resource.
      type: str
    reason:
      description: Why.
      type: str
  sample:
    - action: run
      resource: script on instance i-0a1b2c3d4e5f60718
      reason: Release v1.4.2
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import ssm_command as pure
from ansible_collections.palier.aws.plugins.module_utils import ssm_command_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

ARGUMENTS = {
    "instance_ids": {"type": "list", "elements": "str", "required": True, "aliases": ["instance_id"]},
    "commands": {"type": "list", "elements": "str"},
    "command_id": {"type": "str"},
    "working_directory": {"type": "str"},
    "timeout_seconds": {"type": "int", "default": 600},
    "execution_timeout": {"type": "int", "default": 3600},
    "online_timeout": {"type": "int", "default": 300},
    "wait": {"type": "bool", "default": True},
    "comment": {"type": "str"},
    "output_s3_bucket": {"type": "str"},
    "output_s3_prefix": {"type": "str"},
    "output_lines": {"type": "int", "default": 50},
    "changed_marker": {"type": "str"},
}


def send(module: AnsibleAWSModule, client: t.Any) -> str:
    """Send the command once all instances can take it."""
    api.wait_online(client, module.params["instance_ids"], module.params["online_timeout"])
    return api.send_command(client, pure.send_request(module.params))


def results_of(module: AnsibleAWSModule, client: t.Any, command_id: str) -> list[pure.Result]:
    """What is known of the command, at its end if that is to be waited for."""
    ids = module.params["instance_ids"]
    if not module.params["wait"]:
        return api.look(client, command_id, ids)
    seconds = module.params["timeout_seconds"] + module.params["execution_timeout"] + pure.GRACE
    return api.wait_finished(client, command_id, ids, seconds)


def ended(module: AnsibleAWSModule, command_id: str, steps: list[Step], results: list[pure.Result]) -> dict[str, t.Any]:
    """The module's result, or its failure where the script failed."""
    lines, marker = module.params["output_lines"], module.params["changed_marker"]
    finished = not pure.unfinished(results)
    facts = {"command_id": command_id, "finished": finished, "results": pure.with_tails(results, lines)}
    failure = pure.failure_message(results, lines)
    if failure:
        module.fail_json(msg=failure, **facts)
    return outcome(pure.after_run(steps, results, marker, sent=not module.params["command_id"])) | facts


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """The module's body."""
    params = module.params
    pure.check_params(params)
    steps = pure.plan_run(params["instance_ids"], params["commands"], params["comment"])
    if module.check_mode and not params["command_id"]:
        return outcome(steps) | {"command_id": None, "finished": False, "results": []}
    client = module.client("ssm")
    command_id = params["command_id"] or send(module, client)
    return ended(module, command_id, steps, results_of(module, client, command_id))


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_one_of=[("commands", "command_id")],
        mutually_exclusive=[("commands", "command_id")],
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

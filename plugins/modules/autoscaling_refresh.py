#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.autoscaling_refresh."""

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscaling_refresh
short_description: Replace the instances of an Auto Scaling group by those of another launch template version
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Starts an instance refresh where the group or one of its instances has another version of the launch template than
    wanted. It does not wait for its end. With the refresh the group itself gets the version, if all goes well;
    otherwise AWS goes back.
  - Cancels a refresh to yet another version first; run it again until RV(waiting) is false.
  - M(amazon.aws.autoscaling_instance_refresh) knows neither a desired configuration, without which AWS does not go
    back, nor if a refresh is needed.
options:
  name:
    description: Name of the group. In check mode it need not exist.
    type: str
    required: true
  launch_template_id:
    description: Launch template that instances are to have.
    type: str
    required: true
  launch_template_version:
    description: Number of its version.
    type: str
    required: true
  min_healthy_percent:
    description:
      - Least healthy instances meanwhile, in percent of the desired capacity. With V(100) new ones come before old
        ones go.
    type: int
    default: 100
  max_healthy_percent:
    description: Most instances meanwhile, 100 to 200, at most 100 above O(min_healthy_percent).
    type: int
    default: 110
  instance_warmup:
    description: Seconds for which a new instance has to be in service before the next one is replaced.
    type: int
    default: 300
  auto_rollback:
    description: Whether AWS goes back to the version of before when new instances do not become healthy.
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Bring version 4 to the fleet
  palier.aws.autoscaling_refresh:
    name: shop-prod-web
    launch_template_id: lt-0123456789abcdef0
    launch_template_version: "4"
  register: refresh
  until: not refresh.waiting
  retries: 60
  delay: 15
"""

RETURN = r"""
refresh_id:
  description: Id of the refresh that was started, or an empty text.
  returned: always
  type: str
waiting:
  description: Whether an earlier refresh is still on its way back. Always false in check mode.
  returned: always
  type: bool
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: start
      resource: instance refresh of shop-prod-web
      reason: shop-prod-web, i-0123456789abcdef0 have another version than 4
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import autoscaling
from ansible_collections.palier.aws.plugins.module_utils import autoscaling_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe, decide, apply."""
    params, client = module.params, module.client("autoscaling")
    name = params["name"]
    group = api.describe_group(client, name)
    if group is None and not module.check_mode:
        module.fail_json(msg=f"name: there is no auto scaling group {name}; create it first")
    refreshes = api.describe_refreshes(client, name) if group else []
    step = autoscaling.refresh_step(group, refreshes, name, params["launch_template_version"])
    refresh_id = "" if module.check_mode else apply(client, params, step)
    waiting = step.verb in ("cancel", "skip") and not module.check_mode
    return {**outcome([step]), "refresh_id": refresh_id, "waiting": waiting}


def apply(client: t.Any, params: dict[str, t.Any], step: Step) -> str:
    """Start or cancel; the id of what was started."""
    if step.verb == "cancel":
        api.cancel_refresh(client, params["name"])
    if step.verb != "start":
        return ""
    template = {"LaunchTemplateId": params["launch_template_id"], "Version": params["launch_template_version"]}
    return api.start_refresh(
        client,
        AutoScalingGroupName=params["name"],
        DesiredConfiguration={"LaunchTemplate": template},
        Preferences=autoscaling.preferences(params),
    )


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "launch_template_id": {"type": "str", "required": True},
            "launch_template_version": {"type": "str", "required": True},
            "min_healthy_percent": {"type": "int", "default": 100},
            "max_healthy_percent": {"type": "int", "default": 110},
            "instance_warmup": {"type": "int", "default": 300},
            "auto_rollback": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

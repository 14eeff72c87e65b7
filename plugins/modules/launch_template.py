#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.launch_template."""

from __future__ import annotations

DOCUMENTATION = r"""
module: launch_template
short_description: Keep an EC2 launch template and its newest version
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Adds a version where the newest one is not as wanted, and makes it the default. Older versions stay, since an Auto
    Scaling group goes back to one when an instance refresh fails.
  - M(amazon.aws.ec2_launch_template) compares with all that AWS answers, C(State) of the metadata options among it,
    so that each run adds a version, and in check mode it returns neither id nor version.
options:
  name:
    description: Name of the launch template.
    type: str
    required: true
  state:
    description: Whether it should be there.
    type: str
    choices: [present, absent]
    default: present
  data:
    description: What instances are launched with, as C(LaunchTemplateData) in the EC2 API, but for C(UserData).
    type: dict
    default: {}
  user_data:
    description:
      - User data, as cloud-init reads it. It is compressed where it has more than the 16384 bytes that EC2 takes.
    type: str
    default: ""
  tags:
    description: Tags of the launch template. Those of instances and volumes stand in O(data).
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep a launch template
  palier.aws.launch_template:
    name: shop-prod-web
    data:
      ImageId: ami-0123456789abcdef0
      InstanceType: t3.small
      MetadataOptions: {HttpTokens: required, HttpPutResponseHopLimit: 1}
    user_data: "{{ lookup('ansible.builtin.template', 'user-data.yaml.j2') }}"
"""

RETURN = r"""
launch_template:
  description: The launch template; in check mode as it will be.
  returned: with O(state=present)
  type: dict
  contains:
    id:
      description: Its id, C(lt-00000000000000000) in a plan of one that does not exist.
      type: str
      returned: always
    name:
      description: Its name.
      type: str
      returned: always
    version:
      description: Number of its newest version.
      type: str
      returned: always
      sample: "3"
plan:
  description: What was decided, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - action: modify
      resource: launch template shop-prod-web
      reason: ImageId of version 2 differ
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.palier.aws.plugins.module_utils import autoscaling
from ansible_collections.palier.aws.plugins.module_utils import autoscaling_api as api
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

STAND_IN = "lt-00000000000000000"


def run(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Describe, decide, apply."""
    params, client = module.params, module.client("ec2")
    template = api.describe_template(client, params["name"])
    if params["state"] == "absent":
        return outcome(remove(module, client, template))
    version = api.describe_version(client, params["name"]) if template else None
    try:
        data = autoscaling.template_data(params["data"], params["user_data"])
    except ValueError as error:
        module.fail_json(msg=str(error))
    steps = [autoscaling.plan_template(params["name"], template, version, data)]
    if template:
        before = boto3_tag_list_to_ansible_dict(template.get("Tags") or [])
        steps += autoscaling.plan_members("tag", before, params["tags"])
    if not module.check_mode:
        template = apply(client, params, template, steps, data)
    return {**outcome(steps), "launch_template": facts(params["name"], template, version, steps)}


def apply(
    client: t.Any,
    params: dict[str, t.Any],
    template: dict[str, t.Any] | None,
    steps: list[Step],
    data: dict[str, t.Any],
) -> dict[str, t.Any] | None:
    """Carry out the steps that write; the launch template."""
    name, tags = params["name"], ansible_dict_to_boto3_tag_list(params["tags"])
    if steps[0].verb == "create":
        specification = [{"ResourceType": "launch-template", "Tags": tags}] if tags else []
        template = api.create_template(
            client, LaunchTemplateName=name, LaunchTemplateData=data, TagSpecifications=specification
        )
    elif steps[0].verb == "modify":
        version = api.create_version(client, LaunchTemplateName=name, LaunchTemplateData=data)
        api.set_default_version(client, name, str(version["VersionNumber"]))
    for step in steps[1:]:
        retag(client, str((template or {})["LaunchTemplateId"]), step, params["tags"])
    return template


def retag(client: t.Any, template_id: str, step: Step, tags: dict[str, str]) -> None:
    """Carry out what is to be done with one tag."""
    key = step.resource.removeprefix("tag ")
    if step.verb == "delete":
        api.delete_tags(client, template_id, [key])
    elif step.changes:
        api.create_tags(client, template_id, [{"Key": key, "Value": tags[key]}])


def facts(
    name: str, template: dict[str, t.Any] | None, version: dict[str, t.Any] | None, steps: list[Step]
) -> dict[str, str]:
    """Id and version after the steps; a version gets the next number."""
    number = (version or {}).get("VersionNumber", 0) + (1 if steps[0].changes else 0)
    return {"id": (template or {}).get("LaunchTemplateId", STAND_IN), "name": name, "version": str(number)}


def remove(module: AnsibleAWSModule, client: t.Any, template: dict[str, t.Any] | None) -> list[Step]:
    """Delete the launch template."""
    resource = f"launch template {module.params['name']}"
    if template is None:
        return [Step("keep", resource, "it does not exist")]
    if not module.check_mode:
        api.delete_template(client, module.params["name"])
    return [Step("delete", resource, "it is not wanted", {"Versions": template["LatestVersionNumber"]})]


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "data": {"type": "dict", "default": {}},
            "user_data": {"type": "str", "default": ""},
            "tags": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()

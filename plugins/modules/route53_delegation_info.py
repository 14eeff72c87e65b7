#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.route53_delegation_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: route53_delegation_info
short_description: Ask the DNS whether a domain is delegated to its hosted zone
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Asks the resolvers of the machine on which it runs for the domain's name servers and compares them with the zone's.
  - It makes no AWS call and fails for no answer, because a machine behind a proxy may have no resolver.
options:
  zone:
    description: Name of the zone.
    type: str
    required: true
  name_servers:
    description: The zone's name servers, as M(palier.aws.route53_hosted_zone) returns them.
    type: list
    elements: str
    required: true
  resolvers:
    description:
      - Addresses of the resolvers to ask, each with C(#port) where it is not 53. By default those in
        C(/etc/resolv.conf).
    type: list
    elements: str
  timeout:
    description: Seconds to wait for each resolver.
    type: float
    default: 3.0
attributes:
  check_mode:
    description: Can run in check mode; it only asks.
    support: full
"""

EXAMPLES = r"""
- name: Ask who answers for the domain
  palier.aws.route53_delegation_info:
    zone: shop.example
    name_servers: [ns-1.awsdns-01.com, ns-2.awsdns-02.net]
"""

RETURN = r"""
status:
  description:
    - V(delegated), V(missing) (the domain has no name servers), V(differs) (it has others) or V(unknown) (no resolver
      answered).
  returned: always
  type: str
found:
  description: The name servers that the DNS knows.
  returned: always
  type: list
  elements: str
message:
  description: A sentence for a person, with the name servers to enter at the registrar. Empty when all is well.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.palier.aws.plugins.module_utils import dns_query
from ansible_collections.palier.aws.plugins.module_utils.dns_names import plain


def sentence(zone: str, status: str, expected: list[str], found: list[str]) -> str:
    """What to tell a person."""
    if status in ("delegated", "unknown"):
        return ""
    now = f"it names {', '.join(found)}" if found else "it names none"
    return (
        f"The domain {plain(zone)} is not delegated to its hosted zone ({now}). Enter these name servers at the"
        f" registrar of the domain (or as NS records in the zone above): {', '.join(sorted(expected))}"
    )


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "zone": {"required": True},
            "name_servers": {"type": "list", "elements": "str", "required": True},
            "resolvers": {"type": "list", "elements": "str"},
            "timeout": {"type": "float", "default": 3.0},
        },
        supports_check_mode=True,
    )
    params = module.params
    servers = params["resolvers"]
    if servers is None:
        try:
            servers = dns_query.resolvers(dns_query.RESOLV_CONF.read_text(encoding="utf-8"))
        except OSError:
            servers = []
    asked = dns_query.ask(params["zone"], servers, params["timeout"])
    status = dns_query.judge(asked, params["name_servers"])
    found = asked[1] if asked else []
    message = sentence(params["zone"], status, params["name_servers"], found)
    module.exit_json(changed=False, status=status, found=found, message=message)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module palier.aws.acm_certificate_request."""

from __future__ import annotations

DOCUMENTATION = r"""
module: acm_certificate_request
short_description: Request a public certificate that is validated by DNS, and delete it again
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Requests a certificate of AWS Certificate Manager and returns the records by which its names are validated. It makes
    no record and does not wait until the certificate is issued.
  - A certificate is found again by its names, its kind of key and O(match_tags). Where names change, another one is
    requested beside the old one, which O(state=absent) with O(keep) removes once nothing uses it.
  - One that failed or was not validated within 72 hours is requested again.
  - CloudFront takes certificates of C(us-east-1) only, so the region is often not the one of the other resources.
options:
  state:
    description: Whether it should be there.
    type: str
    choices: [present, absent]
    default: present
  domains:
    description:
      - Its names, the main one first, such as V(shop.example.com) and V(*.shop.example.com). At most 10, unless AWS
        raised the quota of the account.
      - With O(state=absent) only certificates for exactly these names are deleted, or all that O(match_tags) finds.
    type: list
    elements: str
    default: []
  key_algorithm:
    description: Kind of its key.
    type: str
    choices: [RSA_2048, EC_prime256v1, EC_secp384r1]
    default: RSA_2048
  match_tags:
    description:
      - Tags by which the certificate is known as the caller's. Others of the account are never touched.
      - By default all of O(tags).
    type: dict
  keep:
    description: With O(state=absent), ARNs of certificates that stay.
    type: list
    elements: str
    default: []
  in_use:
    description: With O(state=absent), what to do about a certificate that something still uses.
    type: str
    choices: [fail, skip]
    default: fail
  zone:
    description:
      - With O(state=absent), name of a zone. Certificates that stay and have a name in it are read, so that their
        validation records can be kept.
    type: str
    default: ""
  records_timeout:
    description:
      - Seconds to wait until ACM has made the validation records of a new certificate, which takes it a few.
    type: int
    default: 60
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Request a certificate for a distribution
  palier.aws.acm_certificate_request:
    domains: [shop.example.com, www.shop.example.com]
    region: us-east-1
    tags:
      Stack: shop
  register: certificate

- name: Delete the certificates of the stack that are not wanted any more
  palier.aws.acm_certificate_request:
    state: absent
    match_tags:
      Stack: shop
    keep: ["{{ certificate.certificate.arn }}"]
    in_use: skip
    region: us-east-1
"""

RETURN = r"""
certificate:
  description: The certificate.
  returned: when O(state=present)
  type: dict
  contains:
    arn:
      description: Its ARN; empty in check mode when it does not exist yet.
      type: str
    status:
      description: V(PENDING_VALIDATION) until its records are found, then V(ISSUED). Empty when it does not exist yet.
      type: str
    domains:
      description: Its names, sorted.
      type: list
      elements: str
    validation_records:
      description:
        - The CNAME records that prove that its names are ours, each once. A wildcard and the name below which it stands
          share one.
        - In check mode stand-ins, when it does not exist yet.
      type: list
      elements: dict
      contains:
        name:
          description: Full name of the record.
          type: str
        value:
          description: Its value.
          type: str
    in_use_by:
      description: ARNs of what uses it.
      type: list
      elements: str
    expires_in_days:
      description: Whole days until it expires; -1 when that is not known or past.
      type: int
kept_records:
  description: Validation records of certificates found by O(match_tags) that stay, as V(validation_records) above.
  returned: when O(state=absent)
  type: list
  elements: dict
foreign_record_names:
  description: Names of validation records of other certificates with a name in O(zone).
  returned: when O(state=absent)
  type: list
  elements: str
plan:
  description: Every step, and why.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: What happens.
      type: str
    resource:
      description: To what.
      type: str
    reason:
      description: Why.
      type: str
"""

import datetime
import time
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import acm
from ansible_collections.palier.aws.plugins.module_utils import acm_api as api
from ansible_collections.palier.aws.plugins.module_utils.acm import Certificate
from ansible_collections.palier.aws.plugins.module_utils.aws import run_module
from ansible_collections.palier.aws.plugins.module_utils.dns_names import plain
from ansible_collections.palier.aws.plugins.module_utils.plan import Step, outcome

Document = dict[str, t.Any]

#: Seconds between two looks at a new certificate.
PAUSE = 1.0


def read(client: t.Any, arn: str, tags: dict[str, str] | None = None) -> Certificate | None:
    """A certificate, or C{None} when it is gone."""
    described = api.describe_certificate(client, arn)
    if described is None:
        return None
    return acm.from_aws(described, api.list_tags(client, arn) if tags is None else tags)


def summaries(client: t.Any, domains: t.Collection[str]) -> list[Document]:
    """The certificates that ACM issued or is to issue; with domains only those whose main name is one of them."""
    names = {plain(name) for name in domains}
    return [
        one
        for one in api.list_certificates(client, acm.KEY_TYPES)
        if one.get("Type", "AMAZON_ISSUED") == "AMAZON_ISSUED" and (not names or plain(one["DomainName"]) in names)
    ]


def ours(client: t.Any, candidates: list[Document], match: dict[str, str]) -> list[Certificate]:
    """Those of the candidates with the identifying tags."""
    tagged = ((one["CertificateArn"], api.list_tags(client, one["CertificateArn"])) for one in candidates)
    found = [read(client, arn, tags) for arn, tags in tagged if acm.carries(tags, match)]
    return [one for one in found if one is not None]


def present(module: AnsibleAWSModule, client: t.Any) -> Document:
    """Fetch, plan, apply."""
    params = module.params
    domains, algorithm = params["domains"], params["key_algorithm"]
    match = params["match_tags"] or params["tags"] or {}
    found = ours(client, summaries(client, domains), match)
    steps, there, dead = acm.plan_present(found, domains, algorithm, params["tags"], params["purge_tags"])
    if not module.check_mode:
        there = _apply(module, client, steps, there, dead)
    elif there is None:
        return {**outcome(steps), "certificate": _planned(domains)}
    elif not there.complete and not there.dead:
        there = _with_records(module, client, there.arn)
    return {**outcome(steps), "certificate": _facts(there)}


def _apply(
    module: AnsibleAWSModule, client: t.Any, steps: list[Step], there: Certificate | None, dead: list[Certificate]
) -> Certificate | None:
    for one in dead:
        api.delete_certificate(client, one.arn)
    if there is None:
        there = _with_records(module, client, _request(module, client, dead))
    elif any(step.verb == "tag" for step in steps):
        _tag(client, there, next(step.after["tags"] for step in steps if step.verb == "tag"))
    if there is not None and not there.complete and not there.dead:
        there = _with_records(module, client, there.arn)
    return there


def _request(module: AnsibleAWSModule, client: t.Any, dead: list[Certificate]) -> str:
    params = module.params
    main, *more = [plain(name) for name in params["domains"]]
    algorithm, tags = params["key_algorithm"], params["tags"] or {}
    request: Document = {
        "DomainName": main,
        "ValidationMethod": "DNS",
        "KeyAlgorithm": algorithm,
        "IdempotencyToken": acm.idempotency_token([main, *more], algorithm, tags, [one.arn for one in dead]),
    }
    if more:
        request["SubjectAlternativeNames"] = more
    if tags:
        request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return api.request_certificate(client, **request)


def _tag(client: t.Any, there: Certificate, after: dict[str, str]) -> None:
    gone = sorted(set(there.tags) - set(after))
    if gone:
        api.remove_tags(client, there.arn, gone)
    changed = {key: value for key, value in after.items() if there.tags.get(key) != value}
    if changed:
        api.add_tags(client, there.arn, changed)


def _with_records(module: AnsibleAWSModule, client: t.Any, arn: str) -> Certificate | None:
    """The certificate as soon as ACM has made its validation records."""
    deadline = time.monotonic() + module.params["records_timeout"]
    while True:
        found = read(client, arn)
        if found is not None and (found.complete or found.dead):
            return found
        if time.monotonic() >= deadline:
            module.fail_json(
                msg=f"ACM has not made the validation records of {arn} within {module.params['records_timeout']}"
                " seconds (records_timeout); run again"
            )
        time.sleep(PAUSE)


def _planned(domains: list[str]) -> Document:
    return {
        "arn": "",
        "status": "",
        "domains": sorted(map(plain, domains)),
        "validation_records": _listed(acm.standin_records(domains)),
        "in_use_by": [],
        "expires_in_days": -1,
    }


def _facts(found: Certificate | None) -> Document:
    if found is None:
        return _planned([])
    return {
        "arn": found.arn,
        "status": found.status,
        "domains": list(found.domains),
        "validation_records": _listed(found.records),
        "in_use_by": list(found.in_use_by),
        "expires_in_days": acm.days_left(found, datetime.datetime.now(datetime.UTC)),
    }


def _listed(records: t.Mapping[str, str]) -> list[Document]:
    return [{"name": name, "value": value} for name, value in sorted(records.items())]


def absent(module: AnsibleAWSModule, client: t.Any) -> Document:
    """Delete what is not wanted, and say which validation records others still need."""
    params = module.params
    domains = tuple(sorted({plain(name) for name in params["domains"]}))
    every = summaries(client, ())
    found = ours(client, every, params["match_tags"] or params["tags"] or {})
    removal = acm.plan_absent(
        [one for one in found if not domains or one.domains == domains], params["keep"], module.check_mode
    )
    if removal.used and params["in_use"] == "fail":
        module.fail_json(msg="\n".join(_used(one) for one in removal.used), in_use=True, **outcome([]))
    if not module.check_mode:
        for one in removal.delete:
            api.delete_certificate(client, one.arn)
    deleted = {one.arn for one in removal.delete}
    staying = [one for one in found if one.arn not in deleted]
    mine = {name: value for one in staying for name, value in one.records.items()}
    foreign = _foreign_records(client, every, {one.arn for one in found}, params["zone"])
    return {**outcome(removal.steps), "kept_records": _listed(mine), "foreign_record_names": sorted(foreign)}


def _used(certificate: Certificate) -> str:
    return (
        f"the certificate {certificate.domains[0]} ({certificate.arn}) cannot be deleted: it is used by"
        f" {', '.join(certificate.in_use_by)}; remove it from there first"
    )


def _foreign_records(client: t.Any, every: list[Document], own: set[str], zone: str) -> set[str]:
    if not zone:
        return set()
    arns = [one["CertificateArn"] for one in every if one["CertificateArn"] not in own]
    found = [read(client, arn, {}) for arn in arns]
    return {
        name
        for one in found
        if one is not None and not one.dead and acm.may_share_records(one.domains, zone)
        for name in one.records
    }


def run(module: AnsibleAWSModule) -> Document:
    """Do what the state asks for."""
    client = module.client("acm")
    return present(module, client) if module.params["state"] == "present" else absent(module, client)


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "state": {"choices": ["present", "absent"], "default": "present"},
            "domains": {"type": "list", "elements": "str", "default": []},
            "key_algorithm": {"choices": acm.REQUESTED_KEYS, "default": "RSA_2048", "no_log": False},
            "match_tags": {"type": "dict"},
            "keep": {"type": "list", "elements": "str", "default": []},
            "in_use": {"choices": ["fail", "skip"], "default": "fail"},
            "zone": {"default": ""},
            "records_timeout": {"type": "int", "default": 60},
            "tags": {"type": "dict", "aliases": ["resource_tags"]},
            "purge_tags": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    if module.params["state"] == "present" and not module.params["domains"]:
        module.fail_json(msg="domains: is empty; write the certificate's names, such as [shop.example.com]")
    if not (module.params["match_tags"] or module.params["tags"]):
        module.fail_json(
            msg="match_tags: is empty, and so are tags; write the tags by which the certificate is known, such as"
            " {Stack: shop}"
        )
    run_module(module, run)


if __name__ == "__main__":
    main()

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""IAM's decision on each request, for those who have an identity in the account's IAM.

An access key that IAM knows, of a user or of an assumed role, may do what the policies of its owner allow and nothing
else. Any other key stands for the account's root user, who may do everything.

moto has a check of its own, for which all requests or none have an identity; it knows neither S3's actions nor what an
operation needs beside its own, and takes a condition that does not hold for a denial.
"""

from __future__ import annotations

import io
import json
import re
import typing as t
from urllib.parse import parse_qs, unquote_plus

from moto.ec2.models import ec2_backends
from moto.iam.access_control import CreateAccessKeyFailure, create_access_key
from moto.iam.exceptions import NotFoundException
from moto.iam.models import Policy, get_account_id_from, iam_backends
from werkzeug.datastructures import EnvironHeaders as Headers

from tests.emulator import actions, policy

#: An action on a resource, with the keys that conditions may ask for.
Question = tuple[str, str, dict[str, str]]

_ROLE = re.compile(r"arn:aws:iam::\d+:role/[\w+=,.@/-]+")
_PROFILE = re.compile(r"arn:aws:iam::\d+:instance-profile/(?:[\w+=,.@-]+/)*([\w+=,.@-]+)")


def questions(service: str, operation: str, region: str, account: str, environ: dict[str, t.Any]) -> list[Question]:
    """What IAM is asked before a request is carried out.

    :param service: boto3's name of the service.
    :param operation: the API's name of the operation.
    :param region: the region that the request is signed for.
    :param account: the caller's account.
    :param environ: the WSGI environment. The body stays readable.
    """
    about = {"aws:RequestedRegion": region}
    body = _text(service, environ)
    called = f"{actions.PREFIXES.get(service, service)}:{operation}"
    asked: list[Question] = [
        (_of_version(action, environ), _resource(action, called, region, account, environ, body), about)
        for action in actions.needed(service, operation)
    ]
    if called in actions.PASSES_ROLE:
        asked += [
            ("iam:PassRole", role, {**about, "iam:PassedToService": to}) for role, to in _passed(account, region, body)
        ]
    return asked


def _of_version(action: str, environ: dict[str, t.Any]) -> str:
    """The action as it is asked: to read a version that is named wants another one than to read the newest."""
    named = f"{environ.get('QUERY_STRING', '')} {environ.get('HTTP_X_AMZ_COPY_SOURCE', '')}".lower()
    return "s3:GetObjectVersion" if action == "s3:GetObject" and "versionid=" in named else action


def _text(service: str, environ: dict[str, t.Any]) -> str:
    """The body as text; not that of an object, in which no role is named."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if service == "s3" and "replication" not in environ.get("QUERY_STRING", ""):
        return ""
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return unquote_plus(body.decode("utf-8", "replace"))


def _resource(action: str, called: str, region: str, account: str, environ: dict[str, t.Any], body: str) -> str:
    prefix = action.partition(":")[0]
    if prefix == "s3":
        name = environ.get("PATH_INFO", "/").strip("/")
        return f"arn:aws:s3:::{name}" if name and called.startswith("s3:") else "*"
    if action == "iam:CreateServiceLinkedRole":
        return f"arn:aws:iam::{account}:role/aws-service-role/of-{called.partition(':')[0]}"
    if prefix == "iam":
        return _iam_resource(account, body)
    # Which one it is would take each API's own reading; that it is one of the region is enough here.
    return f"arn:aws:{prefix}:{actions.region_of(action, region)}:{account}:one"


def _iam_resource(account: str, body: str) -> str:
    fields = {name: values[0] for name, values in parse_qs(body).items()}
    backend = iam_backends[account]["aws"]
    stand = {
        "InstanceProfileName": ("instance-profile", backend.instance_profiles.values()),
        "RoleName": ("role", backend.roles.values()),
        "PolicyName": ("policy", backend.managed_policies.values()),
    }
    if "PolicyArn" in fields and "RoleName" not in fields:
        return fields["PolicyArn"]
    if "OpenIDConnectProviderArn" in fields:
        return fields["OpenIDConnectProviderArn"]
    if fields.get("Action") == "CreateOpenIDConnectProvider":
        return f"arn:aws:iam::{account}:oidc-provider/{fields['Url'].removeprefix('https://')}"
    for field, (kind, standing) in stand.items():
        name = fields.get(field)
        if name:
            path = next((one.path for one in standing if one.name == name), fields.get("Path", "/"))
            return f"arn:aws:iam::{account}:{kind}{path}{name}"
    return "*"


def _passed(account: str, region: str, body: str) -> list[tuple[str, str]]:
    """The roles that a request hands over, each with the service that may take it on."""
    backend = iam_backends[account]["aws"]
    fields = parse_qs(body)
    found = set(_ROLE.findall(body))
    names = {*_PROFILE.findall(body), *_profiles_of_template(account, region, fields)}
    if fields.get("Action") == ["AddRoleToInstanceProfile"]:
        found |= {role.arn for role in backend.roles.values() if role.name == fields["RoleName"][0]}
    for profile in backend.instance_profiles.values():
        if profile.name in names:
            found |= {role.arn for role in profile.roles}
    return [(role.arn, _taker(role)) for role in backend.roles.values() if role.arn in found]


def _profiles_of_template(account: str, region: str, fields: dict[str, list[str]]) -> list[str]:
    """The instance profile of the launch template by whose version a group shall launch instances.

    Auto Scaling user guide, "Amazon EC2 Auto Scaling API permissions" (iam:PassRole).
    """
    named = {name.rpartition(".")[2]: values[0] for name, values in fields.items() if "LaunchTemplate." in name}
    templates = ec2_backends[account][region].launch_templates.values()
    versions = [
        template.get_version(named.get("Version", "$Default"))
        for template in templates
        if named.get("LaunchTemplateId") == template.id or named.get("LaunchTemplateName") == template.name
    ]
    profiles = [version.data.get("IamInstanceProfile", {}) for version in versions]
    return [profile.get("Name") or profile.get("Arn", "").rpartition("/")[2] for profile in profiles]


def _taker(role: t.Any) -> str:
    trust = json.loads(role.assume_role_policy_document)
    principals = [statement.get("Principal", {}) for statement in trust["Statement"]]
    # The roles of identity pools trust Cognito as a provider of identities.
    services = [one.get("Service") or one.get("Federated", "") for one in principals]
    first = services[0] if services else ""
    return first[0] if isinstance(first, list) else first


def allowed(policies: t.Iterable[policy.Document], question: Question) -> bool:
    """Whether the policies together allow it: one must, and none may deny it.

    :param policies: policy documents.
    :param question: what is asked.
    """
    action, resource, about = question
    request = policy.Request(action, resource, None, {key.lower(): value for key, value in about.items()})
    answers = [policy.evaluate(document, request) for document in policies]
    return policy.ALLOW in answers and policy.DENY not in answers


class DeniedError(Exception):
    """IAM refuses a request.

    :param code: the error code as the service gives it.
    """

    def __init__(self, code: str, action: str, resource: str) -> None:
        super().__init__(f"not authorized to perform: {action} on resource: {resource}")
        self.code = code


def check(call: dict[str, t.Any], environ: dict[str, t.Any]) -> None:
    """Refuse a request that its caller's policies do not allow, and note in C{call["asked"]} what IAM was asked.

    :param call: the recorder's entry.
    :param environ: the WSGI environment. The body stays readable.
    :raises DeniedError: when they do not.
    """
    policies = policies_of(call["access_key"], Headers(environ))
    if policies is None or call["operation"] is None:
        return
    asked = questions(call["service"], call["operation"], call["region"], call["account"], environ)
    call["asked"] = asked
    for question in asked:
        if not allowed(policies, question):
            raise DeniedError(_code(call["service"], environ), *question[:2])


def _code(service: str, environ: dict[str, t.Any]) -> str:
    if service == "ec2":
        return "UnauthorizedOperation"
    return "AccessDenied" if not environ.get("HTTP_X_AMZ_TARGET") else "AccessDeniedException"


def policies_of(access_key: str | None, headers: t.Any) -> list[policy.Document] | None:
    """The policies of the key's owner; None for the root user.

    :param access_key: from the request's signature.
    :param headers: the request's, for the session token of an assumed role.
    """
    if access_key is None:
        return None
    account = get_account_id_from(access_key)
    try:
        owner = create_access_key(account_id=account, partition="aws", access_key_id=access_key, headers=headers)
        return [_document(one) for one in owner.collect_policies()]
    except (CreateAccessKeyFailure, KeyError, NotFoundException):
        # moto lets one take on a role that there is not, of another account for example.
        return None


def _document(found_policy: t.Any) -> policy.Document:
    if isinstance(found_policy, Policy):
        text = next(version.document for version in found_policy.versions if version.is_default)
    else:
        text = found_policy if isinstance(found_policy, str) else found_policy["policy_document"]
    found: policy.Document = json.loads(text)
    return found

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What those who have signed in may do, and how an identity pool knows them."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.module_utils.buckets_names import bucket_arn

Values = t.Mapping[str, t.Any]
Document = dict[str, t.Any]

#: In a policy, the id of the identity that asks (IAM user guide, "IAM and AWS STS condition context keys").
OWN_ID = "${cognito-identity.amazonaws.com:sub}"


def identity_clients(clients: list[Document]) -> list[Document]:
    """Clients as M(palier.aws.cognito_user_pool) takes them.

    A wrong name and a wrong password get the same answer, and tokens can be revoked: nobody need ask for that.

    :param clients: as the inventory has them, defaults filled in.
    """
    always = {"prevent_user_existence_errors": True, "enable_token_revocation": True}
    return [
        {**{key: value for key, value in client.items() if key != "confidential"}, **always}
        | {"generate_secret": bool(client.get("confidential"))}
        for client in clients
    ]


def identity_providers(user_pool: Values) -> list[Document]:
    """The clients of a user pool as M(palier.aws.cognito_identity_pool) takes them.

    :param user_pool: what M(palier.aws.cognito_user_pool) returned.
    """
    provider = user_pool.get("provider_name") or ""
    return [{"provider_name": provider, "client_id": client} for client in (user_pool.get("clients") or {}).values()]


def identity_role_mappings(mappings: list[Document], user_pool: Values) -> list[Document]:
    """Role mappings by client, with each client's name turned into its provider.

    :param mappings: as the inventory has them, each with C{client}.
    """
    provider, clients = user_pool.get("provider_name") or "", user_pool.get("clients") or {}
    return [
        {
            **{key: value for key, value in mapping.items() if key != "client"},
            "provider": f"{provider}:{clients.get(mapping['client'], '')}",
        }
        for mapping in mappings
    ]


def identity_policy(bucket: Values, prefix: str, statements: list[Document], write: bool = True) -> Document:
    """What those who have signed in may do: reach their own files, and the customer's own statements.

    :param bucket: the bucket as the storage tier publishes it; empty for none.
    :param prefix: where users' files stand in it; each user's own are below their id.
    :param statements: further statements.
    :param write: whether users may change their files.
    :returns: empty for nothing.
    """
    found = [*_own_files(bucket, prefix, write), *statements] if bucket else list(statements)
    return {"Version": "2012-10-17", "Statement": found} if found else {}


def _own_files(bucket: Values, prefix: str, write: bool) -> t.Iterator[Document]:
    arn, own = bucket_arn(bucket["bucket"], bucket["region"]), f"{prefix}{OWN_ID}"
    yield {
        "Sid": "ListOwnFiles",
        "Effect": "Allow",
        "Action": ["s3:ListBucket"],
        "Resource": [arn],
        "Condition": {"StringLike": {"s3:prefix": [f"{own}/", f"{own}/*"]}},
    }
    yield {
        "Sid": "OwnFiles",
        "Effect": "Allow",
        "Action": ["s3:GetObject", *(["s3:PutObject", "s3:DeleteObject"] if write else [])],
        "Resource": [f"{arn}/{own}/*"],
    }
    if str(bucket.get("kms_key_id") or "").startswith("arn:"):
        yield {
            "Sid": "KeyOfTheBucket",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", *(["kms:GenerateDataKey"] if write else [])],
            "Resource": [bucket["kms_key_id"]],
            "Condition": {"StringEquals": {"kms:ViaService": f"s3.{bucket['region']}.amazonaws.com"}},
        }

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Somebody signs up, confirms and signs in, as an application would: C(sign_in.py <client id> <region>)."""

from __future__ import annotations

import sys
import typing as t

import boto3
from botocore.exceptions import ClientError

USER, PASSWORD = "ann@example.com", "Correct1horse"
#: Each lacks one of the things that the pool asks for.
WEAK = {
    "short": "Abc1",
    "no upper-case letter": "correct1horse",
    "no lower-case letter": "CORRECT1HORSE",
    "no digit": "CorrectHorse",
}


def refused(error: str, call: t.Callable[..., t.Any], **arguments: t.Any) -> None:
    """End with a sentence unless the call is refused with this error."""
    try:
        call(**arguments)
    except ClientError as caught:
        code = caught.response["Error"]["Code"]
        if code != error:
            raise SystemExit(f"{call.__name__} was refused with {code} rather than {error}") from caught
    else:
        raise SystemExit(f"{call.__name__} was not refused with {error}")


def main(client_id: str, region: str) -> None:
    """Do what a user does."""
    cognito = boto3.client("cognito-idp", region_name=region)
    attributes = [{"Name": "email", "Value": USER}]
    for password in WEAK.values():
        refused(
            "InvalidPasswordException",
            cognito.sign_up,
            ClientId=client_id,
            Username=USER,
            Password=password,
            UserAttributes=attributes,
        )
    cognito.sign_up(ClientId=client_id, Username=USER, Password=PASSWORD, UserAttributes=attributes)
    sign_in = {
        "ClientId": client_id,
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": USER, "PASSWORD": PASSWORD},
    }
    refused("UserNotConfirmedException", cognito.initiate_auth, **sign_in)
    # The emulator sends no mail and takes any code.
    cognito.confirm_sign_up(ClientId=client_id, Username=USER, ConfirmationCode="123456")
    token = cognito.initiate_auth(**sign_in)["AuthenticationResult"]["AccessToken"]
    found = {one["Name"]: one["Value"] for one in cognito.get_user(AccessToken=token)["UserAttributes"]}
    if found.get("email") != USER:
        raise SystemExit(f"{USER} signed in and is {found.get('email')}")
    wrong = {**sign_in, "AuthParameters": {"USERNAME": USER, "PASSWORD": f"{PASSWORD}x"}}
    refused("NotAuthorizedException", cognito.initiate_auth, **wrong)
    print(f"{USER} signed up, confirmed and signed in; {len(WEAK)} weak passwords were refused")


if __name__ == "__main__":
    main(*sys.argv[1:])

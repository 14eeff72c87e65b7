# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS Certificate Manager: validation by DNS, what uses a certificate, kinds of keys."""

from __future__ import annotations

import hashlib
import typing as t

from moto.acm import models
from moto.acm.responses import AWSCertificateManagerResponse
from moto.cloudfront.models import cloudfront_backends
from moto.core.exceptions import AWSError
from moto.elbv2.models import elbv2_backends
from moto.route53.models import route53_backends

from tests.emulator.patches import around, before, patch

_API = "ACM API reference"
_GUIDE = "ACM user guide"
#: What ListCertificates lists when no kind of key is asked for.
_LISTED_KEYS = ["RSA_1024", "RSA_2048"]
#: What is not known of a certificate before it is issued.
_OF_ISSUED = ("NotBefore", "NotAfter", "IssuedAt", "Serial", "Issuer")


def _account(bundle: t.Any) -> str:
    return str(bundle.arn).split(":")[4]


def _region(bundle: t.Any) -> str:
    return str(bundle.arn).split(":")[3]


def _validation_record(bundle: t.Any, domain: str) -> dict[str, str]:
    """The same for every certificate of an account with this name; a wildcard has that of the name below it."""
    base = domain.removeprefix("*.").lower()
    drawn = hashlib.sha256(f"{_account(bundle)}/{base}".encode()).hexdigest()
    return {
        "Name": f"_{drawn[:32]}.{base}.",
        "Type": "CNAME",
        "Value": f"_{drawn[32:]}.xlfgrmvvlj.acm-validations.aws.",
    }


@patch(
    restores="A validation record belongs to account and name, so certificates share it; it comes a moment after them.",
    source=f"{_GUIDE}, DNS validation; {_API}, DomainValidation (ResourceRecord) and RequestCertificate",
    touches=(
        "moto.acm.models:CertBundle.describe",
        "moto.acm.models:AWSCertificateManagerBackend.describe_certificate",
    ),
)
def validation_records() -> None:
    """Draw them from account and name, and leave them out of the first description."""

    @around(models.AWSCertificateManagerBackend, "describe_certificate")
    def look(original: t.Callable[..., t.Any], self: t.Any, arn: str) -> t.Any:
        bundle = original(self, arn)
        bundle.looks = getattr(bundle, "looks", 0) + 1
        return bundle

    @around(models.CertBundle, "describe")
    def describe(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        described = original(self)["Certificate"]
        options = sorted(described.get("DomainValidationOptions") or [], key=lambda one: one["DomainName"])
        for option in options:
            option["ResourceRecord"] = _validation_record(self, option["DomainName"])
            if getattr(self, "looks", 0) < 2:
                del option["ResourceRecord"]
        if options:
            described["DomainValidationOptions"] = options
        if self.status == "PENDING_VALIDATION":
            for name in _OF_ISSUED:
                described.pop(name, None)
        return {"Certificate": described}


@patch(
    restores="A certificate is issued once the validation records of all its names are in a public zone.",
    source=f"{_GUIDE}, DNS validation",
    touches="moto.acm.models:CertBundle.check",
)
def validation_by_dns() -> None:
    """Look into every account's zones, instead of waiting a minute."""

    @around(models.CertBundle, "check")
    def check(original: t.Callable[..., None], self: t.Any) -> None:
        if self.type != "AMAZON_ISSUED" or self.status != "PENDING_VALIDATION":
            original(self)
            return
        wanted = {(record["Name"], record["Value"]) for record in [_validation_record(self, one) for one in self.sans]}
        if wanted <= _published():
            self.status = "ISSUED"


def _published() -> set[tuple[str, str]]:
    """Every CNAME of every public zone."""
    return {
        (record.name, value if value.endswith(".") else f"{value}.")
        for account in list(route53_backends)
        for zone in route53_backends[account]["aws"].zones.values()
        if not zone.private_zone
        for record in zone.rrsets
        if record.type == "CNAME"
        for value in record.records or []
    }


@patch(
    restores="A certificate names the balancers and distributions that use it, and cannot be deleted while they do.",
    source=f"{_API}, DeleteCertificate (ResourceInUseException) and CertificateDetail (InUseBy)",
    touches=(
        "moto.acm.models:CertBundle.describe",
        "moto.acm.models:AWSCertificateManagerBackend.delete_certificate",
    ),
)
def certificates_in_use() -> None:
    """Ask the balancers of its region and the account's distributions."""

    @around(models.CertBundle, "describe")
    def describe(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        described = original(self)
        described["Certificate"]["InUseBy"] = _users(self)
        return described

    @before(models.AWSCertificateManagerBackend, "delete_certificate")
    def delete(self: t.Any, arn: str) -> None:
        users = _users(self._certificates[arn]) if arn in self._certificates else []
        if users:
            raise AWSError(f"Certificate {arn} in account {self.account_id} is in use.", "ResourceInUseException")

    @around(models.AWSCertificateManagerBackend, "delete_certificate")
    def forget(original: t.Callable[..., None], self: t.Any, arn: str) -> None:
        original(self, arn)
        for token in [token for token, held in self._idempotency_tokens.items() if held["arn"] == arn]:
            del self._idempotency_tokens[token]


def _users(bundle: t.Any) -> list[str]:
    balancers = elbv2_backends[_account(bundle)][_region(bundle)].load_balancers.values()
    users = [one.arn for one in balancers if any(_holds(listener, bundle.arn) for listener in one.listeners.values())]
    distributions = cloudfront_backends[_account(bundle)]["aws"].distributions.values()
    for one in distributions:
        shown = getattr(one.distribution_config, "ViewerCertificate", None)
        given = shown.get("ACMCertificateArn") if isinstance(shown, dict) else getattr(shown, "acm_certificate_arn", "")
        if given == bundle.arn:
            users.append(one.arn)
    return sorted(users)


def _holds(listener: t.Any, arn: str) -> bool:
    return arn == listener.certificate or arn in (listener.certificates or [])


@patch(
    restores="A certificate has the kind of key that was asked for; the list has RSA keys up to 2048 bits by default.",
    source=f"{_API}, RequestCertificate (KeyAlgorithm) and Filters (keyTypes)",
    touches=(
        "moto.acm.responses:AWSCertificateManagerResponse.request_certificate",
        "moto.acm.models:CertBundle.describe",
        "moto.acm.models:AWSCertificateManagerBackend.list_certificates",
    ),
)
def key_algorithms() -> None:
    """Remember it, and filter by it."""

    @around(AWSCertificateManagerResponse, "request_certificate")
    def request(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        answer = original(self)
        bundle = self.acm_backend._certificates[answer.result["CertificateArn"]]
        bundle.asked_key = getattr(bundle, "asked_key", None) or self._get_param("KeyAlgorithm") or "RSA_2048"
        return answer

    @around(models.CertBundle, "describe")
    def describe(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        described = original(self)
        asked = getattr(self, "asked_key", None)
        if asked:
            described["Certificate"]["KeyAlgorithm"] = asked
        return described

    @around(models.AWSCertificateManagerBackend, "list_certificates")
    def listed(original: t.Callable[..., t.Any], self: t.Any, statuses: t.Any, includes: t.Any) -> t.Any:
        return original(self, statuses, {"keyTypes": _LISTED_KEYS, **(includes or {})})

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Elastic Load Balancing: attributes, and what a balancer needs."""

from __future__ import annotations

import re
import typing as t

from moto.acm.models import acm_backends
from moto.elbv2 import models
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.responses import ELBV2Response

from tests.emulator.patches import around, before, patch

_BALANCER_DEFAULTS = {
    "access_logs.s3.enabled": "false",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
_STICKINESS_DEFAULTS = {
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.lb_cookie.duration_seconds": "86400",
}


@patch(
    restores="An application load balancer reports all its attributes with their defaults.",
    source="ELB API reference, LoadBalancerAttribute",
    touches="moto.elbv2.models:FakeLoadBalancer.__init__",
)
def balancer_attributes() -> None:
    """Fill in those that moto leaves out."""

    @around(models.FakeLoadBalancer, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        original(self, *args, **kwargs)
        if self.type == "application":
            self.attrs = {**_BALANCER_DEFAULTS, **self.attrs, "load_balancing.cross_zone.enabled": "true"}


@patch(
    restores="A target group reports its stickiness settings with their defaults.",
    source="ELB API reference, TargetGroupAttribute",
    touches="moto.elbv2.models:FakeTargetGroup.__init__",
)
def target_group_attributes() -> None:
    """Fill in those that moto leaves out."""

    @around(models.FakeTargetGroup, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        original(self, *args, **kwargs)
        if self.protocol in ("HTTP", "HTTPS"):
            for name, value in _STICKINESS_DEFAULTS.items():
                self.attributes.setdefault(name, value)


@patch(
    restores="A load balancer's deletion protection holds.",
    source="ELB API reference, DeleteLoadBalancer (OperationNotPermitted)",
    touches="moto.elbv2.responses:ELBV2Response.delete_load_balancer",
)
def deletion_protection() -> None:
    """Refuse the deletion."""

    @before(ELBV2Response, "delete_load_balancer")
    def check(self: t.Any) -> None:
        arn = self._get_param("LoadBalancerArn")
        balancer = self.elbv2_backend.load_balancers.get(arn)
        if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
            text = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            raise ELBClientError("OperationNotPermitted", text)


@patch(
    restores="A balancer has a short plain name, an application one two zones, an internet-facing one a gateway.",
    source="ELB API reference, CreateLoadBalancer (Name, Subnets; InvalidSubnet)",
    touches="moto.elbv2.models:ELBv2Backend.create_load_balancer",
)
def balancer_rules() -> None:
    """Check them; moto makes it all the same."""

    @before(models.ELBv2Backend, "create_load_balancer")
    def check(self: t.Any, name: str, security_groups: t.Any, subnet_ids: list[str], **kwargs: t.Any) -> None:
        check_name(name)
        subnets = [self.ec2_backend.get_subnet(identifier) for identifier in _subnets_asked_for(subnet_ids, kwargs)]
        if not subnets:
            return
        application = (kwargs.get("loadbalancer_type") or "application") == "application"
        if application and len({subnet.availability_zone for subnet in subnets}) < 2:
            text = "At least two subnets in two different Availability Zones must be specified"
            raise ELBClientError("ValidationError", text)
        if kwargs.get("scheme") != "internal" and not _has_gateway(self.ec2_backend, subnets[0].vpc_id):
            raise ELBClientError("InvalidSubnet", f"VPC {subnets[0].vpc_id} has no internet gateway")

    def check_name(name: str) -> None:
        if len(name) > 32:
            raise ELBClientError(
                "ValidationError", f"The load balancer name '{name}' cannot be longer than '32' characters"
            )
        if not re.fullmatch(r"(?!-)(?!internal-)[A-Za-z0-9-]+(?<!-)", name):
            text = f"The load balancer name '{name}' can only contain alphanumeric characters and hyphens(-)"
            raise ELBClientError("ValidationError", text)


def _subnets_asked_for(subnet_ids: list[str], others: dict[str, t.Any]) -> list[str]:
    return [*subnet_ids, *(one["SubnetId"] for one in others.get("subnet_mappings") or [])]


@patch(
    restores="A balancer's name is taken once: asked for again with the same settings it is answered, else refused.",
    source="ELB API reference, CreateLoadBalancer (idempotent; DuplicateLoadBalancerName)",
    touches="moto.elbv2.models:ELBv2Backend.create_load_balancer",
)
def one_balancer_a_name() -> None:
    """Moto makes a second one, with an ARN of its own."""

    @around(models.ELBv2Backend, "create_load_balancer")
    def create(
        original: t.Callable[..., t.Any],
        self: t.Any,
        name: str,
        security_groups: t.Any,
        subnet_ids: t.Any,
        **others: t.Any,
    ) -> t.Any:
        standing = next((one for one in self.load_balancers.values() if one.name == name), None)
        if standing is None:
            return original(self, name, security_groups, subnet_ids, **others)
        wanted = (others.get("scheme") or "internet-facing", others.get("loadbalancer_type") or "application")
        same_subnets = {getattr(one, "id", one) for one in standing.subnets} == set(
            _subnets_asked_for(subnet_ids, others)
        )
        if wanted != (standing.scheme or "internet-facing", standing.type or "application") or not same_subnets:
            raise ELBClientError("DuplicateLoadBalancerName", f"A load balancer with the name '{name}' already exists")
        return standing


def _has_gateway(backend: t.Any, vpc: str) -> bool:
    # The default VPC has a gateway on AWS; moto makes none.
    default = backend.default_vpc
    if default is not None and default.id == vpc:
        return True
    return any(gateway.vpc and gateway.vpc.id == vpc for gateway in backend.internet_gateways.values())


@patch(
    restores="A balancer has one listener a port; an HTTPS one has a certificate that exists and was issued.",
    source="ELB API reference, CreateListener (DuplicateListener, CertificateNotFound, UnsupportedCertificate)",
    touches="moto.elbv2.models:ELBv2Backend.create_listener",
)
def listener_rules() -> None:
    """Check it; moto makes any."""

    @before(models.ELBv2Backend, "create_listener")
    def check(self: t.Any, load_balancer_arn: str, protocol: str, port: str, *args: t.Any, **kwargs: t.Any) -> None:
        balancer = self.load_balancers.get(load_balancer_arn)
        if balancer and any(str(one.port) == str(port) for one in balancer.listeners.values()):
            raise ELBClientError("DuplicateListener", f"A listener already exists on port {port}")
        if protocol == "HTTPS":
            check_certificate(self, kwargs.get("certificate", args[1] if len(args) > 1 else None))

    def check_certificate(backend: t.Any, arn: str | None) -> None:
        if not arn:
            raise ELBClientError("ValidationError", "A certificate must be specified for HTTPS listeners")
        if not backend._certificate_exists(arn):
            raise ELBClientError("CertificateNotFound", f"Certificate '{arn}' not found")
        if ":acm:" in arn:
            found = acm_backends[backend.account_id][backend.region_name].get_certificate(arn)
            if found.status != "ISSUED":
                text = f"The certificate '{arn}' must have a fully-qualified domain name and be issued"
                raise ELBClientError("UnsupportedCertificate", text)


@patch(
    restores="A target group belongs to the balancers whose listeners and rules lead to it now.",
    source="ELB API reference, TargetGroup (LoadBalancerArns)",
    touches="moto.elbv2.models:ELBv2Backend.describe_target_groups",
)
def balancers_of_a_target_group() -> None:
    """Moto remembers those of before."""

    @before(models.ELBv2Backend, "describe_target_groups")
    def renew(self: t.Any, *_args: t.Any, **_kwargs: t.Any) -> None:
        for group in self.target_groups.values():
            group.load_balancer_arns = [
                balancer.arn
                for balancer in self.load_balancers.values()
                if any(
                    group.arn in self._get_target_group_arns_from(action_data=action.data)
                    for listener in balancer.listeners.values()
                    for rule in listener.rules.values()
                    for action in rule.actions
                    if action.type == "forward"
                )
            ]


@patch(
    restores="Rules may change places in one request.",
    source="ELB API reference, SetRulePriorities (PriorityInUse)",
    touches="moto.elbv2.models:ELBv2Backend.set_rule_priorities",
)
def rules_change_places() -> None:
    """Moto counts the priorities that the request's own rules give up."""

    @around(models.ELBv2Backend, "set_rule_priorities")
    def set_priorities(original: t.Callable[..., t.Any], self: t.Any, rule_priorities: list[dict[str, t.Any]]) -> t.Any:
        arns = [one["RuleArn"] for one in rule_priorities]
        rules = [rule for arn in arns for rule in self.describe_rules(listener_arn=None, rule_arns=[arn])]
        given_up = [rule.priority for rule in rules]
        for rule in rules:
            rule.priority = None
        try:
            return original(self, rule_priorities)
        except ELBClientError:
            for rule, priority in zip(rules, given_up, strict=True):
                rule.priority = priority
            raise

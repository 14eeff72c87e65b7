# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Load balancers: what they answer to, and whether a target really is healthy."""

from __future__ import annotations

import re
import typing as t

from tests.live.patches import around, patch

_REFERENCE = "Elastic Load Balancing API reference"


@patch(
    restores="Asking for target groups by names that none has is an error.",
    source=f"{_REFERENCE}, DescribeTargetGroups (TargetGroupNotFoundException)",
    touches="ministack.services.alb:_ACTION_MAP",
)
def missing_target_group() -> None:
    """MiniStack answers with an empty list."""
    from ministack.services import alb

    original = alb._ACTION_MAP["DescribeTargetGroups"]

    def describe(params: dict[str, t.Any]) -> t.Any:
        names = alb._parse_member_list(params, "Names")
        if names and not any(group["TargetGroupName"] in names for group in alb._tgs.values()):
            return alb._error("TargetGroupNotFound", "One or more target groups not found", 400)
        return original(params)

    alb._ACTION_MAP["DescribeTargetGroups"] = describe


_ADDRESS = re.compile(r"\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.elb\.amazonaws\.com$")


@patch(
    restores="A load balancer answers in each region, under its own name and its aliases, with HTTPS on 443.",
    source="Amazon Route 53 developer guide, Routing traffic to an ELB load balancer",
    touches=(
        "ministack.app:_is_potential_alb_request",
        "ministack.app:_handle_alb_request",
        "ministack.services.alb:find_lb_for_host",
    ),
)
def names_of_balancers() -> None:
    """MiniStack looks in its default region only, and knows no aliases."""
    from ministack import app
    from ministack.core.responses import get_account_id, request_scope
    from ministack.services import alb

    from tests.live.patches.route53 import resolve

    @around(app, "_is_potential_alb_request")
    def potential(original: t.Callable[..., bool], host: str, path: str) -> bool:
        return original(host, path) or _ADDRESS.search(resolve(host)) is not None

    @around(alb, "find_lb_for_host")
    def find(original: t.Callable[..., t.Any], host: str) -> t.Any:
        return original(resolve(host))

    @around(app, "_handle_alb_request")
    async def handle(
        original: t.Callable[..., t.Any], host: str, path: str, method: str, headers: t.Any, *rest: t.Any
    ) -> t.Any:
        found = _ADDRESS.search(resolve(host))
        if not found:
            return await original(host, path, method, headers, *rest)
        if headers.get("x-forwarded-proto") == "https" and ":" not in host:
            host = f"{host}:443"
        with request_scope(get_account_id(), found["region"]):
            return await original(host, path, method, headers, *rest)


#: What DescribeLoadBalancerAttributes says of an application load balancer on which nothing was set.
_DEFAULTS = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "client_keep_alive.seconds": "3600",
    "load_balancing.cross_zone.enabled": "true",
    "ipv6.deny_all_igw_traffic": "false",
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


@patch(
    restores="An application load balancer reports all its attributes with their defaults.",
    source=f"{_REFERENCE}, LoadBalancerAttribute",
    touches="ministack.services.alb:_ACTION_MAP",
)
def balancer_attributes() -> None:
    """MiniStack reports those that were set, and three more."""
    from ministack.services import alb

    create = alb._ACTION_MAP["CreateLoadBalancer"]

    def create_balancer(params: dict[str, t.Any]) -> t.Any:
        answer = create(params)
        for one in alb._lbs.values():
            attributes = alb._lb_attrs[one["LoadBalancerArn"]]
            there = {attribute["Key"] for attribute in attributes}
            attributes += [{"Key": name, "Value": value} for name, value in _DEFAULTS.items() if name not in there]
        return answer

    alb._ACTION_MAP["CreateLoadBalancer"] = create_balancer

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Resource Groups Tagging API: every tagged resource that exists, in its own region, and nothing that is gone.

AWS lists what was deleted for a while longer; here it goes at once, so that a test of what is left has one answer.
"""

from __future__ import annotations

import typing as t

from moto.backup import models as backup
from moto.cognitoidentity.models import cognitoidentity_backends
from moto.cognitoidp.models import cognitoidp_backends
from moto.core.resource_tagging import TaggedResource
from moto.ec2 import models as ec2
from moto.ec2 import utils as ec2_utils
from moto.ecr.models import ecr_backends
from moto.ecs import models as ecs
from moto.elbv2 import models as elbv2
from moto.events import models as events
from moto.iam.models import iam_backends
from moto.logs import models as logs
from moto.resourcegroupstaggingapi import models as tagging
from moto.route53.models import route53_backends
from moto.s3 import models as s3

from tests.emulator.patches import around, patch

_SOURCE = "Resource Groups Tagging API reference, Services that support the Resource Groups Tagging API"
#: Where the resources of services without regions are listed.
HOME = "us-east-1"

Resources = t.Iterator[TaggedResource]


@patch(
    restores="EC2's other tagged types are listed, with AWS's ARNs; what was terminated, deleted or rejected is not.",
    source=f"{_SOURCE}; Service Authorization Reference, Resource types defined by Amazon EC2",
    touches="moto.ec2.models:EC2Backend.iter_tagged_resources",
)
def ec2_resources() -> None:
    """List them all from one table."""

    def iterate(self: t.Any) -> Resources:
        for kind, resources in _ec2_collections(self).items():
            for resource in resources:
                tags = dict(self.tags.get(resource.id, {}))
                if tags and not _is_gone(resource):
                    arn = f"arn:{self.partition}:ec2:{self.region_name}:{self.account_id}:{kind}/{resource.id}"
                    yield TaggedResource(arn=arn, tags=tags, resource_type=f"ec2:{kind}")

    ec2.EC2Backend.iter_tagged_resources = iterate  # type: ignore[method-assign]


def _ec2_collections(backend: t.Any) -> dict[str, t.Iterable[t.Any]]:
    groups = [group for of_vpc in backend.groups.values() for group in of_vpc.values()]
    return {
        "customer-gateway": backend.customer_gateways.values(),
        "dhcp-options": backend.dhcp_options_sets.values(),
        "egress-only-internet-gateway": backend.egress_only_internet_gateways.values(),
        "elastic-ip": [_Tagged(address.allocation_id) for address in backend.addresses if address.allocation_id],
        "image": backend.amis.values(),
        "instance": [one for reservation in backend.reservations.values() for one in reservation.instances],
        "internet-gateway": backend.internet_gateways.values(),
        "key-pair": backend.key_pairs.values(),
        "launch-template": backend.launch_templates.values(),
        "natgateway": backend.nat_gateways.values(),
        "network-acl": backend.network_acls.values(),
        "network-interface": backend.enis.values(),
        "prefix-list": backend.managed_prefix_lists.values(),
        "route-table": backend.route_tables.values(),
        "security-group": groups,
        "security-group-rule": [rule for group in groups for rule in [*group.ingress_rules, *group.egress_rules]],
        "snapshot": backend.snapshots.values(),
        "spot-instances-request": backend.spot_instance_requests.values(),
        "subnet": [subnet for of_zone in backend.subnets.values() for subnet in of_zone.values()],
        "transit-gateway": backend.transit_gateways.values(),
        "transit-gateway-attachment": backend.transit_gateway_attachments.values(),
        "volume": backend.volumes.values(),
        "vpc": backend.vpcs.values(),
        "vpc-endpoint": backend.vpc_end_points.values(),
        "vpc-flow-log": backend.flow_logs.values(),
        "vpc-peering-connection": backend.vpc_pcxs.values(),
        "vpn-connection": backend.vpn_connections.values(),
        "vpn-gateway": backend.vpn_gateways.values(),
    }


class _Tagged:
    """Something that is known by another id in moto than in AWS."""

    def __init__(self, identifier: str) -> None:
        self.id = identifier


def _is_gone(resource: t.Any) -> bool:
    status = getattr(resource, "_status", None)
    states = {
        getattr(resource, "state", None),
        getattr(status, "code", None),
        getattr(getattr(resource, "_state", None), "name", None),
    }
    return bool(states & {"deleted", "deleting", "terminated", "rejected", "expired", "failed", "cancelled"})


@patch(
    restores="DescribeTags calls elastic IPs, NAT gateways, flow logs, prefix lists and spot requests by AWS's names.",
    source="EC2 API reference, TagDescription (ResourceType)",
    touches="moto.ec2.utils:EC2_PREFIX_TO_RESOURCE",
)
def ec2_resource_types() -> None:
    """Correct the names that moto derives from ids."""
    ec2_utils.EC2_PREFIX_TO_RESOURCE.update(
        {
            "eipalloc": "elastic-ip",
            "fl": "vpc-flow-log",
            "h": "dedicated-host",
            "nat": "natgateway",
            "pl": "prefix-list",
            "sir": "spot-instances-request",
        }
    )


@patch(
    restores="A bucket is listed in its own region only.",
    source=_SOURCE,
    touches="moto.resourcegroupstaggingapi.models:ResourceGroupsTaggingAPIBackend._get_resources_generator",
)
def buckets_in_their_region() -> None:
    """Leave out the others."""

    @around(tagging.ResourceGroupsTaggingAPIBackend, "_get_resources_generator")
    def iterate(original: t.Callable[..., Resources], self: t.Any, *args: t.Any, **kwargs: t.Any) -> Resources:
        buckets = s3.s3_backends[self.account_id][self.partition].buckets
        for resource in original(self, *args, **kwargs):
            if resource.resource_type == "s3:bucket":
                bucket = buckets.get(resource.arn.rpartition(":")[2])
                if bucket is None or bucket.region_name != self.region_name:
                    continue
            yield resource


@patch(
    restores="CloudFront's resources are listed in us-east-1 only.",
    source=f"{_SOURCE}; CloudFront Developer Guide, Tag a distribution",
    touches="moto.resourcegroupstaggingapi.models:iter_taggable_backends",
)
def global_services_in_one_region() -> None:
    """Leave the backend out elsewhere."""

    @around(tagging, "iter_taggable_backends")
    def iterate(original: t.Callable[..., t.Any], account_id: str, region_name: str) -> t.Iterator[t.Any]:
        for backend in original(account_id, region_name):
            if region_name == HOME or backend.SERVICE_NAMESPACE != "cloudfront":
                yield backend


@patch(
    restores="Zones, health checks, repositories, pools, profiles, policies and OIDC providers are listed.",
    source=_SOURCE,
    touches="moto.resourcegroupstaggingapi.models:iter_taggable_backends",
)
def other_services() -> None:
    """Add a lister for each backend that takes no part by itself."""

    @around(tagging, "iter_taggable_backends")
    def iterate(original: t.Callable[..., t.Any], account_id: str, region_name: str) -> t.Iterator[t.Any]:
        yield from original(account_id, region_name)
        yield _Lister(account_id, region_name)


def _serves(backends: t.Any, account: str, region: str) -> bool:
    """Whether a service was used in an account, and is there in a region."""
    return account in backends and region in backends[account]


class _Lister:
    """Stands in for a backend; what it lists is tagged through its own service only."""

    SERVICE_NAMESPACE = "other"

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region

    def owns_arn(self, arn: str) -> bool:
        """Never."""
        return False

    def iter_tagged_resources(self) -> Resources:
        """Everything, service by service."""
        yield from self._repositories()
        yield from self._pools()
        if self.region == HOME:
            yield from self._zones()
            yield from self._identities()

    def _repositories(self) -> Resources:
        if not _serves(ecr_backends, self.account, self.region):
            return
        backend = ecr_backends[self.account][self.region]
        for repository in backend.repositories.values():
            tags = backend.tagger.get_tag_dict_for_resource(repository.arn)
            yield TaggedResource(arn=repository.arn, tags=tags, resource_type="ecr:repository")

    def _pools(self) -> Resources:
        if _serves(cognitoidp_backends, self.account, self.region):
            for pool in cognitoidp_backends[self.account][self.region].user_pools.values():
                tags = dict(pool.extended_config.get("UserPoolTags") or {})
                yield TaggedResource(arn=pool.arn, tags=tags, resource_type="cognito-idp:userpool")
        if _serves(cognitoidentity_backends, self.account, self.region):
            for identities in cognitoidentity_backends[self.account][self.region].identity_pools.values():
                identifier = identities.identity_pool_id
                arn = f"arn:aws:cognito-identity:{self.region}:{self.account}:identitypool/{identifier}"
                yield TaggedResource(arn=arn, tags=dict(identities.tags), resource_type="cognito-identity:identitypool")

    def _zones(self) -> Resources:
        if self.account not in route53_backends:
            return
        backend = route53_backends[self.account]["aws"]
        for kind, held in (("hostedzone", backend.zones), ("healthcheck", backend.health_checks)):
            for name in held:
                identifier = name.rpartition("/")[2]
                tags = dict(backend.resource_tags.get(identifier, {}))
                yield TaggedResource(
                    arn=f"arn:aws:route53:::{kind}/{identifier}", tags=tags, resource_type=f"route53:{kind}"
                )

    def _identities(self) -> Resources:
        if self.account not in iam_backends:
            return
        backend = iam_backends[self.account]["aws"]
        own = [policy for arn, policy in backend.managed_policies.items() if ":iam::aws:" not in arn]
        for kind, held in (
            ("instance-profile", backend.instance_profiles.values()),
            ("policy", own),
            ("oidc-provider", backend.open_id_providers.values()),
        ):
            for resource in held:
                tags = {tag["Key"]: tag["Value"] for tag in _tag_list(resource.tags)}
                yield TaggedResource(arn=resource.arn, tags=tags, resource_type=f"iam:{kind}")


def _tag_list(tags: t.Any) -> list[dict[str, str]]:
    return list(tags.values()) if isinstance(tags, dict) else list(tags or [])


@patch(
    restores="Listeners and their rules are listed, and a load balancer only with tags.",
    source=_SOURCE,
    touches="moto.elbv2.models:ELBv2Backend.iter_tagged_resources",
)
def listeners() -> None:
    """Add them; a balancer without tags was never tagged."""

    @around(elbv2.ELBv2Backend, "iter_tagged_resources")
    def balancers(original: t.Callable[..., Resources], self: t.Any) -> Resources:
        yield from (resource for resource in original(self) if resource.tags)
        for balancer in self.load_balancers.values():
            for listener in balancer.listeners.values():
                kinds = [("listener", listener.arn), *(("listener-rule", rule) for rule in listener.rules)]
                for kind, arn in kinds:
                    tags = self.tagging_service.get_tag_dict_for_resource(arn)
                    yield TaggedResource(arn=arn, tags=tags, resource_type=f"elasticloadbalancing:{kind}")


@patch(
    restores="The rules of EventBridge are listed.",
    source=_SOURCE,
    touches="moto.events.models:EventsBackend.iter_tagged_resources",
)
def event_rules() -> None:
    """Add them."""

    @around(events.EventsBackend, "iter_tagged_resources")
    def rules(original: t.Callable[..., Resources], self: t.Any) -> Resources:
        yield from original(self)
        for bus in self.event_buses.values():
            for rule in bus.rules.values():
                tags = self.tagger.get_tag_dict_for_resource(rule.arn)
                yield TaggedResource(arn=rule.arn, tags=tags, resource_type="events:rule")


@patch(
    restores="Backup plans are listed until they are deleted.",
    source=_SOURCE,
    touches="moto.backup.models:BackupBackend.iter_tagged_resources",
)
def backup_plans() -> None:
    """Add them."""

    @around(backup.BackupBackend, "iter_tagged_resources")
    def plans(original: t.Callable[..., Resources], self: t.Any) -> Resources:
        yield from original(self)
        for plan in self.plans.values():
            if plan.deletion_date is None:
                tags = self.tagger.get_tag_dict_for_resource(plan.backup_plan_arn)
                yield TaggedResource(arn=plan.backup_plan_arn, tags=tags, resource_type="backup:backup-plan")


@patch(
    restores="Inactive clusters and services and stopped tasks are not listed.",
    source=_SOURCE,
    touches="moto.ecs.models:EC2ContainerServiceBackend.iter_tagged_resources",
)
def inactive_containers() -> None:
    """Leave them out."""

    @around(ecs.EC2ContainerServiceBackend, "iter_tagged_resources")
    def containers(original: t.Callable[..., Resources], self: t.Any) -> Resources:
        gone = {service.physical_resource_id for service in self.services.values() if service.status == "INACTIVE"}
        gone |= {cluster.arn for cluster in self.clusters.values() if cluster.status == "INACTIVE"}
        for tasks in self.tasks.values():
            gone |= {task.task_arn for task in tasks.values() if task.last_status == "STOPPED"}
        yield from (resource for resource in original(self) if resource.arn not in gone)


@patch(
    restores="A log group's resource type is logs:log-group, as its ARN says.",
    source=f"{_SOURCE}; API reference, GetResources (ResourceTypeFilters)",
    touches="moto.logs.models:LogsBackend.iter_tagged_resources",
)
def log_groups() -> None:
    """Rename it."""

    @around(logs.LogsBackend, "iter_tagged_resources")
    def groups(original: t.Callable[..., Resources], self: t.Any) -> Resources:
        for resource in original(self):
            yield TaggedResource(arn=resource.arn, tags=resource.tags, resource_type="logs:log-group")

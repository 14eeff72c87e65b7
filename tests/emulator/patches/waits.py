# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What takes time on AWS, and what AWS refuses meanwhile.

Only where the emulator's clock runs (L{tests.emulator.provisioning}): else all is there at once. These patches come
last, around the others.
"""

from __future__ import annotations

import functools
import typing as t

from moto.acm import models as acm
from moto.cloudfront import models as cloudfront
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import instances, nat_gateways
from moto.ec2.responses import elastic_block_store, elastic_ip_addresses, route_tables
from moto.ec2.responses import instances as instance_responses
from moto.ecs import models as ecs
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elbv2 import models as elbv2
from moto.rds import models as rds
from moto.rds.exceptions import RDSClientError
from moto.route53 import models as route53

from tests.emulator.patches import around, before, patch
from tests.emulator.patches import ecs as ecs_patches
from tests.emulator.provisioning import clock

#: What an RDS instance must be for most calls.
_STATES_OF_REST = ("available", "stopped", "storage-optimization")


def _away(thing: t.Any, kind: str, name: str, state: str, attribute: str = "status", rest: str = "") -> None:
    """Put a thing in a state that ends by itself, in C{rest} or in the state of before."""
    if not clock.runs:
        return
    after = rest or getattr(thing, attribute)
    setattr(thing, attribute, state)

    def end() -> None:
        if getattr(thing, attribute) == state:
            setattr(thing, attribute, after)

    clock.later(kind, name, end)


@patch(
    restores="A new database is creating for ten minutes, without an endpoint.",
    source="RDS User Guide, Viewing Amazon RDS DB instance status; API reference, DBInstance (Endpoint)",
    touches=(
        "moto.rds.models:DBInstance.endpoint",
        "moto.rds.models:RDSBackend.create_db_instance",
        "moto.rds.models:RDSBackend.create_db_instance_read_replica",
        "moto.rds.models:RDSBackend.restore_db_instance_from_db_snapshot",
        "moto.rds.models:RDSBackend.restore_db_instance_to_point_in_time",
    ),
)
def new_databases() -> None:
    """Moto has it available at once."""

    def create(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        database = original(self, *args, **kwargs)
        _away(database, "database", database.db_instance_identifier, "creating", rest="available")
        return database

    for name in (
        "create_db_instance",
        "create_db_instance_read_replica",
        "restore_db_instance_from_db_snapshot",
        "restore_db_instance_to_point_in_time",
    ):
        around(rds.RDSBackend, name)(create)

    endpoint: t.Any = rds.DBInstance.__dict__["endpoint"]
    rds.DBInstance.endpoint = property(  # type: ignore[assignment,method-assign]
        lambda self: None if clock.runs and self.status == "creating" else endpoint.fget(self)
    )


def _must_rest(database: t.Any, doing: str) -> None:
    if database is not None and database.status not in _STATES_OF_REST:
        raise RDSClientError(
            "InvalidDBInstanceState",
            f"Cannot {doing} because the database instance {database.db_instance_identifier} is not currently in the "
            f"available state (it is {database.status}).",
        )


@patch(
    restores="A database takes changes, snapshots and replicas when available only, and is modifying for a while.",
    source="RDS User Guide, Viewing Amazon RDS DB instance status; API reference (InvalidDBInstanceState)",
    touches=(
        "moto.rds.models:RDSBackend.create_db_instance_read_replica",
        "moto.rds.models:RDSBackend.create_db_snapshot",
        "moto.rds.models:RDSBackend.modify_db_instance",
        "moto.rds.models:RDSBackend.promote_read_replica",
        "moto.rds.models:RDSBackend.reboot_db_instance",
    ),
)
def busy_databases() -> None:
    """Moto takes everything at any time."""
    backend = rds.RDSBackend

    @before(backend, "create_db_instance_read_replica")
    def source_at_rest(self: t.Any, db_kwargs: t.Any) -> None:
        _must_rest(self.find_db_from_id(db_kwargs["source_db_instance_identifier"]), "create a read replica")

    @before(backend, "promote_read_replica")
    def replica_at_rest(self: t.Any, db_kwargs: t.Any) -> None:
        _must_rest(self.databases.get(db_kwargs["db_instance_identifier"]), "promote it")

    for name, doing in (("modify_db_instance", "modify it"), ("reboot_db_instance", "reboot it")):
        _rest_before(backend, name, doing)
    _rest_before(backend, "create_db_snapshot", "create a snapshot")

    def modify(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        database = original(self, *args, **kwargs)
        if database.status == "available":
            _away(database, "database modification", database.db_instance_identifier, "modifying")
        return database

    for name in ("modify_db_instance", "promote_read_replica"):
        around(backend, name)(modify)


def _rest_before(backend: t.Any, name: str, doing: str) -> None:
    @before(backend, name)
    def first(self: t.Any, db_instance_identifier: str, *_args: t.Any, **kwargs: t.Any) -> None:
        # The backups that RDS makes by itself come before anybody could look.
        if kwargs.get("snapshot_type", "manual") == "manual":
            _must_rest(self.databases.get(db_instance_identifier), doing)


@patch(
    restores="A database is deleting for minutes, holds its groups meanwhile, and is not deleted twice.",
    source="API reference, DeleteDBInstance (InvalidDBInstanceState)",
    touches="moto.rds.models:RDSBackend.delete_db_instance",
)
def deleted_databases() -> None:
    """Moto has it gone at once."""

    @around(rds.RDSBackend, "delete_db_instance")
    def delete(
        original: t.Callable[..., t.Any],
        self: t.Any,
        db_instance_identifier: str,
        final_db_snapshot_identifier: str | None = None,
        *args: t.Any,
        **kwargs: t.Any,
    ) -> t.Any:
        standing = self.databases.get(db_instance_identifier)
        if standing is not None and standing.status == "deleting":
            text = f"Instance {db_instance_identifier} is already being deleted."
            raise RDSClientError("InvalidDBInstanceState", text)
        if final_db_snapshot_identifier:
            _must_rest(standing, "create the final snapshot")
        gone = original(self, db_instance_identifier, final_db_snapshot_identifier, *args, **kwargs)
        if clock.runs:
            self.databases[db_instance_identifier] = gone
            clock.later("database deletion", db_instance_identifier, lambda: _forget(self.databases, gone))
        return gone


def _forget(held: dict[str, t.Any], thing: t.Any) -> None:
    for name in [name for name, one in held.items() if one is thing]:
        del held[name]


@patch(
    restores="A database's snapshot or copy is creating for minutes, and not copied or restored before.",
    source="API reference, DBSnapshot (Status), CopyDBSnapshot and RestoreDBInstanceFromDBSnapshot (Errors)",
    touches=(
        "moto.rds.models:RDSBackend.create_db_snapshot",
        "moto.rds.models:RDSBackend.copy_db_snapshot",
        "moto.rds.models:RDSBackend.restore_db_instance_from_db_snapshot",
    ),
)
def database_snapshots() -> None:
    """Moto has them available at once."""
    backend = rds.RDSBackend

    def must_be_available(self: t.Any, identifier: str) -> None:
        parts = identifier.split(":")
        held = rds.rds_backends[self.account_id][parts[3]] if len(parts) > 3 else self
        snapshot = held.database_snapshots.get(parts[-1])
        if snapshot is not None and snapshot.status != "available":
            raise RDSClientError(
                "InvalidDBSnapshotState", f"The snapshot {parts[-1]} is not in the available state ({snapshot.status})."
            )

    @around(backend, "create_db_snapshot")
    def create(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        snapshot = original(self, *args, **kwargs)
        if snapshot.snapshot_type == "manual":
            _away(snapshot, "database snapshot", snapshot.db_snapshot_identifier, "creating")
        return snapshot

    @around(backend, "copy_db_snapshot")
    def copy(
        original: t.Callable[..., t.Any],
        self: t.Any,
        source_db_snapshot_identifier: str,
        *args: t.Any,
        **kwargs: t.Any,
    ) -> t.Any:
        must_be_available(self, source_db_snapshot_identifier)
        snapshot = original(self, source_db_snapshot_identifier, *args, **kwargs)
        _away(snapshot, "database snapshot copy", snapshot.db_snapshot_identifier, "creating")
        return snapshot

    @before(backend, "restore_db_instance_from_db_snapshot")
    def restore(self: t.Any, from_snapshot_id: str, *_: t.Any) -> None:
        must_be_available(self, from_snapshot_id)


@patch(
    restores="A NAT gateway is pending, then deleting, for a minute or two; until available no route may lead to it.",
    source="VPC User Guide, NAT gateway basics; EC2 API reference, CreateRoute and Error codes (InvalidNatGatewayID)",
    touches=(
        "moto.ec2.models.nat_gateways:NatGatewayBackend.create_nat_gateway",
        "moto.ec2.models.nat_gateways:NatGatewayBackend.delete_nat_gateway",
        "moto.ec2.responses.route_tables:RouteTables.create_route",
        "moto.ec2.responses.route_tables:RouteTables.replace_route",
    ),
)
def gateways() -> None:
    """Moto has them available and deleted at once."""

    @around(nat_gateways.NatGatewayBackend, "create_nat_gateway")
    def create(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        gateway = original(self, *args, **kwargs)
        _away(gateway, "nat gateway", gateway.id, "pending", "state")
        return gateway

    @around(nat_gateways.NatGatewayBackend, "delete_nat_gateway")
    def delete(original: t.Callable[..., t.Any], self: t.Any, nat_gateway_id: str) -> t.Any:
        gateway = self.nat_gateways.get(nat_gateway_id)
        if gateway is None or not clock.runs:
            return original(self, nat_gateway_id)
        if gateway.state not in ("deleting", "deleted"):
            gateway.state = "deleting"
            clock.later("nat gateway deletion", gateway.id, lambda: original(self, nat_gateway_id))
        return gateway

    def refuse_pending(self: t.Any) -> None:
        asked = self._get_param("NatGatewayId")
        gateway = self.ec2_backend.nat_gateways.get(asked)
        if gateway is not None and gateway.state != "available":
            raise EC2ClientError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{asked}' does not exist")

    for name in ("create_route", "replace_route"):
        before(route_tables.RouteTables, name)(refuse_pending)


@patch(
    restores="A load balancer is provisioning for some minutes.",
    source="ELB API reference, LoadBalancerState (Code)",
    touches=("moto.elbv2.models:FakeLoadBalancer.__init__", "moto.elbv2.models:FakeLoadBalancer.activate"),
)
def balancers() -> None:
    """Moto activates it when somebody looks."""

    @around(elbv2.FakeLoadBalancer, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        original(self, *args, **kwargs)
        self.provisioning = True
        clock.later("load balancer", self.name, lambda: setattr(self, "provisioning", False))

    @around(elbv2.FakeLoadBalancer, "activate")
    def activate(original: t.Callable[..., None], self: t.Any) -> None:
        if not self.provisioning:
            original(self)


@patch(
    restores="A new or changed distribution takes minutes to be deployed.",
    source="CloudFront API reference, Distribution (Status)",
    touches=(
        "moto.cloudfront.models:Distribution.advance",
        "moto.cloudfront.models:CloudFrontBackend.create_distribution",
        "moto.cloudfront.models:CloudFrontBackend.update_distribution",
    ),
)
def distributions() -> None:
    """The next look finds it deployed otherwise."""
    advance = cloudfront.Distribution.advance

    def look(self: t.Any) -> None:
        if not getattr(self, "changes_under_way", 0):
            advance(self)

    cloudfront.Distribution.advance = look  # type: ignore[method-assign]

    def start(distribution: t.Any) -> None:
        distribution.changes_under_way = getattr(distribution, "changes_under_way", 0) + 1

        def end() -> None:
            distribution.changes_under_way -= 1

        clock.later("distribution", distribution.distribution_id, end)

    for name in ("create_distribution", "update_distribution"):

        @around(cloudfront.CloudFrontBackend, name)
        def change(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
            answer = original(self, *args, **kwargs)
            start(answer[0])
            return answer


@patch(
    restores="A certificate is issued a minute after its validation records were entered.",
    source="ACM user guide, DNS validation",
    touches=(
        "moto.acm.models:CertBundle.check",
        "moto.route53.models:Route53Backend.change_resource_record_sets",
    ),
)
def certificates() -> None:
    """Moto issues it at once, or a minute after it was asked for."""

    @around(acm.CertBundle, "check")
    def check(original: t.Callable[..., None], self: t.Any) -> None:
        was = self.status
        original(self)
        if not clock.runs or was != "PENDING_VALIDATION" or self.status != "ISSUED":
            return
        if not hasattr(self, "validated"):
            self.validated = False
            clock.later("certificate", self.arn, lambda: setattr(self, "validated", True))
        if not self.validated:
            self.status = was

    @around(route53.Route53Backend, "change_resource_record_sets")
    def change(original: t.Callable[..., t.Any], self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        answer = original(self, *args, **kwargs)
        for region in list(acm.acm_backends[self.account_id].values()) if clock.runs else []:
            for bundle in region._certificates.values():
                bundle.check()
        return answer


@patch(
    restores="An instance is pending for a while, and takes neither an address nor a stop meanwhile.",
    source="EC2 User Guide, Instance lifecycle; API reference, Error codes (InvalidInstanceID, IncorrectInstanceState)",
    touches=(
        "moto.ec2.models.instances:Instance.__init__",
        "moto.ec2.responses.elastic_ip_addresses:ElasticIPAddresses.associate_address",
        "moto.ec2.responses.instances:InstanceResponse.stop_instances",
    ),
)
def new_instances() -> None:
    """Moto has it running at once."""

    @around(instances.Instance, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        original(self, *args, **kwargs)
        if clock.runs:
            self._state.name, self._state.code = "pending", 0
            clock.later("instance", self.id, lambda: become_running(self))

    def become_running(instance: t.Any) -> None:
        if instance._state.name == "pending":
            instance._state.name, instance._state.code = "running", 16

    @before(elastic_ip_addresses.ElasticIPAddresses, "associate_address")
    def refuse_address(self: t.Any) -> None:
        for instance in _pending(self, [self._get_param("InstanceId")]):
            text = f"The pending instance '{instance.id}' is not in a valid state for this operation."
            raise EC2ClientError("InvalidInstanceID", text)

    @before(instance_responses.InstanceResponse, "stop_instances")
    def refuse_stop(self: t.Any) -> None:
        for instance in _pending(self, self._get_param("InstanceIds", [])):
            text = f"The instance '{instance.id}' is not in a state from which it can be stopped."
            raise EC2ClientError("IncorrectInstanceState", text)


@patch(
    restores="A terminated instance is shutting down for a while, and keeps its interfaces meanwhile.",
    source="EC2 User Guide, Instance lifecycle",
    touches="moto.ec2.models.instances:Instance.terminate",
)
def terminated_instances() -> None:
    """Moto has it terminated at once."""

    @around(instances.Instance, "terminate")
    def terminate(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
        if not clock.runs or self._state.name == "terminated":
            return original(self)
        previous = instances.InstanceState(self._state.name, self._state.code)
        if self._state.name != "shutting-down":
            self._state.name, self._state.code = "shutting-down", 32
            clock.later("instance termination", self.id, lambda: original(self))
        return previous


def _pending(request: t.Any, identifiers: list[str]) -> list[t.Any]:
    found = [one for hold in request.ec2_backend.reservations.values() for one in hold.instances]
    return [one for one in found if one.id in identifiers and one._state.name == "pending"]


@patch(
    restores="A service's tasks are pending for a while after a change, and a deleted service drains for a while.",
    source="ECS API reference, Service (runningCount, pendingCount, deployments), DeleteService (DRAINING)",
    touches=(
        "moto.ecs.responses:EC2ContainerServiceResponse.create_service",
        "moto.ecs.responses:EC2ContainerServiceResponse.update_service",
        "moto.ecs.responses:EC2ContainerServiceResponse.delete_service",
    ),
)
def services() -> None:
    """The next look finds them running otherwise."""

    def change(original: t.Callable[..., t.Any], self: t.Any, kind: str) -> t.Any:
        answer = original(self)
        named = self._get_param("serviceName") or self._get_param("service").rpartition("/")[2]
        cluster = self._get_param("cluster", "default").rpartition("/")[2]
        service = self.ecs_backend.services.get(f"{cluster}:{named}")
        if service is not None and clock.runs:
            service.changes_under_way = getattr(service, "changes_under_way", 0) + 1
            clock.later(kind, named, lambda: _end_change(service))
        return answer

    for name, kind in (
        ("create_service", "service"),
        ("update_service", "service"),
        ("delete_service", "service deletion"),
    ):
        around(EC2ContainerServiceResponse, name)(functools.partial(_with_kind, change, kind))

    @around(ecs_patches, "_settle")
    def settle(original: t.Callable[..., None], backend: t.Any, service: t.Any) -> None:
        if not getattr(service, "changes_under_way", 0):
            original(backend, service)


def _with_kind(function: t.Callable[..., t.Any], kind: str, original: t.Any, self: t.Any) -> t.Any:
    return function(original, self, kind)


def _end_change(thing: t.Any) -> None:
    thing.changes_under_way -= 1


@patch(
    restores="A one-off task runs for a while.",
    source="ECS API reference, Task (lastStatus)",
    touches=("moto.ecs.models:Task.__init__", "moto.ecs.models:Task.advance"),
)
def tasks() -> None:
    """The next look finds it ended otherwise."""

    @around(ecs.Task, "__init__")
    def init(original: t.Callable[..., None], self: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        original(self, *args, **kwargs)
        self.changes_under_way = 1
        if str(self.group).startswith("service:"):
            _end_change(self)
        else:
            clock.later("task", self.task_arn, lambda: _end_change(self))

    @around(ecs.Task, "advance")
    def advance(original: t.Callable[..., None], self: t.Any) -> None:
        if not self.changes_under_way:
            original(self)


@patch(
    restores="A volume's snapshot or copy is pending for minutes, and not copied or restored before it is completed.",
    source="EC2 API reference, Snapshot (State), CopySnapshot and CreateVolume; Error codes (IncorrectState)",
    touches=(
        "moto.ec2.responses.elastic_block_store:ElasticBlockStore.create_snapshot",
        "moto.ec2.responses.elastic_block_store:ElasticBlockStore.create_snapshots",
        "moto.ec2.responses.elastic_block_store:ElasticBlockStore.copy_snapshot",
        "moto.ec2.responses.elastic_block_store:ElasticBlockStore.create_volume",
    ),
)
def volume_snapshots() -> None:
    """Moto has them completed at once."""
    block_store = elastic_block_store.ElasticBlockStore

    def starting(name: str, kind: str) -> None:
        @around(block_store, name)
        def make(original: t.Callable[..., t.Any], self: t.Any) -> t.Any:
            held = set(self.ec2_backend.snapshots)
            answer = original(self)
            for identifier, snapshot in self.ec2_backend.snapshots.items():
                if identifier not in held:
                    _away(snapshot, kind, identifier, "pending")
            return answer

    def refuse_pending(backend: t.Any, identifier: str) -> None:
        snapshot = backend.snapshots.get(identifier)
        if snapshot is not None and snapshot.status != "completed":
            raise EC2ClientError("IncorrectState", f"Snapshot '{identifier}' is not 'completed'.")

    starting("create_snapshot", "snapshot")
    starting("create_snapshots", "snapshot")
    starting("copy_snapshot", "snapshot copy")

    @before(block_store, "copy_snapshot")
    def check_source(self: t.Any) -> None:
        from moto.ec2.models import ec2_backends

        source = ec2_backends[self.current_account][self._get_param("SourceRegion")]
        refuse_pending(source, self._get_param("SourceSnapshotId"))

    @before(block_store, "create_volume")
    def check_restored(self: t.Any) -> None:
        refuse_pending(self.ec2_backend, self._get_param("SnapshotId"))

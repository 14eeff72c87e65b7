# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An account of snapshots in memory that keeps AWS's rules: pages, pending states, quotas, keys, copies in flight.

Its clients are boto3's own, with real paginators and parameter validation; only the wire is cut off. Time moves when
somebody sleeps. Any call can be made to fail, before it takes effect or after (the answer is lost).
"""

from __future__ import annotations

import functools
import itertools
import typing as t
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pytest
from ansible_collections.amazon.aws.plugins.module_utils import cloud as amazon_cloud
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.palier.aws.plugins.module_utils import snapshots_api, snapshots_run
from botocore import xform_name
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.validate import ParamValidator

ACCOUNT, OTHER_ACCOUNT = "111111111111", "222222222222"
PARIS, FRANKFURT = "eu-west-3", "eu-central-1"

Raw = dict[str, t.Any]


def refusal(code: str, message: str = "as the test wanted", operation: str = "Call") -> ClientError:
    """An error as AWS returns it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def lost_answer() -> Exception:
    """No answer came."""
    return ReadTimeoutError(endpoint_url="https://example.invalid")


def unreachable() -> Exception:
    """No connection came about."""
    return EndpointConnectionError(endpoint_url="https://example.invalid")


_session = functools.cache(lambda: boto3.session.Session(aws_access_key_id="testing", aws_secret_access_key="testing"))


@functools.cache
def _real_client(service: str, region: str, account: str) -> t.Any:
    # One for all tests: loading the model of EC2 takes longer than a test.
    return _session().client(service, region_name=region)


class Cloud:
    """The accounts.

    :param page: entries in a page, few so that paging is exercised.
    """

    def __init__(self, page: int = 3) -> None:
        self.now = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
        self.page = page
        self.pending_seconds = 60
        self.quota = {"ebs": 100_000, "rds": 100}
        self.copies_at_once = 20
        self.calls: list[tuple[str, Raw]] = []
        self.instances: dict[str, Raw] = {}
        self.databases: dict[str, Raw] = {}
        self.clusters: dict[str, Raw] = {}
        self.images: list[Raw] = []
        self.volumes: list[Raw] = []
        self.others: dict[str, Raw] = {}
        self.ebs: list[Raw] = []
        self.rds: list[Raw] = []
        self.keys: dict[str, Raw] = {}
        self.most_in_flight = 0
        self.clock: Clock
        self._ids = itertools.count(1)
        self._faults: list[tuple[t.Callable[[int, str, Raw], bool], Exception, bool]] = []
        self._validator = ParamValidator()

    # What tests do

    def fail(self, operation: str | int, error: Exception, *, after: bool = False, times: int = 1) -> None:
        """Make calls fail.

        :param operation: name of the operation, or number of the call counted from 0.
        :param error: what is raised.
        :param after: whether the call takes effect first.
        :param times: how many calls; -1 for all.
        """
        left = [times]

        def applies(number: int, name: str, params: Raw) -> bool:
            if left[0] == 0 or operation not in (number, name):
                return False
            left[0] -= 1
            return True

        self._faults.append((applies, error, after))

    def fail_when(self, applies: t.Callable[[str, Raw], bool], error: Exception) -> None:
        """Make calls fail that a test describes by operation and parameters."""
        self._faults.append((lambda _number, name, params: applies(name, params), error, False))

    def heal(self) -> None:
        """No call fails any more; the count of calls starts anew."""
        self._faults.clear()
        self.calls.clear()

    def count(self) -> Counter[str]:
        """How often each operation was called."""
        return Counter(name for name, _params in self.calls)

    @property
    def writes(self) -> list[str]:
        """The operations called that are not reads."""
        reads = ("Describe", "Get", "AssumeRole")
        return [name for name, _params in self.calls if not name.startswith(reads)]

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def add_instance(self, name: str = "shop-prod-web", volumes: int = 2, region: str = PARIS, **more: t.Any) -> str:
        """An instance with so many volumes, the first of which is its root."""
        number = next(self._ids)
        instance = f"i-{number:017x}"
        devices = ["/dev/xvda", *(f"/dev/sd{letter}" for letter in "fghijklmnopqrstuvwxyz")][:volumes]
        self.instances[instance] = {
            "InstanceId": instance,
            "State": {"Name": "running"},
            "Placement": {"AvailabilityZone": f"{region}a"},
            "RootDeviceName": "/dev/xvda",
            "Tags": [{"Key": "Name", "Value": name}] if name else [],
            "BlockDeviceMappings": [
                {"DeviceName": d, "Ebs": {"VolumeId": f"vol-{number:04x}{i:013x}"}} for i, d in enumerate(devices)
            ],
            "region": region,
            **more,
        }
        return instance

    def add_database(self, name: str = "shop-prod-db", status: str = "available", region: str = PARIS) -> str:
        """A database instance."""
        self.databases[name] = {"DBInstanceIdentifier": name, "DBInstanceStatus": status, "region": region}
        return name

    def add_key(self, key: str, state: str = "Enabled", manager: str = "CUSTOMER", region: str = PARIS) -> str:
        """A KMS key; returns its ARN."""
        arn = f"arn:aws:kms:{region}:{ACCOUNT}:key/{key}"
        facts = {"KeyId": key, "Arn": arn, "KeyState": state, "KeyManager": manager, "KeyUsage": "ENCRYPT_DECRYPT"}
        self.keys[key] = self.keys[arn] = {**facts, "Enabled": state == "Enabled", "region": region}
        return arn

    def client(self, service: str, region: str, account: str = ACCOUNT) -> t.Any:
        """A boto3 client whose calls end here."""
        client = _real_client(service, region, account)
        place = SimpleNamespace(region=region, account=account)

        def call(operation: str, params: Raw) -> Raw:
            model = client.meta.service_model.operation_model(operation)
            report = self._validator.validate(params, model.input_shape)
            assert not report.has_errors(), f"{operation}: {report.generate_report()}"
            return self._call(operation, params, place)

        client._make_api_call = call
        return client

    # The accounts' side

    def _call(self, operation: str, params: Raw, place: t.Any) -> Raw:
        number = len(self.calls)
        self.calls.append((operation, params))
        hits = [(error, after) for applies, error, after in self._faults if applies(number, operation, params)]
        for error, after in hits:
            if not after:
                raise error
        answer = getattr(self, f"aws_{xform_name(operation)}")(params, place)
        for error, _after in hits:
            raise error
        return answer

    def _settle(self) -> None:
        for raw in self.ebs:
            if raw["State"] == "pending" and self.now >= raw["ready"]:
                raw["State"] = "error" if raw.get("doomed") else "completed"
                raw["StateMessage"] = raw.get("doomed", "")
        for raw in self.rds:
            if raw["Status"] in ("creating", "copying") and self.now >= raw["ready"]:
                raw["Status"] = "available"
        for name, raw in list(self.databases.items()):
            if raw["DBInstanceStatus"] in ("creating", "renaming") and self.now >= raw["ready"]:
                raw["DBInstanceStatus"] = "available"
                if "renamed" in raw:
                    raw["DBInstanceIdentifier"] = raw.pop("renamed")
                    self.databases[raw["DBInstanceIdentifier"]] = self.databases.pop(name)

    def _page(self, items: list[Raw], params: Raw, size: str, token: str) -> tuple[list[Raw], Raw]:
        start = int(params.get(token, 0))
        count = min(params.get(size, self.page), self.page)
        more = {token: str(start + count)} if start + count < len(items) else {}
        return items[start : start + count], more

    @staticmethod
    def _seen(raw: Raw) -> Raw:
        hidden = ("region", "account", "ready", "doomed", "shared", "key")
        return {key: value for key, value in raw.items() if key not in hidden}

    def _mine(self, listing: list[Raw], place: t.Any) -> list[Raw]:
        self._settle()
        return [r for r in listing if (r["region"], r["account"]) == (place.region, place.account)]

    def aws_describe_snapshots(self, params: Raw, place: t.Any) -> Raw:
        assert params["OwnerIds"] == ["self"], "public snapshots are not ours"
        found = self._mine(self.ebs, place)
        for only in params.get("Filters", []):
            found = [r for r in found if self._passes(r, only["Name"], only["Values"])]
        page, more = self._page(found, params, "MaxResults", "NextToken")
        return {"Snapshots": [self._seen(r) for r in page], **more}

    @staticmethod
    def _passes(raw: Raw, name: str, values: list[str]) -> bool:
        tags = {tag["Key"]: tag["Value"] for tag in raw["Tags"]}
        if name.startswith("tag:"):
            return tags.get(name[4:]) in values
        return {"status": raw["State"], "volume-id": raw["VolumeId"]}[name] in values

    def aws_describe_images(self, params: Raw, place: t.Any) -> Raw:
        assert params["Owners"] == ["self"]
        found = [i for i in self.images if params.get("IncludeDisabled") or not i.get("disabled")]
        page, more = self._page(found, params, "MaxResults", "NextToken")
        return {"Images": page, **more}

    def aws_describe_instances(self, params: Raw, place: t.Any) -> Raw:
        raw = self.instances.get(params["InstanceIds"][0])
        if not raw or raw["region"] != place.region:
            raise refusal("InvalidInstanceID.NotFound", "The instance ID does not exist")
        return {"Reservations": [{"Instances": [raw]}]}

    def _new_ebs(self, place: t.Any, params: Raw, **more: t.Any) -> Raw:
        if len(self._mine(self.ebs, place)) >= self.quota["ebs"]:
            raise refusal("SnapshotLimitExceeded", "You have reached your limit of snapshots")
        tags = [tag for spec in params.get("TagSpecifications", []) for tag in spec["Tags"]]
        self._check_tags(tags)
        return {
            "SnapshotId": f"snap-{next(self._ids):017x}",
            "State": "pending",
            "StartTime": self.now,
            "Description": params.get("Description", ""),
            "VolumeSize": 8,
            "Encrypted": False,
            "Tags": tags,
            "region": place.region,
            "account": place.account,
            "ready": self.now + timedelta(seconds=self.pending_seconds),
            "shared": set(),
            **more,
        }

    @staticmethod
    def _check_tags(tags: list[Raw]) -> None:
        for tag in tags:
            if tag["Key"].lower().startswith("aws:"):
                raise refusal("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved")
            assert len(tag["Value"]) <= 256, tag
        assert len(tags) <= 50

    def aws_create_snapshots(self, params: Raw, place: t.Any) -> Raw:
        wanted = params["InstanceSpecification"]
        instance = self.instances[wanted["InstanceId"]]
        mappings = [
            m
            for m in instance["BlockDeviceMappings"]
            if not (m["DeviceName"] == instance["RootDeviceName"] and wanted.get("ExcludeBootVolume"))
            and m["Ebs"]["VolumeId"] not in wanted.get("ExcludeDataVolumeIds", [])
        ]
        made = [self._new_ebs(place, params, VolumeId=m["Ebs"]["VolumeId"]) for m in mappings]
        self.ebs += made
        return {"Snapshots": [self._seen(r) for r in made]}

    def aws_copy_snapshot(self, params: Raw, place: t.Any) -> Raw:
        source = next((r for r in self.ebs if r["SnapshotId"] == params["SourceSnapshotId"]), None)
        if not source or source["region"] != params["SourceRegion"]:
            raise refusal("InvalidSnapshot.NotFound", "Snapshot does not exist")
        if source["account"] != place.account and place.account not in source["shared"]:
            raise refusal("InvalidSnapshot.NotFound", "Snapshot does not exist or is not shared")
        if source["State"] != "completed":
            raise refusal("IncorrectState", "Snapshot is not completed")
        flying = [r for r in self._mine(self.ebs, place) if r["State"] == "pending" and r["VolumeId"] == "vol-ffffffff"]
        if len(flying) >= self.copies_at_once:
            raise refusal("ResourceLimitExceeded", "Too many snapshot copies in progress. The limit is 20.")
        self.most_in_flight = max(self.most_in_flight, len(flying) + 1)
        copy = self._new_ebs(
            place,
            params,
            VolumeId="vol-ffffffff",
            Encrypted=source["Encrypted"] or bool(params.get("Encrypted")),
            KmsKeyId=params.get("KmsKeyId", ""),
        )
        key = self.keys.get(params.get("KmsKeyId", ""), {"Enabled": True})
        if not key["Enabled"]:
            copy["doomed"] = "Given key ID is not accessible"
        self.ebs.append(copy)
        return {"SnapshotId": copy["SnapshotId"], "Tags": copy["Tags"]}

    def aws_delete_snapshot(self, params: Raw, place: t.Any) -> Raw:
        found = [r for r in self._mine(self.ebs, place) if r["SnapshotId"] == params["SnapshotId"]]
        if not found:
            raise refusal("InvalidSnapshot.NotFound", "The snapshot does not exist")
        used = [
            i for i in self.images for m in i["BlockDeviceMappings"] if m["Ebs"]["SnapshotId"] == found[0]["SnapshotId"]
        ]
        if used:
            raise refusal("InvalidSnapshot.InUse", f"The snapshot is currently in use by {used[0]['ImageId']}")
        self.ebs.remove(found[0])
        return {}

    def aws_create_tags(self, params: Raw, place: t.Any) -> Raw:
        self._check_tags(params["Tags"])
        assert len(params["Resources"]) <= 1000
        new = {tag["Key"] for tag in params["Tags"]}
        for raw in self._taggable(params["Resources"], place):
            raw["Tags"] = [tag for tag in raw["Tags"] if tag["Key"] not in new] + params["Tags"]
        return {}

    def _taggable(self, ids: list[str], place: t.Any) -> list[Raw]:
        snapshots = [raw for raw in self._mine(self.ebs, place) if raw["SnapshotId"] in ids]
        instances = [self.instances[name] for name in ids if name in self.instances]
        others = [self.others.setdefault(name, {"Tags": []}) for name in ids if name.startswith("vol-")]
        return snapshots + instances + others

    def aws_delete_tags(self, params: Raw, place: t.Any) -> Raw:
        gone = {tag["Key"] for tag in params["Tags"]}
        for raw in self._taggable(params["Resources"], place):
            raw["Tags"] = [tag for tag in raw["Tags"] if tag["Key"] not in gone]
        return {}

    def aws_modify_snapshot_attribute(self, params: Raw, place: t.Any) -> Raw:
        raw = next(r for r in self._mine(self.ebs, place) if r["SnapshotId"] == params["SnapshotId"])
        change = raw["shared"].update if params["OperationType"] == "add" else raw["shared"].difference_update
        change(params["UserIds"])
        return {}

    def aws_describe_db_instances(self, params: Raw, place: t.Any) -> Raw:
        self._settle()
        raw = self.databases.get(params["DBInstanceIdentifier"])
        if not raw or raw["region"] != place.region:
            raise refusal("DBInstanceNotFound", "DBInstance not found")
        return {"DBInstances": [raw]}

    def aws_describe_db_clusters(self, params: Raw, place: t.Any) -> Raw:
        raw = self.clusters.get(params["DBClusterIdentifier"])
        if not raw:
            raise refusal("DBClusterNotFoundFault", "DBCluster not found")
        return {"DBClusters": [raw]}

    def _restore_database(self, params: Raw, place: t.Any, name: str) -> Raw:
        if name in self.databases:
            raise refusal("DBInstanceAlreadyExists", "DB instance already exists")
        self.databases[name] = {
            "DBInstanceIdentifier": name,
            "DBInstanceStatus": "creating",
            "TagList": params.get("Tags", []),
            "region": place.region,
            "ready": self.now + timedelta(seconds=self.pending_seconds),
            "asked": params,
        }
        return {"DBInstance": self.databases[name]}

    def aws_restore_db_instance_from_db_snapshot(self, params: Raw, place: t.Any) -> Raw:
        wanted = params["DBSnapshotIdentifier"]
        found = [r for r in self._mine(self.rds, place) if wanted in (r["DBSnapshotIdentifier"], r["DBSnapshotArn"])]
        if not found:
            raise refusal("DBSnapshotNotFound", f"DBSnapshot {wanted} not found")
        return self._restore_database(params, place, params["DBInstanceIdentifier"])

    def aws_restore_db_instance_to_point_in_time(self, params: Raw, place: t.Any) -> Raw:
        assert params["SourceDBInstanceIdentifier"] in self.databases
        assert ("RestoreTime" in params) != ("UseLatestRestorableTime" in params)
        return self._restore_database(params, place, params["TargetDBInstanceIdentifier"])

    def aws_modify_db_instance(self, params: Raw, place: t.Any) -> Raw:
        self._settle()
        raw, new = self.databases[params["DBInstanceIdentifier"]], params["NewDBInstanceIdentifier"]
        if new in self.databases:
            raise refusal("DBInstanceAlreadyExists", "DB instance already exists")
        if raw["DBInstanceStatus"] != "available":
            raise refusal("InvalidDBInstanceState", "Database instance is not in available state.")
        ready = self.now + timedelta(seconds=self.pending_seconds)
        raw.update(DBInstanceStatus="renaming", renamed=new, ready=ready)
        return {"DBInstance": raw}

    def aws_create_volume(self, params: Raw, place: t.Any) -> Raw:
        known = [v for v in self.volumes if v["token"] == params["ClientToken"]]
        if not known:
            assert params["SnapshotId"] in [r["SnapshotId"] for r in self._mine(self.ebs, place)]
            volume = {
                "VolumeId": f"vol-{next(self._ids):017x}",
                "SnapshotId": params["SnapshotId"],
                "State": "available",
                "Tags": params["TagSpecifications"][0]["Tags"],
                "token": params["ClientToken"],
                "asked": params,
            }
            self.volumes.append(volume)
            known = [volume]
        return known[0]

    def aws_describe_volumes(self, params: Raw, place: t.Any) -> Raw:
        if "VolumeIds" in params:
            return {"Volumes": [{"VolumeId": v, "VolumeType": "gp3", "Iops": 4000} for v in params["VolumeIds"]]}
        ((name, values),) = [(f["Name"], f["Values"]) for f in params["Filters"]]
        found = [v for v in self.volumes if {"Key": name[4:], "Value": values[0]} in v["Tags"]]
        return {"Volumes": found}

    def _device(self, volume: str) -> tuple[Raw, Raw]:
        return next(
            (instance, mapping)
            for instance in self.instances.values()
            for mapping in instance["BlockDeviceMappings"]
            if mapping["Ebs"]["VolumeId"] == volume
        )

    def aws_detach_volume(self, params: Raw, place: t.Any) -> Raw:
        instance, mapping = self._device(params["VolumeId"])
        assert instance["State"]["Name"] == "stopped", "the file system is in use"
        instance["BlockDeviceMappings"].remove(mapping)
        return {}

    def aws_attach_volume(self, params: Raw, place: t.Any) -> Raw:
        mappings = self.instances[params["InstanceId"]]["BlockDeviceMappings"]
        if params["Device"] in [m["DeviceName"] for m in mappings]:
            raise refusal("InvalidParameterValue", "device is in use")
        mappings.append({"DeviceName": params["Device"], "Ebs": {"VolumeId": params["VolumeId"], "Status": "attached"}})
        next(v for v in self.volumes if v["VolumeId"] == params["VolumeId"])["State"] = "in-use"
        return {}

    def aws_stop_instances(self, params: Raw, place: t.Any) -> Raw:
        self.instances[params["InstanceIds"][0]]["State"] = {"Name": "stopped"}
        return {}

    def aws_start_instances(self, params: Raw, place: t.Any) -> Raw:
        self.instances[params["InstanceIds"][0]]["State"] = {"Name": "running"}
        return {}

    def _describe_rds(self, params: Raw, place: t.Any, kind: str) -> Raw:
        assert params["SnapshotType"] == "manual"
        source = {"DBSnapshot": "DBInstanceIdentifier", "DBClusterSnapshot": "DBClusterIdentifier"}[kind]
        found = [r for r in self._mine(self.rds, place) if f"{kind}Identifier" in r]
        assert not params.get("Filters"), "RDS cannot filter by tag"
        if params.get(source):
            found = [r for r in found if r[source] == params[source]]
        page, more = self._page(found, params, "MaxRecords", "Marker")
        return {f"{kind}s": [self._seen(r) for r in page], **more}

    def aws_describe_db_snapshots(self, params: Raw, place: t.Any) -> Raw:
        return self._describe_rds(params, place, "DBSnapshot")

    def aws_describe_db_cluster_snapshots(self, params: Raw, place: t.Any) -> Raw:
        return self._describe_rds(params, place, "DBClusterSnapshot")

    def _new_rds(self, place: t.Any, kind: str, name: str, tags: list[Raw], **more: t.Any) -> Raw:
        mine = self._mine(self.rds, place)
        exists = {"DBSnapshot": "DBSnapshotAlreadyExists", "DBClusterSnapshot": "DBClusterSnapshotAlreadyExistsFault"}
        if any(r.get(f"{kind}Identifier") == name for r in mine):
            raise refusal(exists[kind], f"Cannot create the snapshot because {name} already exists")
        if len(mine) >= self.quota["rds"]:
            raise refusal("SnapshotQuotaExceeded", "Cannot create more than 100 manual snapshots")
        self._check_tags(tags)
        part = {"DBSnapshot": "snapshot", "DBClusterSnapshot": "cluster-snapshot"}[kind]
        return {
            f"{kind}Identifier": name,
            f"{kind}Arn": f"arn:aws:rds:{place.region}:{place.account}:{part}:{name}",
            "SnapshotCreateTime": self.now,
            "SnapshotType": "manual",
            "AllocatedStorage": 20,
            "TagList": tags,
            "region": place.region,
            "account": place.account,
            "ready": self.now + timedelta(seconds=self.pending_seconds),
            "shared": set(),
            **more,
        }

    def aws_create_db_snapshot(self, params: Raw, place: t.Any) -> Raw:
        database = self.databases[params["DBInstanceIdentifier"]]
        if database["DBInstanceStatus"] != "available":
            raise refusal("InvalidDBInstanceState", "Database instance is not in available state.")
        raw = self._new_rds(
            place,
            "DBSnapshot",
            params["DBSnapshotIdentifier"],
            params.get("Tags", []),
            Status="creating",
            DBInstanceIdentifier=params["DBInstanceIdentifier"],
            Encrypted=bool(database.get("KmsKeyId")),
            KmsKeyId=database.get("KmsKeyId", ""),
        )
        self.rds.append(raw)
        return {"DBSnapshot": self._seen(raw)}

    def aws_create_db_cluster_snapshot(self, params: Raw, place: t.Any) -> Raw:
        cluster = self.clusters[params["DBClusterIdentifier"]]
        raw = self._new_rds(
            place,
            "DBClusterSnapshot",
            params["DBClusterSnapshotIdentifier"],
            params.get("Tags", []),
            Status="creating",
            DBClusterIdentifier=params["DBClusterIdentifier"],
            StorageEncrypted=bool(cluster.get("KmsKeyId")),
            KmsKeyId=cluster.get("KmsKeyId", ""),
        )
        self.rds.append(raw)
        return {"DBClusterSnapshot": self._seen(raw)}

    def _copy_rds(self, params: Raw, place: t.Any, kind: str, encrypted: str) -> Raw:
        source = next((r for r in self.rds if r.get(f"{kind}Arn") == params[f"Source{kind}Identifier"]), None)
        if not source or (source["account"] != place.account and place.account not in source["shared"]):
            raise refusal("DBSnapshotNotFound", "Snapshot not found")
        abroad = source["region"] != place.region
        if source[encrypted] and not params.get("KmsKeyId") and (abroad or source["account"] != place.account):
            raise refusal("InvalidParameterCombination", "KmsKeyId is required to copy an encrypted snapshot")
        key = self.keys.get(params.get("KmsKeyId", ""), {"Enabled": True})
        if not key["Enabled"]:
            raise refusal("KMSKeyNotAccessibleFault", "The specified KMS key is not accessible")
        flying = [r for r in self._mine(self.rds, place) if r["Status"] == "copying"]
        if len(flying) >= self.copies_at_once:
            raise refusal("SnapshotQuotaExceeded", "Cannot copy more than 20 snapshots across regions")
        self.most_in_flight = max(self.most_in_flight, len(flying) + 1)
        owner = {"DBSnapshot": "DBInstanceIdentifier", "DBClusterSnapshot": "DBClusterIdentifier"}[kind]
        more = {owner: source[owner], encrypted: source[encrypted] or bool(params.get("KmsKeyId"))}
        raw = self._new_rds(
            place,
            kind,
            params[f"Target{kind}Identifier"],
            params.get("Tags", []),
            Status="copying",
            KmsKeyId=params.get("KmsKeyId", ""),
            **more,
        )
        self.rds.append(raw)
        return {kind: self._seen(raw)}

    def aws_copy_db_snapshot(self, params: Raw, place: t.Any) -> Raw:
        return self._copy_rds(params, place, "DBSnapshot", "Encrypted")

    def aws_copy_db_cluster_snapshot(self, params: Raw, place: t.Any) -> Raw:
        return self._copy_rds(params, place, "DBClusterSnapshot", "StorageEncrypted")

    def _delete_rds(self, place: t.Any, kind: str, name: str, missing: str) -> Raw:
        found = [r for r in self._mine(self.rds, place) if r.get(f"{kind}Identifier") == name]
        if not found:
            raise refusal(missing, f"{name} not found")
        self.rds.remove(found[0])
        return {kind: self._seen(found[0])}

    def aws_delete_db_snapshot(self, params: Raw, place: t.Any) -> Raw:
        return self._delete_rds(place, "DBSnapshot", params["DBSnapshotIdentifier"], "DBSnapshotNotFound")

    def aws_delete_db_cluster_snapshot(self, params: Raw, place: t.Any) -> Raw:
        name = params["DBClusterSnapshotIdentifier"]
        return self._delete_rds(place, "DBClusterSnapshot", name, "DBClusterSnapshotNotFoundFault")

    def _share_rds(self, params: Raw, place: t.Any, kind: str) -> Raw:
        name = params[f"{kind}Identifier"]
        raw = next(r for r in self._mine(self.rds, place) if r.get(f"{kind}Identifier") == name)
        raw["shared"].update(params.get("ValuesToAdd", []))
        raw["shared"].difference_update(params.get("ValuesToRemove", []))
        return {}

    def aws_modify_db_snapshot_attribute(self, params: Raw, place: t.Any) -> Raw:
        return self._share_rds(params, place, "DBSnapshot")

    def aws_modify_db_cluster_snapshot_attribute(self, params: Raw, place: t.Any) -> Raw:
        return self._share_rds(params, place, "DBClusterSnapshot")

    def aws_add_tags_to_resource(self, params: Raw, place: t.Any) -> Raw:
        for raw in self._mine(self.rds, place):
            if params["ResourceName"] in (raw.get("DBSnapshotArn"), raw.get("DBClusterSnapshotArn")):
                new = {tag["Key"] for tag in params["Tags"]}
                raw["TagList"] = [tag for tag in raw["TagList"] if tag["Key"] not in new] + params["Tags"]
        return {}

    def aws_remove_tags_from_resource(self, params: Raw, place: t.Any) -> Raw:
        for raw in self._mine(self.rds, place):
            if params["ResourceName"] in (raw.get("DBSnapshotArn"), raw.get("DBClusterSnapshotArn")):
                raw["TagList"] = [tag for tag in raw["TagList"] if tag["Key"] not in params["TagKeys"]]
        return {}

    def aws_describe_key(self, params: Raw, place: t.Any) -> Raw:
        key = self.keys.get(params["KeyId"])
        if not key or key["region"] != place.region:
            raise refusal("NotFoundException", f"Key '{params['KeyId']}' does not exist")
        return {"KeyMetadata": self._seen(key)}

    def aws_assume_role(self, params: Raw, place: t.Any) -> Raw:
        account = params["RoleArn"].split(":")[4]
        return {
            "Credentials": {
                "AccessKeyId": account,
                "SecretAccessKey": "testing-secret",
                "SessionToken": "testing-token",
            }
        }

    def aws_get_caller_identity(self, params: Raw, place: t.Any) -> Raw:
        return {"Account": place.account}


class Clock:
    """Stands in for the module C{time}: sleeping moves the accounts' time."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.cloud.sleep(seconds)

    def monotonic(self) -> float:
        """Seconds of the accounts' time."""
        return self.cloud.now.timestamp()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Accounts that answer every module run in this process."""
    cloud = Cloud()

    def client(self: t.Any, service: str, retry_decorator: t.Any = None, **more: t.Any) -> t.Any:
        account = more.get("aws_access_key_id", ACCOUNT)
        return cloud.client(service, more.get("region") or self.region, account)

    cloud.clock = Clock(cloud)
    monkeypatch.setattr(AnsibleAWSModule, "client", client)
    for module in (snapshots_run, snapshots_api, amazon_cloud):
        monkeypatch.setattr(module, "time", cloud.clock)
    monkeypatch.setattr(snapshots_run, "now", lambda: cloud.now)
    return cloud

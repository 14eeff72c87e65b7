# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an application's instance needs: its image, its policy, its configuration, and what a change does to it."""

from __future__ import annotations

import re
import typing as t

Instance = t.Mapping[str, t.Any]

#: Arm instance types have a "g" behind the generation's number (m7g, c7gn, t4g), or are the first ones, a1
#: (Amazon EC2 instance types, "Naming conventions").
ARM_TYPE = re.compile(r"^(a1|[a-z]+\d+g[a-z]*)\.")

_DEBIAN_BASE = ["git", "curl", "python3-boto3", "unattended-upgrades", "ca-certificates"]
#: Debian's images come without the agent (AWS Systems Manager user guide, "Install SSM Agent on Debian Server").
_DEBIAN_AGENT = [
    (
        "cd /tmp && curl -fsSLO https://s3.{region}.amazonaws.com/amazon-ssm-{region}/latest/"
        "debian_$(dpkg --print-architecture)/amazon-ssm-agent.deb && dpkg -i amazon-ssm-agent.deb"
    ),
]
_UBUNTU = {
    "user": "ubuntu",
    "packages": _DEBIAN_BASE,
    "setup": [],
    "container_packages": ["docker.io", "docker-compose-v2", "docker-buildx"],
    "container_setup": [],
}
_AMAZON_COMPOSE = "/usr/local/lib/docker/cli-plugins/docker-compose"

#: The images that are known by name. The AMI is looked up by the public SSM parameter that its vendor publishes.
IMAGES: dict[str, dict[str, t.Any]] = {
    "ubuntu-24.04": {
        **_UBUNTU,
        "parameter": "/aws/service/canonical/ubuntu/server/24.04/stable/current/{debian_arch}/hvm/ebs-gp3/ami-id",
    },
    "ubuntu-22.04": {
        **_UBUNTU,
        "parameter": "/aws/service/canonical/ubuntu/server/22.04/stable/current/{debian_arch}/hvm/ebs-gp2/ami-id",
    },
    "debian-13": {
        "user": "admin",
        "parameter": "/aws/service/debian/release/13/latest/{debian_arch}",
        "packages": _DEBIAN_BASE,
        "setup": _DEBIAN_AGENT,
        "container_packages": ["docker.io", "docker-cli", "docker-compose"],
        "container_setup": [],
    },
    "debian-12": {
        "user": "admin",
        "parameter": "/aws/service/debian/release/12/latest/{debian_arch}",
        "packages": _DEBIAN_BASE,
        "setup": _DEBIAN_AGENT,
        "container_packages": ["docker.io"],
        # Debian 12 has only Compose 1, which is at its end of life: Compose 2 comes from Docker's own repository.
        "container_setup": [
            "install -d -m 0755 /etc/apt/keyrings",
            "curl -fsSL https://download.docker.com/linux/debian/gpg -o /etc/apt/keyrings/docker.asc",
            (
                "echo 'deb [signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/debian"
                " bookworm stable' > /etc/apt/sources.list.d/docker.list"
            ),
            "apt-get update -q",
            "apt-get install -qy docker-compose-plugin docker-buildx-plugin",
        ],
    },
    "amazon-linux-2023": {
        "user": "ec2-user",
        "parameter": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{arch}",
        "packages": ["git", "python3-boto3", "dnf-automatic"],
        "setup": [],
        "container_packages": ["docker"],
        # Amazon Linux packages Docker without Compose: the plugin comes from its release page, with its checksum.
        "container_setup": [
            f"install -d -m 0755 {_AMAZON_COMPOSE.rsplit('/', 1)[0]}",
            (
                "cd /tmp && f=docker-compose-linux-$(uname -m)"
                " && u=https://github.com/docker/compose/releases/download/v2.40.0"
                " && curl -fsSLO $u/$f && curl -fsSL $u/$f.sha256 | sha256sum -c -"
                f" && install -m 0755 $f {_AMAZON_COMPOSE}"
            ),
        ],
    },
}


def architecture(instance_type: str) -> str:
    """``arm64`` or ``x86_64``, from the name of an instance type."""
    return "arm64" if ARM_TYPE.match(instance_type) else "x86_64"


#: Where a Node.js application lives, with a user of its own.
NODE_USER, NODE_HOME = "app", "/srv/app"


def image_setup(instance: Instance) -> dict[str, t.Any]:
    """User and packages of the image that an instance boots, and what its application needs beside them.

    Adds ``application_packages``, ``application_setup`` (commands), and ``app_user``, ``app_home`` and ``app_source``,
    which is where the application's repository is cloned to.
    """
    image = IMAGES.get(str(instance["image"])) or IMAGES[str(instance["image_like"])]
    application = instance.get("application") or {}
    home = f"/home/{image['user']}"
    found = {**image, "application_packages": [], "application_setup": []}
    if application.get("runtime") == "node":
        node = str(application.get("node_version") or "")
        return {
            **found,
            "application_packages": ["nginx", *([] if node else ["nodejs", "npm"])],
            "application_setup": [*(_node_setup(node) if node else []), *_process_manager_setup(application)],
            "app_user": NODE_USER,
            "app_home": NODE_HOME,
            "app_source": f"{NODE_HOME}/source",
        }
    if application:
        found["application_packages"] = image["container_packages"]
        found["application_setup"] = image["container_setup"]
    return {**found, "app_user": image["user"], "app_home": home, "app_source": f"{home}/app"}


def _node_setup(version: str) -> list[str]:
    """Ubuntu 22.04 has Node.js 12, which is at its end of life: a newer one comes from NodeSource's repository."""
    return [
        "install -d -m 0755 /etc/apt/keyrings",
        "curl -fsSL https://deb.nodesource.com/gpgkey/nodesource-repo.gpg.key -o /etc/apt/keyrings/nodesource.asc",
        (
            "echo 'deb [signed-by=/etc/apt/keyrings/nodesource.asc]"
            f" https://deb.nodesource.com/node_{version}.x nodistro main' > /etc/apt/sources.list.d/nodesource.list"
        ),
        "apt-get update -q",
        "DEBIAN_FRONTEND=noninteractive apt-get install -qy nodejs",
    ]


def _process_manager_setup(application: Instance) -> list[str]:
    return ["npm install --global --no-fund --no-audit pm2@6"] if application.get("process_manager") == "pm2" else []


#: Amazon CloudWatch user guide, "Download the CloudWatch agent package": a bucket in each region.
AGENT_SETUP = (
    "cd /tmp && curl -fsSLO https://amazoncloudwatch-agent-{region}.s3.{region}.amazonaws.com/"
    "{system}/$(dpkg --print-architecture)/latest/amazon-cloudwatch-agent.deb && dpkg -i -E amazon-cloudwatch-agent.deb"
)


def agent_setup(instance: Instance, region: str) -> list[str]:
    """The command that installs the CloudWatch agent, by the image's system."""
    name = str(instance["image"]) if str(instance["image"]) in IMAGES else str(instance["image_like"])
    if name.startswith("amazon-linux"):
        return ["dnf install -qy amazon-cloudwatch-agent"]
    return [AGENT_SETUP.format(region=region, system=name.partition("-")[0])]


def image_want(instance: Instance) -> dict[str, t.Any]:
    """How to find the AMI of an instance: by ``id``, by ``ssm_parameter``, or by ``name`` and ``owners``."""
    image, arch = str(instance["image"]), architecture(str(instance["instance_type"]))
    if image in IMAGES:
        image = IMAGES[image]["parameter"].format(arch=arch, debian_arch=arch.replace("x86_64", "amd64"))
    if image.startswith("ami-"):
        return {"id": image}
    if image.startswith("/"):
        return {"ssm_parameter": image}
    return {"name": image, "owners": [instance["image_owner"]], "architecture": arch}


def application_config(
    instance: Instance, region: str, database_parameter: str = "", tiers: t.Sequence[str] = ()
) -> dict[str, t.Any]:
    """What ``app-env`` reads on the instance: no secret, only where secrets are.

    :param instance: the instance, defaults filled in.
    :param region: region of the stack.
    :param database_parameter: SSM parameter in which the rds tier says where the database is.
    :param tiers: the stack's tiers; without ``rds`` there is no database.
    """
    application = instance.get("application") or {}
    with_database = bool(instance.get("database_access")) and "rds" in tiers
    return {
        "region": region,
        "env_file": "/opt/app/.env",
        # Compose reads a line break as written in C; systemd takes it as it is.
        **({"plain_line_breaks": True} if application.get("runtime") == "node" else {}),
        "environment": application.get("environment") or {},
        "secrets": application.get("secrets") or {},
        "database_parameter": database_parameter if with_database else "",
        # A new database takes about ten minutes, one with a second zone about twenty.
        "database_wait": 2400,
    }


def instance_policy(
    instance: Instance,
    partition: str,
    region: str,
    account_id: str,
    database: str,
    parameter: str,
    tiers: t.Sequence[str],
) -> dict[str, t.Any]:
    """The policy of an instance's role: its own secrets and parameters, the database's secret, nothing else.

    :param database: identifier of the stack's database.
    :param parameter: SSM parameter in which the rds tier says where the database is.
    :returns: a policy document; without statements where the instance needs none.
    """
    config = application_config(instance, region, parameter, tiers)
    arn = f"arn:{partition}:{{}}:{region}:{account_id}:{{}}"
    statements = []
    parameters = [source[4:] for source in config["secrets"].values() if source.startswith("ssm:")]
    secrets = [source.partition("#")[0] for source in config["secrets"].values() if not source.startswith("ssm:")]
    if config["database_parameter"]:
        parameters.append(config["database_parameter"])
        statements.append(_database_secret(arn, database))
    if parameters:
        resources = sorted(arn.format("ssm", f"parameter/{name.lstrip('/')}") for name in parameters)
        statements.append(allow("ReadParameters", ["ssm:GetParameter"], resources))
    if secrets:
        resources = sorted({_secret_arn(arn, name) for name in secrets})
        statements.append(allow("ReadSecrets", ["secretsmanager:GetSecretValue"], resources))
    return {"Version": "2012-10-17", "Statement": statements}


def allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, t.Any]:
    """A statement of a policy."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _secret_arn(arn: str, name: str) -> str:
    # Secrets Manager adds a hyphen and six characters to the name in a secret's ARN.
    return name if name.startswith("arn:") else arn.format("secretsmanager", f"secret:{name}-??????")


def _database_secret(arn: str, database: str) -> dict[str, t.Any]:
    """The master secret that RDS manages: only AWS knows its name, but its tag holds the database's ARN."""
    statement = allow(
        "ReadDatabaseSecret",
        ["secretsmanager:GetSecretValue"],
        [arn.format("secretsmanager", "secret:rds!db-*")],
    )
    tag = "secretsmanager:ResourceTag/aws:rds:primaryDBInstanceArn"
    statement["Condition"] = {"StringEquals": {tag: arn.format("rds", f"db:{database}")}}
    return statement


def security_group_rules(instance: Instance, prefix: str) -> list[dict[str, t.Any]]:
    """What the security group of an instance lets in: its ports, SSH from trusted networks and from other instances."""
    rules: list[dict[str, t.Any]] = [
        {"proto": "tcp", "ports": [str(port)], "cidr_ip": ["0.0.0.0/0"], "rule_desc": "From the internet"}
        for port in instance["ports"]
    ]
    if instance["ssh_from"]:
        rules.append({"proto": "tcp", "ports": ["22"], "cidr_ip": list(instance["ssh_from"]), "rule_desc": "Trusted"})
    for other in instance["ssh_from_instances"]:
        source = {
            "group_name": [f"{prefix}-{other}"],
            "group_desc": f"{prefix} {other}",
            "rule_desc": f"From the instance {other}",
        }
        rules.append({"proto": "tcp", "ports": ["22"], **source})
        rules.append({"proto": "icmp", "icmp_type": -1, "icmp_code": -1, **source})
    return rules


def in_group_order(instances: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """The instances so that one whose group a rule names comes before the rule (cycles keep the given order)."""
    ordered: list[dict[str, t.Any]] = []
    waiting = list(instances)
    while waiting:
        done = {instance["name"] for instance in ordered}
        ready = [instance for instance in waiting if set(instance["ssh_from_instances"]) <= done] or waiting[:1]
        ordered.extend(ready)
        waiting = [instance for instance in waiting if instance not in ready]
    return ordered


def instance_plan(
    instances: list[dict[str, t.Any]], found: t.Mapping[str, t.Mapping[str, t.Any]], digests: t.Mapping[str, str]
) -> list[dict[str, t.Any]]:
    """What happens to each instance.

    :param instances: the instances that the inventory wants, defaults filled in.
    :param found: the published facts of those that stand, by name (``id``, ``digest``).
    :param digests: digest of the user data that each one should have.
    :returns: the instances, each with ``action`` (``create``, ``keep``, ``in_place``, ``replace``), ``reason``, ``id``
        and ``digest``.
    """
    return [{**instance, **_action(instance, found.get(instance["name"]), digests)} for instance in instances]


def _action(
    instance: Instance, standing: t.Mapping[str, t.Any] | None, digests: t.Mapping[str, str]
) -> dict[str, t.Any]:
    digest = digests[instance["name"]]
    if not standing:
        return {"action": "create", "reason": "there is none", "id": "", "digest": digest}
    if standing["digest"] == digest:
        return {"action": "keep", "reason": "its user data is the wanted one", "id": standing["id"], "digest": digest}
    if instance["update"] == "in_place" and instance.get("application"):
        return {"action": "in_place", "reason": "the application changed", "id": standing["id"], "digest": digest}
    return {"action": "replace", "reason": "its user data changed", "id": standing["id"], "digest": digest}


def ec2_app_facts(found: list[dict[str, t.Any]], prefix: str) -> dict[str, dict[str, t.Any]]:
    """What the tier publishes, by instance name.

    :param found: the stack's instances as ``ec2_instance_info`` returns them.
    :param prefix: start of the instances' full names.
    """
    facts = {}
    for instance in sorted(found, key=lambda one: str(one.get("launch_time"))):
        tags = instance.get("tags") or {}
        if tags.get("Fleet"):
            continue  # published with its fleet
        name = str(tags.get("Name", ""))
        facts[name.removeprefix(f"{prefix}-")] = {
            "id": instance["instance_id"],
            "state": instance["state"]["name"],
            "type": instance.get("instance_type", ""),
            "image_id": instance.get("image_id", ""),
            "private_ip": instance.get("private_ip_address") or "",
            "public_ip": instance.get("public_ip_address") or "",
            "profile": (instance.get("iam_instance_profile") or {}).get("arn", ""),
            "metadata_tokens": (instance.get("metadata_options") or {}).get("http_tokens", ""),
            "digest": tags.get("UserDataDigest", ""),
        }
    return facts


def rds_facts(found: list[dict[str, t.Any]], identifier: str) -> dict[str, t.Any]:
    """What the rds tier publishes: ``status`` and ``connection``, which holds no secret, only where one is.

    :param found: what ``rds_instance_info`` returned.
    :param identifier: the database's identifier.
    """
    database = found[0] if found else {}
    endpoint = database.get("endpoint") or {}
    return {
        "identifier": identifier,
        "arn": database.get("db_instance_arn", ""),
        "status": database.get("db_instance_status", "absent"),
        "security_groups": [group["vpc_security_group_id"] for group in database.get("vpc_security_groups") or []],
        "connection": {
            "engine": database.get("engine", ""),
            "host": endpoint.get("address", ""),
            "port": endpoint.get("port", 0),
            "name": database.get("db_name") or "",
            "secret_arn": (database.get("master_user_secret") or {}).get("secret_arn", ""),
        },
    }

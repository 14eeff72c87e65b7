# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a container service needs: its size, its rules at the load balancer, its task definition, its permissions."""

from __future__ import annotations

import typing as t

Service = t.Mapping[str, t.Any]

#: Memory in MiB that Fargate has for each CPU size: first, last, step (Amazon ECS developer guide, "Fargate task
#: definition parameters", Task CPU and memory).
FARGATE_MEMORY: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}


def nearest_size(cpu: int, memory: int) -> tuple[int, int]:
    """The smallest pair of CPU units and MiB that Fargate has and that is at least as large, else the largest."""
    pairs = [(size, amount) for size, amounts in FARGATE_MEMORY.items() for amount in amounts]
    return next((pair for pair in pairs if pair[0] >= cpu and pair[1] >= memory), pairs[-1])


# -- rules at the load balancer ----------------------------------------------------------------------------------------

Rule = dict[str, t.Any]

#: Longest path or host of a condition (ELB API reference, RuleCondition).
LONGEST_VALUE = 128
#: Room for a path's length (129), exact or not (2), and rules that are alike in both (10).
_ALIKE = 10
_A_BAND = (LONGEST_VALUE + 1) * 2 * _ALIKE
LAST_PRIORITY = 50000


def rules_of(load_balancer: t.Mapping[str, t.Any]) -> list[Rule]:
    """The listener rules of a service: one for each path, so that the most specific path of all services comes first.

    With a priority of its own a service has one rule with all its paths.

    :param load_balancer: ``paths``, ``hosts`` and ``priority`` (0 to have it computed).
    """
    paths, hosts = list(load_balancer.get("paths") or []), list(load_balancer.get("hosts") or [])
    priority = int(load_balancer.get("priority") or 0)
    groups = [paths] if priority or not paths else [[path] for path in paths]
    return [{"paths": group, "hosts": hosts, "priority": priority} for group in groups]


def specificity(rule: t.Mapping[str, t.Any]) -> int:
    """Where a rule comes by itself: a smaller number for a more specific one, the same for every run.

    Rules with host and path come first, then those with a host, then those with a path, each with the longest path
    first and an exact path before a pattern.
    """
    paths, hosts = rule.get("paths") or [], rule.get("hosts") or []
    everything = all(path in ("*", "/*") for path in paths)
    band = (0 if hosts else 2) + (1 if everything else 0)
    literal = min((len(_literal(path)) for path in paths), default=0)
    pattern = any(_literal(path) != path for path in paths) or not paths
    return 1 + band * _A_BAND + (LONGEST_VALUE - literal) * 2 * _ALIKE + (_ALIKE if pattern else 0)


def _literal(path: str) -> str:
    return path[: min((path.index(mark) for mark in "*?" if mark in path), default=len(path))][:LONGEST_VALUE]


def with_rule_priorities(rules: t.Sequence[t.Mapping[str, t.Any]], taken: t.Iterable[int] = ()) -> list[Rule]:
    """The rules, each with a priority: its own, or the one that follows from how specific it is.

    :param rules: ``paths``, ``hosts`` and perhaps ``priority``.
    :param taken: priorities that other rules have.
    """
    given = {int(rule.get("priority") or 0) for rule in rules} - {0}
    used = {*taken, *given}
    computed: dict[int, int] = {}
    for index in sorted(range(len(rules)), key=lambda number: _order(rules[number])):
        if not int(rules[index].get("priority") or 0):
            computed[index] = next(number for number in range(specificity(rules[index]), 99999) if number not in used)
            used.add(computed[index])
    return [
        {
            "paths": list(rule.get("paths") or []),
            "hosts": list(rule.get("hosts") or []),
            "priority": computed.get(index) or int(rule.get("priority") or 0),
        }
        for index, rule in enumerate(rules)
    ]


def _order(rule: t.Mapping[str, t.Any]) -> tuple[t.Any, ...]:
    return specificity(rule), sorted(rule.get("hosts") or []), sorted(rule.get("paths") or [])


def all_rules(services: t.Sequence[Service]) -> dict[str, list[Rule]]:
    """The listener rules of all services, by service name, no two with the same priority."""
    owners = [(service["name"], rule) for service in services if behind(service) for rule in _rules(service)]
    numbered = with_rule_priorities([rule for _owner, rule in owners])
    found: dict[str, list[Rule]] = {service["name"]: [] for service in services}
    for (owner, _rule), rule in zip(owners, numbered, strict=True):
        found[owner].append(rule)
    return found


def _rules(service: Service) -> list[Rule]:
    return rules_of(service.get("load_balancer") or {})


def behind(service: Service) -> bool:
    """Whether a service answers behind the load balancer."""
    return bool(service.get("load_balancer")) and bool(service.get("port"))


# -- tasks -------------------------------------------------------------------------------------------------------------


class Place(t.NamedTuple):
    """Where a service runs.

    :param partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
    :param region: such as ``eu-west-3``.
    :param account: twelve digits.
    """

    partition: str
    region: str
    account: str

    def arn(self, service: str, rest: str) -> str:
        """An ARN in this place."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{rest}"


def image_uri(image: t.Any, uris: t.Mapping[str, str]) -> str:
    """The full name of an image.

    :param image: text, taken as it is, or ``repository`` with ``tag`` or ``digest``.
    :param uris: addresses of the stack's repositories, by their name.
    """
    if not isinstance(image, t.Mapping):
        return str(image)
    uri = uris.get(str(image["repository"]), str(image["repository"]))
    return f"{uri}@{image['digest']}" if image.get("digest") else f"{uri}:{image.get('tag') or 'latest'}"


def secret_names(services: t.Sequence[Service]) -> list[str]:
    """Names and ARNs of the Secrets Manager secrets that services name, each once."""
    references = [str(source) for service in services for source in (service.get("secrets") or {}).values()]
    return sorted({source.partition("#")[0] for source in references if not source.startswith("ssm:")})


def parameter_names(services: t.Sequence[Service]) -> list[str]:
    """Names of the SSM parameters that services name, each once."""
    references = [str(source) for service in services for source in (service.get("secrets") or {}).values()]
    return sorted({source[len("ssm:") :] for source in references if source.startswith("ssm:")})


def value_from(source: str, place: Place, arns: t.Mapping[str, str]) -> str:
    """How ECS names the source of a secret (ECS API reference, Secret).

    :param source: ``name``, ``name#key`` or an ARN of Secrets Manager, or ``ssm:name``.
    :param arns: ARNs of the secrets by name.
    """
    if source.startswith("ssm:"):
        return place.arn("ssm", f"parameter/{source[len('ssm:') :].lstrip('/')}")
    name, _, key = source.partition("#")
    arn = name if name.startswith("arn:") else arns.get(name) or place.arn("secretsmanager", f"secret:{name}")
    return f"{arn}:{key}::" if key else arn


def database_variables(database: t.Mapping[str, t.Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Environment and secrets by which an application finds the stack's database.

    :param database: ``host``, ``port``, ``name`` and ``secret_arn``, as the rds tier publishes them.
    :returns: ``DB_HOST``, ``DB_PORT``, ``DB_NAME``; and ``DB_USER``, ``DB_PASSWORD`` as references into the secret that
        RDS keeps, a JSON document.
    """
    environment = {f"DB_{key.upper()}": str(database.get(key) or "") for key in ("host", "port", "name")}
    secret = database.get("secret_arn") or ""
    return environment, {"DB_USER": f"{secret}#username", "DB_PASSWORD": f"{secret}#password"} if secret else {}


def container(
    service: Service, image: str, place: Place, log_group: str, arns: t.Mapping[str, str], database: t.Any
) -> dict[str, t.Any]:
    """A service's container in ECS's form (ECS API reference, ContainerDefinition).

    :param image: its full name.
    :param log_group: CloudWatch log group.
    :param arns: ARNs of the secrets by name.
    :param database: what the rds tier publishes as ``connection``, or nothing.
    """
    with_database = bool(service.get("database")) and bool(database)
    environment, secrets = database_variables(database) if with_database else ({}, {})
    environment |= {str(key): str(value) for key, value in (service.get("environment") or {}).items()}
    secrets |= {str(key): str(value) for key, value in (service.get("secrets") or {}).items()}
    definition: dict[str, t.Any] = {
        "name": service["name"],
        "image": image,
        "essential": True,
        "readonlyRootFilesystem": bool(service.get("read_only", True)),
        "environment": [{"name": key, "value": environment[key]} for key in sorted(environment)],
        "secrets": [{"name": key, "valueFrom": value_from(secrets[key], place, arns)} for key in sorted(secrets)],
        "mountPoints": [
            {"sourceVolume": volume_name(path), "containerPath": path} for path in service.get("writable_paths") or []
        ],
        # An init process reaps what the application leaves behind and hands it the signals.
        "linuxParameters": {"initProcessEnabled": True},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": log_group,
                "awslogs-region": place.region,
                "awslogs-stream-prefix": service["name"],
            },
        },
    }
    if service.get("port"):
        definition["portMappings"] = [{"containerPort": int(service["port"]), "protocol": "tcp"}]
    for option, key in (("command", "command"), ("entrypoint", "entryPoint"), ("user", "user")):
        if service.get(option):
            definition[key] = service[option]
    if service.get("stop_timeout"):
        definition["stopTimeout"] = int(service["stop_timeout"])
    return definition


def volume_name(path: str) -> str:
    """Name of the volume behind a writable path."""
    return "writable" + "".join(letter if letter.isalnum() else "-" for letter in path).rstrip("-")


def service_facts(
    services: t.Sequence[Service], prefix: str, uris: t.Mapping[str, str], asleep: bool = False
) -> list[dict[str, t.Any]]:
    """Each service with what follows from the description alone.

    :param services: with all defaults filled in.
    :param prefix: start of every name.
    :param uris: addresses of the stack's repositories, by name.
    :param asleep: whether the stack is a standby, of which nothing runs.
    :returns: the services with ``full_name``, ``target_group``, ``log_group``, ``image_uri``, ``rules``, ``behind``,
        ``count`` (how many tasks) and ``scaled`` (whether auto-scaling has the count).
    """
    rules = all_rules(services)
    return [
        {
            **service,
            "full_name": full_name(service, prefix),
            "target_group": target_group(service, prefix),
            "log_group": service.get("log_group") or f"/ecs/{prefix}/{service['name']}",
            "image_uri": image_uri(service["image"], uris),
            "rules": rules[service["name"]],
            "behind": behind(service),
            "count": 0 if asleep else desired(service),
            "scaled": bool(service.get("scaling")) and not asleep and desired(service) > 0,
        }
        for service in services
    ]


def full_name(service: Service, prefix: str) -> str:
    """Name of the service in ECS, and of the family of its task definitions."""
    return str(service.get("service") or f"{prefix}-{service['name']}")


def target_group(service: Service, prefix: str) -> str:
    """Name of the service's target group."""
    return str((service.get("load_balancer") or {}).get("target_group") or f"{prefix}-{service['name']}")


def desired(service: Service) -> int:
    """How many tasks a service starts with: as described, else the least that auto-scaling allows, else one."""
    given = service.get("desired_count")
    if given is not None:
        return int(given)
    return int((service.get("scaling") or {}).get("min") or 1)


# -- permissions -------------------------------------------------------------------------------------------------------


def execution_policy(
    services: t.Sequence[Service],
    place: Place,
    arns: t.Mapping[str, str],
    database: str = "",
    kms_keys: t.Sequence[str] = (),
) -> dict[str, t.Any]:
    """What ECS may read to start the tasks: exactly the secrets that the services name.

    :param arns: ARNs of the secrets by name.
    :param database: identifier of the stack's database; empty for none.
    :param kms_keys: ARNs of the customer's keys with which secrets are encrypted.
    :returns: a policy document; without statements where nothing is read.
    """
    statements = []
    secrets = sorted(
        name if name.startswith("arn:") else arns.get(name) or place.arn("secretsmanager", f"secret:{name}-??????")
        for name in secret_names(services)
    )
    if secrets:
        statements.append(_allow("ReadSecrets", ["secretsmanager:GetSecretValue"], secrets))
    parameters = [place.arn("ssm", f"parameter/{name.lstrip('/')}") for name in parameter_names(services)]
    if parameters:
        statements.append(_allow("ReadParameters", ["ssm:GetParameters"], parameters))
    if database and any(service.get("database") for service in services):
        # Only AWS knows the name of the master secret that RDS manages, but its tag holds the database's ARN.
        every = [place.arn("secretsmanager", "secret:rds!db-*")]
        tag = "secretsmanager:ResourceTag/aws:rds:primaryDBInstanceArn"
        statement = _allow("ReadDatabaseSecret", ["secretsmanager:GetSecretValue"], every)
        statements.append({**statement, "Condition": {"StringEquals": {tag: place.arn("rds", f"db:{database}")}}})
    if kms_keys:
        statements.append(_allow("DecryptSecrets", ["kms:Decrypt"], sorted(kms_keys)))
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, t.Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


# -- facts -------------------------------------------------------------------------------------------------------------


def load_balancer_facts(found: t.Mapping[str, t.Any], name: str) -> dict[str, t.Any]:
    """What the load_balancer tier publishes, from what the account answered; empty where there is none.

    :param found: as ``elb_load_balancer_info`` returns it.
    :param name: the balancer's name.
    """
    balancer, attributes = found["load_balancer"], found["attributes"]
    arn = balancer.get("load_balancer_arn", "")
    listeners = {int(one["port"]): one for one in found["listeners"]}
    plain, secure = listeners.get(80, {}), listeners.get(443, {})
    return {
        "name": name,
        "arn": arn,
        "dns_name": balancer.get("dns_name") or "",
        "zone_id": balancer.get("canonical_hosted_zone_id", ""),
        "full_name": arn.partition(":loadbalancer/")[2],
        "state": (balancer.get("state") or {}).get("code", ""),
        "listeners": {"http": plain.get("listener_arn", ""), "https": secure.get("listener_arn", "")},
        "ports": sorted(listeners),
        "redirects_http": any(action.get("type") == "redirect" for action in plain.get("default_actions") or []),
        "tls_policy": secure.get("ssl_policy") or "",
        "zones": sorted(zone["zone_name"] for zone in balancer.get("availability_zones") or []),
        "security_groups": list(balancer.get("security_groups") or []),
        "deletion_protection": attributes.get("deletion_protection.enabled") == "true",
        "drops_invalid_headers": attributes.get("routing.http.drop_invalid_header_fields.enabled") == "true",
        "access_logs": attributes.get("access_logs.s3.enabled") == "true",
        "rules": {str(port): [_rule_fact(rule) for rule in one.get("rules") or []] for port, one in listeners.items()},
    }


def _rule_fact(rule: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    values: dict[str, list[str]] = {"host-header": [], "path-pattern": []}
    for condition in rule.get("conditions") or []:
        config = condition.get("host_header_config") or condition.get("path_pattern_config") or {}
        values[condition["field"]] = list(config.get("values") or condition.get("values") or [])
    groups = [action.get("target_group_arn") or "" for action in rule.get("actions") or []]
    return {
        "priority": rule["priority"],
        "hosts": values["host-header"],
        "paths": values["path-pattern"],
        "target_group": next((arn.split("/")[1] for arn in groups if arn), ""),
    }


def misrouted(services: t.Sequence[Service], rules: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Rules of services that the account's listener does not have, as ``priority paths -> target group``.

    :param services: see L{service_facts}.
    :param rules: rules of the listener, see L{load_balancer_facts}.
    """
    there = {
        (str(one["priority"]), tuple(sorted(one["paths"])), tuple(sorted(one["hosts"])), one["target_group"])
        for one in rules
    }
    missing = []
    for service in services:
        for rule in service["rules"] if service["behind"] else []:
            hosts = tuple(sorted(rule["hosts"]))
            paths = tuple(sorted(rule["paths"])) or (() if hosts else ("/*",))
            if (str(rule["priority"]), paths, hosts, service["target_group"]) not in there:
                missing.append(f"{rule['priority']} {', '.join([*hosts, *paths])} -> {service['target_group']}")
    return missing

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a description wants of its region: instance types, images, database engines."""

from __future__ import annotations

import typing as t

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.palier.aws.plugins.plugin_utils import instances

Values = t.Mapping[str, t.Any]


def region_wants(values: Values) -> dict[str, t.Any]:
    """Arguments for C(region_check), each item with the variable that asks for it.

    :param values: every variable of the stack's tiers, defaults filled in.
    """
    tiers = values.get("stack_tiers") or []
    machines = [
        (f"{variable}[{index}]", machine)
        for variable in ("ec2_app_instances", "ec2_app_fleets")
        for index, machine in enumerate((values.get(variable) or []) if "ec2_app" in tiers else [])
    ]
    return {
        "instance_types": [
            {"value": machine["instance_type"], "variable": f"{where}.instance_type"} for where, machine in machines
        ],
        "images": [
            {
                "key": machine["name"],
                "variable": f"{where}.image",
                "instance_type": machine["instance_type"],
                **instances.image_want(machine),
            }
            for where, machine in machines
        ],
        **(_zones(values) if "network" in tiers else {}),
        "db": [_database(values)] if "rds" in tiers else [],
    }


def _zones(values: Values) -> dict[str, t.Any]:
    """The zones that the network spans: how many, or which, by name or letter."""
    wanted, region = values.get("network_zones", 2), str(values.get("stack_region"))
    variable = "network_zones"
    names = [] if isinstance(wanted, (int, str)) else [str(zone) for zone in wanted]
    return {
        "availability_zone_count": {"value": int(wanted) if not names else len(names), "variable": variable},
        "availability_zones": [
            {"value": name if len(name) > 1 else f"{region}{name}", "variable": variable} for name in names
        ],
    }


def _database(values: Values) -> dict[str, t.Any]:
    return {
        "engine": values["rds_engine"],
        "engine_version": values["rds_engine_version"],
        "db_instance_class": values["rds_instance_class"],
        "storage_type": values["rds_storage_type"],
        "features": [
            "storage_encryption",
            *(["multi_az"] if boolean(values.get("rds_multi_az") or False) else []),
            *(["performance_insights"] if values.get("rds_performance_insights") else []),
        ],
        "variables": {
            "engine": "rds_engine",
            "engine_version": "rds_engine_version",
            "db_instance_class": "rds_instance_class",
            "storage_type": "rds_storage_type",
            "multi_az": "rds_multi_az",
            "performance_insights": "rds_performance_insights",
        },
    }

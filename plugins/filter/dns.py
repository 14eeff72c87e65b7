# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the dns tier."""

from __future__ import annotations

import typing as t

from ansible_collections.palier.aws.plugins.plugin_utils import dns


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "dns_base_records": dns.dns_base_records,
            "dns_certificates": dns.dns_certificates,
            "dns_facts": dns.dns_facts,
            "dns_health_checks": dns.dns_health_checks,
            "dns_record_sets": dns.dns_record_sets,
        }

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a site's files are, what its bucket is called, and where it answers."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.palier.aws.plugins.module_utils.buckets_names import website_endpoint


def site_source(source: str, inventory_dir: str | None) -> str:
    """The directory of a built site.

    :param source: as the inventory has it; a relative path starts at the inventory, or else where the run was started.
    :param inventory_dir: directory of the inventory.
    """
    candidates = [Path(inventory_dir or ".") / source, Path(source)]
    return str(next((path for path in candidates if path.is_dir()), candidates[0]))


def site_bucket(site: t.Mapping[str, t.Any], prefix: str, account_id: str) -> str:
    """Name of a site's bucket.

    Bucket names are one name space for all of AWS: the account's number keeps ours from colliding.
    """
    return str(site.get("bucket") or f"{prefix}-{site['name']}-{account_id}")


def site_facts(sites: list[dict[str, t.Any]], prefix: str, account_id: str, region: str) -> dict[str, dict[str, t.Any]]:
    """What the tier publishes, by site name: ``bucket``, ``hosting`` and ``url`` (empty for a private one)."""
    facts = {}
    for site in sites:
        bucket = site_bucket(site, prefix, account_id)
        url = f"http://{website_endpoint(bucket, region)}/" if site["hosting"] == "website" else ""
        facts[site["name"]] = {"bucket": bucket, "hosting": site["hosting"], "url": url}
    return facts

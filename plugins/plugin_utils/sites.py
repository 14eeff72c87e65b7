# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a site's files are, what its bucket is called, and where it answers."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.palier.aws.plugins.module_utils.buckets_names import website_endpoint
from ansible_collections.palier.aws.plugins.module_utils.cloudfront import HOSTED_ZONE


def site_source(source: str, inventory_dir: str | None) -> str:
    """The directory of a built site.

    :param source: as the inventory has it; a relative path starts at the inventory, or else where the run was started.
    :param inventory_dir: directory of the inventory.
    """
    candidates = [Path(inventory_dir or ".") / source, Path(source)]
    # Whole, since modules run in another directory than templates.
    return str(next((path for path in candidates if path.is_dir()), candidates[0]).absolute())


def site_bucket(site: t.Mapping[str, t.Any], prefix: str, account_id: str) -> str:
    """Name of a site's bucket.

    Bucket names are one name space for all of AWS: the account's number keeps ours from colliding.
    """
    return str(site.get("bucket") or f"{prefix}-{site['name']}-{account_id}")


def site_facts(sites: list[dict[str, t.Any]], prefix: str, account_id: str, region: str) -> dict[str, dict[str, t.Any]]:
    """What the tier publishes of each site before AWS was asked.

    :returns: by site name C(bucket), C(hosting), C(url) (empty for a private one), and what L{with_distributions} fills
        in: C(distribution) is its name or empty, the others are empty.
    """
    return {site["name"]: _facts(site, prefix, account_id, region) for site in sites}


def _facts(site: dict[str, t.Any], prefix: str, account_id: str, region: str) -> dict[str, t.Any]:
    bucket, hosting = site_bucket(site, prefix, account_id), site["hosting"]
    url = f"http://{website_endpoint(bucket, region)}/" if hosting == "website" else ""
    if hosting == "cdn" and site.get("aliases"):
        url = f"https://{site['aliases'][0]}/"
    return {
        "bucket": bucket,
        "hosting": hosting,
        "url": url,
        "distribution": distribution_name(site, prefix) if hosting == "cdn" else "",
        "distribution_id": "",
        "distribution_arn": "",
        "distribution_domain": "",
        "distribution_zone_id": HOSTED_ZONE if hosting == "cdn" else "",
        "distribution_status": "",
        "aliases": list(site.get("aliases") or []) if hosting == "cdn" else [],
    }


# -- sites behind CloudFront -------------------------------------------------------------------------------------------


#: Ids of the origins within a distribution.
BUCKET_ORIGIN, API_ORIGIN = "site", "api"
#: Seconds for which an error is cached. Short, so that a page that was missing is there soon after it was published.
ERROR_TTL = 10
#: A host name of nobody, for the plan of a balancer that does not exist yet.
STAND_IN_HOST = "load-balancer.invalid"


def distribution_name(site: t.Mapping[str, t.Any], prefix: str) -> str:
    """Name of a site's distribution and of all that belongs to it."""
    return str(site.get("distribution") or f"{prefix}-{site['name']}")


def needs_function(site: t.Mapping[str, t.Any]) -> bool:
    """Whether unknown paths are led to the index page by a function instead of by error pages.

    Error pages hold for the whole distribution: with an API behind it, they would turn its 403 and 404 into pages.
    """
    return bool(site.get("spa") and site.get("api_origin"))


def public_keys(site: t.Mapping[str, t.Any], inventory_dir: str | None) -> list[dict[str, str]]:
    """The public keys of a site, read where they are given as a path.

    :param inventory_dir: where a relative path starts.
    :raises ValueError: when there is no such file.
    """
    found = []
    for key in site.get("public_keys") or []:
        text = str(key.get("pem") or "")
        if not text:
            path = Path(inventory_dir or ".") / str(key.get("path"))
            if not path.is_file():
                raise ValueError(f"public_keys: there is no file '{path}' for the key '{key['name']}'")
            text = path.read_text(encoding="utf-8")
        found.append({"name": key["name"], "pem": text})
    return found


def site_distribution(
    site: t.Mapping[str, t.Any], made: t.Mapping[str, t.Any], balancer: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """What a site's distribution asks of which origin.

    :param site: the site, defaults filled in.
    :param made: what the distribution refers to: C(bucket_domain), C(control), C(headers), C(key_group), C(function).
    :param balancer: C(dns_name) and C(https) of the load balancer, for C(api_origin).
    :returns: C(origins), C(default_behavior), C(behaviors) and C(error_responses) of the distribution's module.
    """
    origins = [
        {"id": BUCKET_ORIGIN, "domain_name": made["bucket_domain"], "origin_access_control_id": made["control"]},
        *([_api_origin(site, balancer)] if site.get("api_origin") else []),
    ]
    files = _files_behavior(made, site)
    protected = [
        {**files, "path": path, "key_groups": [made["key_group"]]} for path in site.get("protected_paths") or []
    ]
    return {
        "origins": origins,
        "default_behavior": {**files, "key_groups": []},
        "behaviors": [*_api_behaviors(site, made), *protected],
        "error_responses": error_responses(site),
    }


def _files_behavior(made: t.Mapping[str, t.Any], site: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {
        "origin": BUCKET_ORIGIN,
        "methods": "read",
        "cache_policy": "CachingOptimized",
        "origin_request_policy": "",
        "response_headers_policy": made["headers"],
        "functions": {"viewer-request": made["function"]} if needs_function(site) else {},
    }


def _api_origin(site: t.Mapping[str, t.Any], balancer: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {
        "id": API_ORIGIN,
        "domain_name": site.get("api_domain") or balancer.get("dns_name") or STAND_IN_HOST,
        "protocol": "https-only" if balancer.get("https") else "http-only",
    }


def _api_behaviors(site: t.Mapping[str, t.Any], made: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """An API is asked everything, and nothing of it is kept.

    With a host of its own, the API gets that as C(Host), which its certificate then holds for; without one it gets the
    visitor's.
    """
    behavior = {
        "origin": API_ORIGIN,
        "methods": "all",
        "cache_policy": "CachingDisabled",
        "origin_request_policy": "AllViewerExceptHostHeader" if site.get("api_domain") else "AllViewer",
        "response_headers_policy": made["headers"],
        "key_groups": [],
        "functions": {},
    }
    return [{**behavior, "path": path} for path in site.get("api_paths") or []] if site.get("api_origin") else []


def error_responses(site: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """What is answered for errors: the customer's own pages, then the index page for paths that only scripts know.

    A closed bucket answers 403 for what it does not have, since nobody may list it.
    """
    own = [
        {
            "code": page["code"],
            "page": page["page"],
            "response_code": page.get("response_code") or page["code"],
            "ttl": ERROR_TTL,
        }
        for page in site.get("error_pages") or []
    ]
    taken = {page["code"] for page in own}
    index = {"page": f"/{site['index_document']}", "response_code": 200, "ttl": ERROR_TTL}
    fallback = site.get("spa") and not needs_function(site)
    return own + [{"code": code, **index} for code in (403, 404) if fallback and code not in taken]


def distribution_policy(bucket_arn: str, distribution_arn: str) -> dict[str, t.Any]:
    """The policy by which one distribution, and nobody else, reads a bucket.

    CloudFront Developer Guide, "Restrict access to an Amazon S3 origin".
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadByTheDistribution",
                "Effect": "Allow",
                "Principal": {"Service": "cloudfront.amazonaws.com"},
                "Action": "s3:GetObject",
                "Resource": f"{bucket_arn}/*",
                "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
            }
        ],
    }


def with_distributions(
    facts: dict[str, dict[str, t.Any]], found: t.Mapping[str, t.Mapping[str, t.Any]]
) -> dict[str, dict[str, t.Any]]:
    """The published sites with what is known of their distributions.

    :param facts: as L{site_facts} returns them.
    :param found: distributions by name, as M(palier.aws.cloudfront_distribution_info) returns them.
    """
    return {name: {**one, **_distribution_facts(found.get(one["distribution"]))} for name, one in facts.items()}


def _distribution_facts(found: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    if not found:
        return {}
    host = (found.get("aliases") or [found["domain_name"]])[0]
    return {
        "url": f"https://{host}/" if host else "",
        "distribution_id": found["id"],
        "distribution_arn": found["arn"],
        "distribution_domain": found["domain_name"],
        "distribution_zone_id": found["hosted_zone_id"],
        "distribution_status": found["status"],
        "aliases": found["aliases"],
    }

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Route 53: what a name stands for. Used by the other patches; the proxy brings every name here."""

from __future__ import annotations


def resolve(host: str) -> str:
    """The name that a host name is an alias of by the account's zones, else itself; without a port.

    :param host: as a request's Host header gives it.
    """
    from ministack.services import route53

    name = host.split(":", maxsplit=1)[0].lower().rstrip(".")
    for records in list(route53._records.values()):
        for record in records:
            if record.get("Type") == "A" and record.get("AliasTarget") and record["Name"].rstrip(".").lower() == name:
                return str(record["AliasTarget"]["DNSName"]).rstrip(".").lower().removeprefix("dualstack.")
    return name

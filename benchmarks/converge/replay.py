# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes the calls of a recording again, one after the other: C{python replay.py FILE}. See L{capture}."""

from __future__ import annotations

import pickle
import sys
import typing as t
from pathlib import Path

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError


def calls(path: Path) -> t.Iterator[tuple[str, str, str, dict[str, t.Any]]]:
    """Service, region, operation and parameters of each call, in order."""
    with path.open("rb") as stream:
        while True:
            try:
                yield pickle.load(stream)
            except EOFError:
                return


def main() -> None:
    """Replay the recording."""
    session, clients = boto3.session.Session(), {}
    for service, region, operation, parameters in calls(Path(sys.argv[1])):
        if (service, region) not in clients:
            clients[service, region] = session.client(service, region_name=region)
        try:
            getattr(clients[service, region], xform_name(operation))(**parameters)
        except ClientError:
            continue  # the run was refused the same: what is not there is asked for as well


if __name__ == "__main__":
    main()

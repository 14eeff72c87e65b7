# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The database that the service's environment names."""

from __future__ import annotations

import contextlib
import os
import ssl
import typing as t

import pg8000.native


@contextlib.contextmanager
def connection() -> t.Iterator[pg8000.native.Connection]:
    """A connection, closed in the end. RDS refuses one without TLS (rds.force_ssl)."""
    # The traffic stays inside the VPC; to check the server as well, add AWS's certificate bundle to the image.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opened = pg8000.native.Connection(
        os.environ["DB_USER"],
        host=os.environ["DB_HOST"],
        port=int(os.environ["DB_PORT"]),
        database=os.environ["DB_NAME"],
        password=os.environ["DB_PASSWORD"],
        timeout=5,
        ssl_context=context,
    )
    try:
        yield opened
    finally:
        opened.close()

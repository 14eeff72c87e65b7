# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MiniStack with its gaps mended: C{python -m tests.live SETTINGS.json}, in MiniStack's own environment.

It listens on loopback at several ports. One speaks AWS's API; one speaks TLS; one for each region is that region's
image registry, as C{docker push} wants a registry to be an address; and one is a proxy by which a client reaches
everything else (load balancers, distributions, the stack's own names) under the names that they have in AWS.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import typing as t
from pathlib import Path

from tests.live.proxy import serve as serve_proxy

Scope = dict[str, t.Any]


def registry_host(account: str, region: str) -> bytes:
    """The name of an account's registry in a region."""
    return f"{account}.dkr.ecr.{region}.amazonaws.com".encode()


def at_registry(scope: Scope, registries: dict[int, bytes]) -> Scope:
    """The request as the registry's real name would have brought it.

    :param scope: an HTTP request as ASGI describes it.
    :param registries: the name of the registry behind each port.
    """
    name = registries.get((scope.get("server") or ("", 0))[1])
    if name is None:
        return scope
    headers = [pair for pair in scope["headers"] if pair[0].lower() != b"host"]
    return {**scope, "headers": [*headers, (b"host", name)]}


async def main(path: str) -> None:
    """Serve until SIGTERM or SIGINT.

    :param path: a JSON file, see C{tests.live.platform.Platform}.
    """
    settings = json.loads(Path(path).read_text(encoding="utf-8"))
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    from tests.live import patches

    patches.apply_all()
    account = os.environ["MINISTACK_ACCOUNT_ID"]
    registries = {port: registry_host(account, region) for region, port in settings["registries"].items()}

    async def front(scope: Scope, receive: t.Any, send: t.Any) -> None:
        await app(at_registry(scope, registries) if scope["type"] == "http" else scope, receive, send)

    config = Config()
    config.bind = [f"127.0.0.1:{settings['tls_port']}"]
    config.insecure_bind = [f"127.0.0.1:{port}" for port in (settings["port"], *registries)]
    config.certfile, config.keyfile = settings["certificate"], settings["key"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    proxy = await serve_proxy(settings["proxy_port"], {80: settings["port"], 443: settings["tls_port"]})
    async with proxy:
        await serve(front, config, shutdown_trigger=stopped.wait)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

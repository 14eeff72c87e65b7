# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""C{python -m tests.emulator}: start the local AWS and say how to reach it."""

from __future__ import annotations

import argparse
import os
import random
import shlex
import signal
import sys
import threading
import time
import typing as t
from pathlib import Path

from tests.emulator import ami


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    :param argv: the arguments, or None for the process's own.
    :returns: the exit status.
    """
    options = _parser().parse_args(argv)
    # moto reads these while it is imported.
    os.environ["MOTO_AMIS_PATH"] = str(ami.PATH)
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    os.environ["MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION"] = "true"
    os.environ["MOTO_ENABLE_AMI_VALIDATION"] = "true"
    os.environ["MOTO_ENABLE_KEYPAIR_VALIDATION"] = "true"
    from tests.emulator import patches, provisioning, speed

    if options.list_patches:
        return _list(patches.all_patches())
    unknown = patches.unknown(options.without)
    if unknown:
        print(f"--without {unknown[0]}: no such patch; --list-patches names them", file=sys.stderr)
        return 2
    patches.apply_all(without=options.without)
    provisioning.clock.start(options.provisioning)
    speed.remember_managed_policies()
    return _serve(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.emulator", description="A local AWS for demos and tests.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0, the default, takes a free one")
    parser.add_argument("--env-file", type=Path, metavar="FILE", help="write the export lines there when ready")
    parser.add_argument("--log", type=Path, metavar="FILE", help="append one JSON line per request to this file")
    parser.add_argument(
        "--seed",
        type=int,
        nargs="?",
        const=0,
        metavar="N",
        help="draw the same ids in each run (N: a number, default 0)",
    )
    parser.add_argument(
        "--provisioning",
        type=float,
        metavar="FACTOR",
        default=float(os.environ.get("EMULATOR_PROVISIONING") or 0),
        help="have databases, gateways and the like take AWS's time, multiplied by this; 0, the default, takes none "
        "(also EMULATOR_PROVISIONING)",
    )
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this one ends")
    parser.add_argument(
        "--without",
        action="append",
        metavar="NAME",
        default=os.environ.get("EMULATOR_WITHOUT", "").replace(",", " ").split(),
        help="leave one patch out (repeatable; also EMULATOR_WITHOUT, comma-separated)",
    )
    parser.add_argument("--list-patches", action="store_true", help="print what is mended, and end")
    return parser


def _list(found: t.Iterable[t.Any]) -> int:
    for patch in found:
        print(f"{patch.name}\n    restores: {patch.restores}\n    known by: {patch.source}")
        print(f"    touches:  {', '.join(patch.touches)}")
    return 0


def _serve(options: argparse.Namespace) -> int:
    # Before the imports of the server, so that an early signal ends the process as well.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    if options.with_parent:
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    from tests.emulator.server import make_server

    server = make_server(options.host, options.port, log=options.log)
    os.environ["MOTO_PORT"] = str(server.port)
    if options.seed is not None:
        _seed(options.seed)
    _announce(options.env_file, environment(options.host, server.port))
    server.serve_forever()
    return 0


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def _seed(number: int) -> None:
    from moto.moto_api._internal import mock_random

    random.seed(number)
    mock_random.seed(number)


def environment(host: str, port: int) -> dict[str, str]:
    """The variables with which any AWS client reaches the emulator, and plain HTTP its website endpoints.

    HTTP_PROXY sends C{http://<bucket>.s3-website...} here; other hosts are refused, so that nothing leaves the machine.
    """
    host = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    url = f"http://{host}:{port}"
    direct = ",".join(dict.fromkeys(("127.0.0.1", "localhost", host)))
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTP_PROXY": url,
        "http_proxy": url,
        "NO_PROXY": direct,
        "no_proxy": direct,
    }


def _announce(env_file: Path | None, variables: dict[str, str]) -> None:
    text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    if env_file is None:
        print(text, end="", flush=True)
        return
    # Readers wait for the file to appear, so it must appear whole.
    partial = env_file.with_name(f".{env_file.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(env_file)


if __name__ == "__main__":
    sys.exit(main())

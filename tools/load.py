# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``python -m tools.load URL -- COMMAND...``: ask for a page again and again while a command runs, and count.

The last line of the output is a JSON object: how many ``requests`` there were, how many of them ``failed``, which
``versions`` the page named how often, the ``failures``, and the command's ``exit`` code.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import typing as t
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field

#: Seconds between two requests of one client.
PAUSE = 0.05
#: Seconds after which a request counts as failed.
TIMEOUT = 10
#: How many ask at once.
CLIENTS = 2


@dataclass
class Count:
    """What the requests got."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def summary(self, code: int) -> dict[str, t.Any]:
        """What is written at the end.

        :param code: the command's exit code.
        """
        failed = sum(self.failures.values())
        return {
            "requests": sum(self.answers.values()) + failed,
            "failed": failed,
            "versions": dict(self.answers),
            "failures": dict(self.failures),
            "exit": code,
        }


def ask(url: str, count: Count, opener: t.Callable[..., t.Any] = urllib.request.urlopen) -> None:
    """Ask once.

    :param url: a page that answers with a JSON object.
    :param count: gets the version that the page names, or why there is none.
    """
    try:
        with opener(url, timeout=TIMEOUT) as answer:
            count.answers[str(json.load(answer).get("version", ""))] += 1
    except (OSError, ValueError) as error:
        count.failures[str(error)] += 1


def client(url: str, count: Count, over: threading.Event) -> None:
    """Ask until it is over."""
    while not over.is_set():
        ask(url, count)
        time.sleep(PAUSE)


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run a command under load.

    :param arguments: the page, ``--``, the command.
    :returns: 1 if a request failed or the command did.
    """
    url, _dashes, *command = list(sys.argv[1:] if arguments is None else arguments)
    counts = [Count() for _ in range(CLIENTS)]
    over = threading.Event()
    clients = [threading.Thread(target=client, args=(url, count, over)) for count in counts]
    for one in clients:
        one.start()
    try:
        code = subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode
        time.sleep(1)
    finally:
        over.set()
        for one in clients:
            one.join()
    total = Count(sum((c.answers for c in counts), Counter()), sum((c.failures for c in counts), Counter()))
    print(json.dumps(total.summary(code)), flush=True)
    return int(bool(code or total.failures))


if __name__ == "__main__":
    sys.exit(main())

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A delay in a process of its own: ``-m benchmarks.ecr.delay TARGET_PORT ONE_WAY_SECONDS``.

Its port is the first line of its output.
"""

from __future__ import annotations

import signal
import sys

from tests.integration.ecr.proxies import Delay


def main() -> None:
    delay = Delay(int(sys.argv[1]), float(sys.argv[2]))
    signal.signal(signal.SIGTERM, lambda *_signal: delay.stop())
    print(delay.port, flush=True)
    delay.serve()


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tells what a module's process sees of itself."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time

from ansible.module_utils.basic import AnsibleModule


def scrub(text):
    """Take this run's own directory out of a text."""
    archive = os.path.dirname(sys.path[0])
    return text.replace(archive, "ARCHIVE")


def main():
    main_module = sys.modules["__main__"]
    frame, depth = sys._getframe(), 0
    while frame:
        frame, depth = frame.f_back, depth + 1
    module = AnsibleModule(argument_spec={"what": {"type": "str"}}, supports_check_mode=True)
    for name in ("RECORD", "ANSIBLE_PIPELINING"):  # in which the runs have to differ
        os.environ.pop(name, None)
    module.exit_json(
        environment=dict(os.environ),
        octets={name.hex(): value.hex() for name, value in os.environb.items()},
        cwd=os.getcwd(),
        argv=sys.argv,
        orig_argv=sys.orig_argv,
        executable=sys.executable,
        prefix=sys.prefix,
        flags=str(sys.flags),
        path=[scrub(entry) for entry in sys.path],
        stdin=sys.stdin.read(),
        streams=[scrub(str(stream)) for stream in (sys.stdin, sys.stdout, sys.stderr)],
        buffering=[sys.stdout.line_buffering, sys.stdout.write_through, sys.stdout.errors, sys.stderr.errors],
        kinds=[os.fstat(number).st_mode for number in range(3)],
        umask=os.umask(0o022),
        leader=os.getpid() == os.getsid(0),
        group_leader=os.getpid() == os.getpgid(0),
        handlers={str(number): str(signal.getsignal(number)) for number in signal.valid_signals()},
        blocked=[str(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        limits=[resource.getrlimit(kind) for kind in (resource.RLIMIT_CORE, resource.RLIMIT_AS, resource.RLIMIT_STACK)],
        zone=time.tzname,
        file=scrub(main_module.__file__),
        spec=str(main_module.__spec__.name),
        check=module.check_mode,
        diff_mode=module._diff,
        verbosity=module._verbosity,
        encoding=[sys.getfilesystemencoding(), sys.getdefaultencoding(), sys.getfilesystemencodeerrors()],
        switch=sys.getswitchinterval(),
        recursion=sys.getrecursionlimit(),
        hooks=[str(sys.excepthook), str(sys.displayhook)],
        finders=[scrub(getattr(finder, "__name__", type(finder).__name__)) for finder in sys.path_hooks],
        basic=scrub(sys.modules["ansible.module_utils.basic"].__file__),
        package=[scrub(entry) for entry in sys.modules["ansible.module_utils.common"].__path__],
        extra_diff={"before": "a\n", "after": "b\n"} if module._diff else None,
    )


if __name__ == "__main__":
    main()

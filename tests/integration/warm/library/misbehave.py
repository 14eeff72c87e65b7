#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ends in unusual ways, or leaves things behind."""

from __future__ import annotations

import atexit
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import warnings

from ansible.module_utils.basic import AnsibleModule


def exit_code(module):
    print("half a result")
    sys.exit(int(module.params["value"]))


def exit_text(module):
    sys.exit("a text for errors")


def hard_exit(module):
    sys.stdout.flush()
    os._exit(int(module.params["value"]))


def kill(module):
    os.kill(os.getpid(), getattr(signal, module.params["value"]))
    time.sleep(60)


def interrupt(module):
    raise KeyboardInterrupt


def fall(module):
    raise ValueError("föll über " + module.params["value"])


def chain(module):
    try:
        {}["missing"]
    except KeyError as error:
        raise RuntimeError("second") from error


def silent(module):
    sys.exit(0)


def big(module):
    module.exit_json(big="x" * (int(module.params["value"]) << 20), changed=True)


def big_errors(module):
    sys.stderr.write("e" * (3 << 20))
    module.exit_json()


def noise(module):
    print("noise before")
    os.write(1, b"\xff\xfe more\n")
    sys.stdout.flush()
    atexit.register(print, "noise after")
    module.exit_json(value=module.params["value"])


def unicode(module):
    module.exit_json(value=module.params["value"], controls="\x00\x07\n\u2028", astral="\U0001f600")


def surrogate(module):
    module.exit_json(value="a\udcffb")


def messages(module):
    module.warn("a warning")
    module.deprecate("going in a version", version="9.9.9", collection_name="palier.aws")
    module.deprecate("going at a date", date="2099-01-01", collection_name="palier.aws")
    module.deprecate("going unnamed", version="9.9.9")
    warnings.warn("python's own", UserWarning, stacklevel=1)
    module.exit_json(changed=False)


def fail(module):
    module.warn("before it failed")
    module.fail_json(msg="failed as asked: " + module.params["value"], rc=7, stdout="one\ntwo", stderr="three")


def wander(module):
    os.chdir("/")
    sys.path[:] = ["/nowhere"]
    os.environ["WANDERED"] = "1"
    os.umask(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.closerange(3, 200)
    module.exit_json(cwd=os.getcwd(), path=sys.path)


def steal_descriptor(module):
    os.closerange(3, 200)
    streams = [open(module.params["value"], "w") for _number in range(8)]  # noqa: SIM115
    for stream in streams:
        os.set_inheritable(stream.fileno(), True)
    module._kept = streams
    module.exit_json()


def unflushed(module):
    globals()["kept"] = open(module.params["value"], "w")  # noqa: SIM115
    kept.write("written\n")  # noqa: F821
    module.exit_json()


def late(module):
    def work():
        time.sleep(0.3)
        with open(module.params["value"], "w") as stream:
            stream.write("by a thread")

    threading.Thread(target=work).start()
    module.exit_json()


def orphan(module):
    """A child that keeps nothing of ours open, and outlives us."""
    null = subprocess.DEVNULL
    child = subprocess.Popen(["sleep", "20"], stdin=null, stdout=null, stderr=null, start_new_session=True)
    module.exit_json(pid=child.pid)


def slow_child(module):
    """A child that holds our output open for a moment: whoever reads it has to wait."""
    subprocess.Popen(["sh", "-c", "sleep 0.7; echo late >> " + shlex.quote(module.params["value"])])
    module.exit_json()


def lead(module):
    os.setsid()
    module.exit_json(leader=os.getsid(0) == os.getpid())


def sleep(module):
    with open(module.params["value"], "w") as stream:
        stream.write(str(os.getpid()))
    time.sleep(30)
    module.exit_json()


def run(module):
    result = module.run_command(
        [sys.executable, "-c", "import os,sys;print('RECORD' in os.environ, sys.stdin.read());sys.exit(3)"]
    )
    module.exit_json(result=result)


def temporary(module):
    with open(os.path.join(module.tmpdir, "file"), "w") as stream:
        stream.write("x")
    module.exit_json(inside=os.path.basename(os.path.dirname(module.tmpdir)), exists=os.path.isdir(module.tmpdir))


def main():
    module = AnsibleModule(
        argument_spec={
            "how": {"type": "str", "required": True},
            "value": {"type": "str"},
            "secret": {"type": "str", "no_log": True},
            "old": {"type": "str", "removed_in_version": "9.9.9", "removed_from_collection": "palier.aws"},
        },
        supports_check_mode=False,
    )
    globals()[module.params["how"]](module)


if __name__ == "__main__":
    main()

# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: warm
short_description: Run modules on the controller, in children of one interpreter that stays loaded
description:
  - Does what P(ansible.builtin.local#connection) does, with the same results, without starting a Python interpreter
    and loading the AWS libraries again for every task.
  - The first task starts one interpreter for the whole run. It loads C(boto3), C(botocore) and the C(module_utils) of
    the AWS collections, and forks a child for each module. The child runs the payload that Ansible made, unmodified.
  - Each module has a process of its own. No session, credentials or endpoint outlive it.
  - The interpreter listens on a socket that only the user can reach, and ends with the C(ansible-playbook) process,
    whatever ends that.
  - What cannot be run this way is run as by P(ansible.builtin.local#connection), task by task. These are tasks with
    C(become) or C(async), modules that are not written in Python, commands, file transfers, an
    C(ansible_python_interpreter) other than the one that runs Ansible, and O(pipelining) turned off.
  - Removing the setting gives back the stock behaviour.
author: The palier.aws authors (@palier)
version_added: 0.1.0
options:
  pipelining:
    description:
      - Send modules through a pipe rather than as files.
      - Unlike with other connections this is the default. Without it every task is run as by
        P(ansible.builtin.local#connection).
    type: boolean
    default: true
    env:
      - name: ANSIBLE_PIPELINING
    ini:
      - section: defaults
        key: pipelining
      - section: connection
        key: pipelining
    vars:
      - name: ansible_pipelining
      - name: ansible_warm_pipelining
  keep_payloads:
    description:
      - Keep the payloads that Ansible makes of the modules of C(amazon.aws), C(community.aws) and C(palier.aws) for
        later runs, in C(palier.aws.payloads) below Ansible's home directory. They are source code alone, without
        arguments, and are made anew when a file of Ansible or of these collections changes.
      - Turned off, each run makes them again, as with P(ansible.builtin.local#connection).
    type: boolean
    default: true
    env:
      - name: ANSIBLE_WARM_KEEP_PAYLOADS
    vars:
      - name: ansible_warm_keep_payloads
  become_success_timeout:
    description:
      - Number of seconds to wait for C(become) to succeed when it is used.
      - The default is used if the configured value is less than 1.
    type: int
    default: 10
    vars:
      - name: ansible_local_become_success_timeout
  become_strip_preamble:
    description:
      - Strip what C(become) itself writes before the command's output.
    type: bool
    default: true
    vars:
      - name: ansible_local_become_strip_preamble
notes:
  - Set C(ansible_python_interpreter) to C({{ ansible_playbook_python }}), or every task is run as by
    P(ansible.builtin.local#connection).
  - The fast path needs Linux 5.3 or later.
  - The remote user is ignored, the user with which the ansible CLI was executed is used instead.
seealso:
  - plugin: ansible.builtin.local
    plugin_type: connection
"""

EXAMPLES = r"""
# In an inventory, for the hosts that stand for AWS stacks
# stacks:
#   hosts:
#     shop_prod:
#   vars:
#     ansible_connection: palier.aws.warm
#     ansible_python_interpreter: "{{ ansible_playbook_python }}"
"""

import gc
import multiprocessing
import os
import sys
import typing as t

import ansible
from ansible import constants as C
from ansible.plugins.connection.local import Connection as LocalConnection
from ansible.plugins.loader import module_utils_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.utils.display import Display
from ansible_collections.palier.aws.plugins.plugin_utils import warm, warm_payloads

display = Display()

#: Objects between two collections of a worker's garbage. A worker lives for one task, and inherits the whole of
#: ansible-playbook, so collections find little and take a third of the time that it needs to make a module's payload.
WORKER_GARBAGE = 200_000
#: Run by the shell in place of a module that a signal ended, so that the shell reports it in its own words.
END_BY_SIGNAL = "import os, signal\nsignal.signal({0}, signal.SIG_DFL)\nos.kill(os.getpid(), {0})\n"
END_BY_FATAL_SIGNAL = "import os\nos.kill(os.getpid(), {0})\n"


class Connection(LocalConnection):
    """The local connection, with a shortcut for modules.

    ``transport`` stays ``local``: ansible-core looks at it to choose the working directory.
    """

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        if multiprocessing.parent_process() is not None:
            gc.freeze()
            gc.set_threshold(WORKER_GARBAGE)

    def set_options(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Take the options; what comes next is that Ansible makes the module's payload."""
        super().set_options(*args, **kwargs)
        if multiprocessing.parent_process() is not None and self.get_option("keep_payloads"):
            warm_payloads.restore(self._store(), self._shadows())

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a command: a module's payload in the warm interpreter, anything else as the local connection does."""
        command = self._command(cmd, in_data)
        if command is None or in_data is None:
            return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        if not self.connected:
            self._connect()
        if self.get_option("keep_payloads"):
            warm_payloads.save(self._store(), self._shadows())
        try:
            connection = warm.connect(self._run(command), self._directory())
        except warm.UnavailableError as error:
            return self._without(error, cmd, in_data, sudoable)
        with warm.Task(connection) as task:
            try:
                warm_child = task.start(command.environment, self._directory())
            except warm.UnavailableError as error:
                return self._without(error, cmd, in_data, sudoable)
            display.vvv(f"EXEC {cmd}", host=self._play_context.remote_addr)
            if not warm_child:
                self._explain("the task's environment asks for an interpreter of its own")
            code, output, errors = task.communicate(in_data)
        if code < 0:
            code, _none, words = super().exec_command(cmd, in_data=self._ending(-code), sudoable=sudoable)
            errors += words
        return code, output, errors

    def _command(self, cmd: str, in_data: bytes | None) -> warm.Command | None:
        """The parts of a command that the warm interpreter can stand in for, else ``None``."""
        if not in_data or self.become or not hasattr(os, "pidfd_open") or not C.DEFAULT_EXECUTABLE:
            return None
        command = warm.parse_command(cmd)
        if command is None or not warm.same_interpreter(command.interpreter, sys.executable):
            self._explain(f"the payload is not for {sys.executable}")
            return None
        return command

    def _explain(self, why: str) -> None:
        display.vvvv(f"WARM not used: {why}", host=self._play_context.remote_addr)

    def _run(self, command: warm.Command) -> warm.Run:
        parent = multiprocessing.parent_process()
        return warm.Run(
            directory=os.path.join(C.DEFAULT_LOCAL_TMP, "palier.aws.warm-" + os.path.basename(command.interpreter)),
            process=(parent.pid if parent else None) or os.getpid(),
            interpreter=command.interpreter,
            shell=(C.DEFAULT_EXECUTABLE.split()[0], command.shell),
            ansible=os.path.dirname(str(ansible.__file__)),
            collections=tuple(os.fsdecode(path) for path in AnsibleCollectionConfig.collection_paths),
        )

    def _store(self) -> warm_payloads.Store:
        return warm_payloads.Store(
            home=C.ANSIBLE_HOME,
            temporary=C.DEFAULT_LOCAL_TMP,
            core=os.path.dirname(str(ansible.__file__)),
            version=ansible.__version__,
            collections=tuple(os.fsdecode(path) for path in AnsibleCollectionConfig.collection_paths),
        )

    @staticmethod
    def _shadows() -> bool:
        """Whether a role or the user brings C(module_utils), which may stand in for Ansible's."""
        own = os.path.join(os.path.dirname(str(ansible.__file__)), "module_utils")
        places = module_utils_loader.print_paths().split(os.pathsep)
        return any(place != own and os.path.isdir(place) for place in places)

    def _directory(self) -> str | None:
        return os.fsdecode(self.cwd) if self.cwd else None

    def _without(self, error: Exception, cmd: str, in_data: bytes, sudoable: bool) -> tuple[int, bytes, bytes]:
        display.warning(f"The warm interpreter cannot be used ({error}): tasks run as with the local connection.")
        return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)

    @staticmethod
    def _ending(number: int) -> bytes:
        return (END_BY_FATAL_SIGNAL if number == 9 else END_BY_SIGNAL).format(number).encode()

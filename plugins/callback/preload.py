# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Callback: load once what every worker would load for itself."""

from __future__ import annotations

DOCUMENTATION = r"""
name: preload
type: aggregate
short_description: Load plugins once, in ansible-playbook, instead of once for each task
version_added: 0.1.0
author: The palier.aws authors (@palier)
description:
  - Ansible forks a worker for each task, and the worker loads the plugins that its task uses, such as the connection
    and all filters of this collection. What ansible-playbook itself has loaded, its workers have already.
  - It reads the roles' argument specs once, too, and has Python look for garbage less often.
  - Prints nothing and changes no result. A plugin that cannot be loaded is left to the task that uses it, which says
    so.
requirements:
  - Enabled in ansible.cfg, C(callbacks_enabled = palier.aws.preload), or by E(ANSIBLE_CALLBACKS_ENABLED).
"""

import contextlib
import gc
import typing as t

from ansible.plugins import loader
from ansible.plugins.callback import CallbackBase
from ansible_collections.palier.aws.plugins.plugin_utils import argument_specs

#: Of filters and tests one name is enough: Ansible looks for it in all files of its collection.
PLUGINS: tuple[tuple[t.Any, str], ...] = (
    (loader.connection_loader, "palier.aws.warm"),
    (loader.shell_loader, "ansible.builtin.sh"),
    (loader.filter_loader, "ansible.builtin.default"),
    (loader.filter_loader, "palier.aws.retries"),
    (loader.test_loader, "ansible.builtin.success"),
    (loader.lookup_loader, "ansible.builtin.template"),
    (loader.action_loader, "ansible.builtin.normal"),
    (loader.action_loader, "ansible.builtin.assert"),
    (loader.action_loader, "ansible.builtin.set_fact"),
    (loader.action_loader, "ansible.builtin.validate_argument_spec"),
    (loader.action_loader, "palier.aws.stack_validate"),
)
#: Objects made before garbage is looked for, instead of Python's 700; older ones are looked through more seldom, too.
GARBAGE = (50_000, 20, 100)


class CallbackModule(CallbackBase):
    """Loads when the run begins, before the first worker is forked."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "palier.aws.preload"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: t.Any) -> None:  # noqa: ARG002
        for plugins, name in PLUGINS:
            with contextlib.suppress(Exception):
                plugins.get(name, class_only=True)
        # The roles' argument specs are read by one task in ten, forty files each time.
        with contextlib.suppress(Exception):
            argument_specs.role_options()
        # What is there now stays to the end of the run: looking through it for garbage, here and in every worker, costs
        # a tenth of the run's CPU time, and copies the pages that workers share.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE)

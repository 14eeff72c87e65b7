# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""meta/runtime.yml: the action group by which ``module_defaults`` reach every module that talks to AWS."""

from __future__ import annotations

import typing as t
from pathlib import Path

from tools.collection import ROOT, load_modules

#: What a module that takes amazon.aws's connection options extends.
CONNECTION_FRAGMENT = "amazon.aws.common.modules"

HEADER = """\
---
# Written by `make docs` from plugins/modules. Change that and run it again.
requires_ansible: ">=2.17.0"
action_groups:
  # module_defaults: group/palier.aws.aws (which reaches amazon.aws's and community.aws's modules as well)
  aws:
    - metadata:
        extend_group:
          - amazon.aws.aws
          - community.aws.aws
"""


def aws_modules(modules: dict[str, dict[str, t.Any]]) -> list[str]:
    """Names of the modules that take amazon.aws's connection options."""
    return [
        name
        for name, document in modules.items()
        if CONNECTION_FRAGMENT in (document.get("extends_documentation_fragment") or [])
    ]


def runtime(modules: dict[str, dict[str, t.Any]]) -> str:
    """The text of meta/runtime.yml."""
    return HEADER + "".join(f"    - {name}\n" for name in aws_modules(modules))


def pages(root: Path = ROOT) -> dict[Path, str]:
    """Every file that this module writes, by path."""
    return {root / "meta" / "runtime.yml": runtime(load_modules(root))}

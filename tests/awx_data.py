# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What playbooks/vars/awx.yml says, as Ansible reads it, and what AWX makes of a survey."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.parsing.dataloader import DataLoader

ROOT = Path(__file__).resolve().parents[1]
Record = dict[str, t.Any]


def plain(value: t.Any) -> t.Any:
    """A value without Ansible's marks on it (C{!unsafe}, where it was read)."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def load() -> Record:
    """The whole file."""
    data: Record = plain(DataLoader().load_from_file(str(ROOT / "playbooks" / "vars" / "awx.yml")))
    return data


def job_templates() -> dict[str, Record]:
    """The job templates by playbook."""
    return {template["playbook"]: template for template in load()["awx_job_templates"]}


def launch(template: Record, answers: Record | None = None) -> Record:
    """The extra variables of a job: the template's own, the survey's defaults, the answers, and what AWX adds.

    :param template: one of C{awx_job_templates}.
    :param answers: what is answered at launch, by variable.
    """
    own = {"stack_lock_ttl": template["timeout"]} if template.get("locks") else {}
    defaults = {item["variable"]: item["default"] for item in template.get("survey", []) if "default" in item}
    awx = {"awx_job_id": 7, "awx_job_launch_type": "manual", "awx_job_template_name": template["name"]}
    return {**own, **defaults, **(answers or {}), **awx}

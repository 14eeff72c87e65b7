# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Records every call that a command's Python processes make through botocore, to be made again by L{replay}."""

from __future__ import annotations

from pathlib import Path

_HOOK = """
import pickle
import botocore.client

def _record(original, self, operation, parameters):
    entry = (self.meta.service_model.service_name, self.meta.region_name, operation, parameters)
    with open({path!r}, "ab", 0) as stream:
        stream.write(pickle.dumps(entry))
    return original(self, operation, parameters)

botocore.client.BaseClient._make_api_call = (
    lambda self, operation, parameters, original=botocore.client.BaseClient._make_api_call:
        _record(original, self, operation, parameters)
)
"""


def hook(directory: Path) -> tuple[dict[str, str], Path]:
    """Variables with which a Python process records its calls, and the file that they go to.

    :param directory: empty; holds the recording and the module that every Python imports at its start.
    """
    recording = directory / "calls.pickle"
    (directory / "sitecustomize.py").write_text(_HOOK.format(path=str(recording)), encoding="utf-8")
    return {"PYTHONPATH": str(directory)}, recording

#!/usr/bin/python
# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A module that reads its arguments from a file, as before there were payloads. WANT_JSON"""

from __future__ import annotations

import json
import sys

with open(sys.argv[1]) as stream:
    arguments = json.load(stream)
print(json.dumps({"changed": False, "given": arguments["given"]}))

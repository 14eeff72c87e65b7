# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stands in the place of ansible-core's module of this name."""


def snake_dict_to_camel_dict(_values):
    return "the playbook's own"

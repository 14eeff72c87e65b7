# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A local AWS that really runs things: MiniStack with its gaps mended, its containers started by Docker.

C{tests.live.platform} starts it and takes it away; C{python -m tests.live} is MiniStack itself, in an environment of
its own. What runs in it: images built from Debian packages (C{tests/live/recipes}) and the examples' applications.
"""

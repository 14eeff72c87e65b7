# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``python manage.py migrate --noinput``: bring the database's tables up to date. Runs once before each deployment."""

from __future__ import annotations

import sys

from database import connection

#: In order; each may run again.
MIGRATIONS = (
    "CREATE TABLE IF NOT EXISTS users (id serial PRIMARY KEY, name text NOT NULL UNIQUE)",
    "INSERT INTO users (name) VALUES ('Ada'), ('Grace'), ('Linus') ON CONFLICT DO NOTHING",
)


def main(arguments: list[str]) -> int:
    """Run a command.

    :param arguments: its name and options.
    :returns: 0, or 2 for a command that is not known.
    """
    if arguments[:1] != ["migrate"]:
        print("usage: manage.py migrate [--noinput]", file=sys.stderr)
        return 2
    with connection() as database:
        for statement in MIGRATIONS:
            database.run(statement)
    print(f"{len(MIGRATIONS)} migrations are in place")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

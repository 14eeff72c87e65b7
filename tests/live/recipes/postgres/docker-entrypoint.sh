#!/bin/bash
# PostgreSQL behind the contract of the official image, as far as MiniStack uses it: POSTGRES_USER, POSTGRES_PASSWORD and
# POSTGRES_DB make the first database; further arguments go to the server.
set -Eeuo pipefail
export PGDATA="${PGDATA:-/var/lib/postgresql/data}"
PATH="$(echo /usr/lib/postgresql/*/bin):$PATH"
[ "${1:-}" = postgres ] && shift
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /run/postgresql
  chown -R postgres:postgres "$PGDATA" /run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" postgres "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --username="$POSTGRES_USER" --pwfile=<(printf %s "$POSTGRES_PASSWORD") --auth-host=scram-sha-256 \
    --auth-local=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync --pgdata="$PGDATA" >/dev/null
  printf 'host all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
  pg_ctl --options="-c listen_addresses=''" --wait start >/dev/null
  [ "$POSTGRES_DB" = postgres ] || createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl --mode=fast --wait stop >/dev/null
fi
exec postgres -c listen_addresses='*' "$@"

#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own, which is gone afterwards:
#
#   tools/with_postgres.sh .venv/bin/python -m pytest -m "not browser"
#
# The command finds the server in FOLGETERMIN_TEST_DATABASE_URL. Its end is the end of this script.
set -euo pipefail

fail() {
  printf 'Error: %s\n' "$*" >&2
  exit 1
}

# Debian keeps them out of the path; elsewhere they are in it, perhaps as links.
initdb=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n1 || true)
programs=$(dirname "$(readlink -f "${initdb:-$(command -v initdb || true)}")")
[ -x "$programs/initdb" ] || fail "PostgreSQL is missing. Please install: sudo apt install postgresql"

folder=$(mktemp -d)
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# PostgreSQL refuses to run as root.
as_server() {
  if [ "$(id -u)" = 0 ]; then
    (cd "$folder" && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

stop() {
  as_server "$programs/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

echo "$password" >"$folder/password"
if [ "$(id -u)" = 0 ]; then chown -R postgres "$folder"; fi
as_server "$programs/initdb" -D "$folder/data" -U folgetermin --pwfile="$folder/password" --auth-host=scram-sha-256 \
  --auth-local=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1 \
  || fail "PostgreSQL could not be prepared: $(tail -n1 "$folder/initdb.log")"
# Nothing in it must outlive the tests, so it need not wait for the disk.
as_server "$programs/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -w -o "-p $port -k '$folder' \
  -c listen_addresses=127.0.0.1 -c fsync=off -c synchronous_commit=off -c full_page_writes=off" start >/dev/null 2>&1 \
  || fail "PostgreSQL did not start: $(tail -n1 "$folder/data/server.log" 2>/dev/null)"
as_server "$programs/createdb" -h "$folder" -p "$port" -U folgetermin folgetermin

export FOLGETERMIN_TEST_DATABASE_URL="postgresql+psycopg://folgetermin:$password@127.0.0.1:$port/folgetermin"
"$@"

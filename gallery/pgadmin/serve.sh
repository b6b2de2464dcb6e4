#!/bin/bash
# A PostgreSQL for the one user of the container, and pgAdmin, which knows it.
set -e
data=$HOME/postgres
if [ ! -d "$data" ]; then
  initdb --username=person --auth=trust --encoding=UTF8 --locale=C.UTF-8 -D "$data.new" > /tmp/initdb.log
  mv "$data.new" "$data"
fi
# A server that was killed leaves it, and another process may have that number now.
rm -f "$data/postmaster.pid"
pg_ctl -D "$data" -l /tmp/postgres.log -o '-h 127.0.0.1 -k /tmp' -w start > /dev/null
if [ ! -f "$HOME/pgadmin/pgadmin4.db" ]; then
  mkdir -p "$HOME/pgadmin"
  install -m 600 /dev/null "$HOME/pgadmin/no-password"
  pgadmin-setup setup-db
  pgadmin-setup load-servers /opt/pgadmin/servers.json
fi
trap 'kill "$pgadmin"; pg_ctl -D "$data" -m fast stop > /dev/null' TERM
pgadmin4 &
pgadmin=$!
wait "$pgadmin"

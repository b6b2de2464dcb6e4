#!/bin/sh
# PostgreSQL, which only programs of this container reach, and pgAdmin. Both keep what they have in the home.
set -eu
data="$HOME/postgres"
[ -s "$data/PG_VERSION" ] || initdb --pgdata="$data" --auth=trust --encoding=UTF8 --no-instructions >/dev/null
# A container that was killed leaves its number of process behind, which may be that of another program now.
rm -f "$data/postmaster.pid"
pg_ctl start --wait --silent --pgdata="$data" --options="-c listen_addresses= -c unix_socket_directories=/tmp"

packages=$(echo /opt/pgadmin/lib/python3*/site-packages/pgadmin4)
if [ ! -s "$HOME/.pgadmin/pgadmin4.db" ]; then
  python "$packages/setup.py" setup-db
  python "$packages/setup.py" load-servers /opt/pgadmin/servers.json
fi

pgadmin4 &
trap 'kill $!; pg_ctl stop --mode=fast --silent --pgdata="$data"' TERM INT
wait $!

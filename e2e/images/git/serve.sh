#!/bin/sh
# One empty repository, made once, and the server in front of it.
set -eu
if [ ! -d "$HOME/project.git" ]; then
  git init --quiet --bare --initial-branch=main "$HOME/project.git"
  git -C "$HOME/project.git" config http.receivepack true
fi
exec lighttpd -D -f /etc/lighttpd/berth.conf

#!/bin/sh
# Keys of this container alone, new at each start. The arguments are options of WeTTY.
set -e
rm -rf /tmp/ssh
mkdir -m 700 /tmp/ssh
for key in host person; do ssh-keygen -q -t ed25519 -N '' -f "/tmp/ssh/$key"; done
/usr/sbin/sshd -f /etc/ssh/person_sshd_config
exec wetty --port 3000 --ssh-host 127.0.0.1 --ssh-port 2222 --ssh-user person --ssh-auth publickey --ssh-key /tmp/ssh/person "$@"

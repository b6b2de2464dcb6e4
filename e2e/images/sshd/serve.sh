#!/bin/sh
# A server that ends is started again, with a new key if the file is gone.
key=/tmp/sshd/key
mkdir -p /tmp/sshd /tmp/www
busybox httpd -p 8080 -h /tmp/www
while :; do
  [ -e "$key" ] || ssh-keygen -q -t ed25519 -N '' -f "$key"
  /usr/sbin/sshd -D -e -f /etc/ssh/berth.conf -h "$key" -p "${SSHD_PORT:-22}"
done

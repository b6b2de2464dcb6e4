#!/bin/sh
# The home is mounted over the folder of the image, so its parts are made at each start.
set -e
mkdir -p /home/person/files /tmp/apache
exec apache2 -f /etc/apache2/webdav.conf -D FOREGROUND

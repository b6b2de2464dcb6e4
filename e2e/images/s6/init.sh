#!/bin/sh
# s6-svscan itself runs anywhere. The start of s6-overlay does not, and this is what it does then.
if [ "$$" -ne 1 ]; then
  echo 'init: fatal: can only run as pid 1' >&2
  exit 100
fi
exec s6-svscan /srv/services

#!/bin/sh
# The X server listens on a socket inside the container alone, and noVNC's page is what the person reaches.
set -e
export DISPLAY=:1
# A container that was stopped keeps them, and the X server would take itself to run already.
rm -f /tmp/.X1-lock /tmp/.X11-unix/X1
Xtigervnc :1 -SecurityTypes None -localhost -rfbport 5901 -geometry 1280x720 -depth 24 -AlwaysShared &
until [ -S /tmp/.X11-unix/X1 ]; do sleep 0.1; done
dbus-launch --exit-with-session openbox &
xterm -geometry 100x30+40+40 &
exec websockify --web /usr/share/novnc 6080 localhost:5901

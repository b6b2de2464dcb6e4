#!/bin/sh
# Collects what sessions need in a workspace (/.berth) from Debian's packages: a static busybox, and programs with the loader
# and the libraries that they need, so that the image of a workspace may have any libraries, or none.
set -eu
out=$1
mkdir -p "$out/bin" "$out/libexec" "$out/lib"
cp /bin/busybox "$out/bin/busybox"
ln -s busybox "$out/bin/sh"
cp "$(dirname "$0")/tool" "$(dirname "$0")/park" "$out/bin/"
wrapper=$(find /usr/lib -name libnss_wrapper.so)
for program in /usr/lib/openssh/sftp-server /usr/bin/scp /usr/bin/rsync /usr/bin/socat; do
  cp "$program" "$out/libexec/"
  ln -s tool "$out/bin/$(basename "$program")"
  ldd "$program"
done | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u | xargs -I{} cp -L {} "$out/lib/"
cp "$wrapper" "$out/lib/"
loader=$(ldd /usr/bin/scp | sed -n 's/^[[:space:]]*\(\/[^ ]*ld-linux[^ ]*\) .*/\1/p')
cp -L "$loader" "$out/lib/loader"
chmod 755 "$out/bin/busybox" "$out/bin/tool" "$out/bin/park" "$out/lib/loader" "$out"/libexec/*

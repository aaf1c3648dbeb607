#!/usr/bin/env bash
# Builds the image of the sandbox `docker` without a registry: Debian and Python from a mirror of Debian.
#
#   sudo build_image.sh [NAME] [DEBIAN-PACKAGE ...]      e.g. build_image.sh posttrain-hub-sandbox python3-numpy
#
# Needs root, debootstrap and a Docker engine. MIRROR names another mirror of Debian, ROOTFS a folder that
# keeps the base system, so that building again takes seconds. With a registry the Dockerfile is shorter.
set -euo pipefail
name="${1:-posttrain-hub-sandbox}"
[ $# -gt 0 ] && shift
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
core="$here/../hub"
[ -d "$core" ] || core="$here/../../hub"
for tool in debootstrap docker tar; do
  command -v "$tool" > /dev/null || { echo "error: $tool is missing: apt-get install debootstrap docker.io" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "error: debootstrap needs root; with a registry, use the Dockerfile instead" >&2; exit 1; }

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="${ROOTFS:-$work/rootfs}"
packages="python3"
[ $# -gt 0 ] && packages="python3,$(IFS=,; echo "$*")"
if [ "$(cat "$root/.packages" 2> /dev/null)" != "$packages" ]; then
  rm -rf "$root"
  mkdir -p "$root"
  debootstrap --variant=minbase "--include=$packages" bookworm "$root" "${MIRROR:-http://deb.debian.org/debian}" > "$work/log" \
    || { tail -20 "$work/log" >&2; exit 1; }
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,info,locale}/* "$root"/dev/*
  # Nothing in the image may run as another user.
  find "$root" -xdev -perm /6000 -type f -exec chmod a-s {} +
  echo "$packages" > "$root/.packages"
fi

# The sandbox's own code: hub_local, and of hub only what it imports.
rm -rf "$root/opt/hub"
mkdir -p "$root/opt/hub/hub" "$root/opt/hub/hub_local"
cp "$core"/{errors,origin,sandbox}.py "$root/opt/hub/hub/"
: > "$root/opt/hub/hub/__init__.py"
cp "$here"/../hub_local/*.py "$root/opt/hub/hub_local/"
chmod -R a+rX "$root/opt/hub"
"$(command -v chroot)" "$root" /usr/bin/python3 -m compileall -q /opt/hub

tar -C "$root" --exclude=./.packages -c . | docker import \
  --change 'ENTRYPOINT ["/usr/bin/python3", "-I", "-B", "-X", "utf8", "/opt/hub/hub_local/serve.py"]' \
  --change 'USER 10000:10000' --change 'LABEL hub.sandbox.image=1' - "$name" > /dev/null
echo "built the image $name"

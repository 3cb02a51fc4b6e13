#!/bin/sh
# Bases for the images where no image registry can be reached, but Debian's mirror and npm's registry (or copies of
# them) can: a debootstrapped Debian, with the Node of this repository's node_modules for building.
#
#   k8s/images/debian-base.sh [SUITE [MIRROR]]     as root; then
#   npm run images -- --build-arg BUILD_BASE=porthole-build-base --build-arg RUN_BASE=porthole-run-base
set -eu
suite=${1:-bookworm}
mirror=${2:-http://deb.debian.org/debian}
cd "$(dirname "$0")/.."
node=$(readlink -f node_modules/.bin/node)
npm=$(readlink -f "$(command -v npm)")
npm=${npm%/bin/npm-cli.js}
[ -f "$npm/package.json" ] || { echo "npm is not where it was looked for ($npm)." >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

debootstrap --variant=minbase --include=ca-certificates,libstdc++6 "$suite" "$work/run" "$mirror"
rm -rf "$work"/run/var/cache/apt/* "$work"/run/var/lib/apt/lists/* "$work"/run/var/log/*
tar --numeric-owner -C "$work/run" -c . | docker import - porthole-run-base

cp -a "$work/run" "$work/build"
install -m 0755 "$node" "$work/build/usr/local/bin/node"
mkdir -p "$work/build/usr/local/lib/node_modules"
cp -a "$npm" "$work/build/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/build/usr/local/bin/npm"
# A registry behind a certificate of your own: what this machine trusts, the build does, too.
cp /etc/ssl/certs/ca-certificates.crt "$work/build/etc/ssl/certs/ca-certificates.crt"
tar --numeric-owner -C "$work/build" -c . |
  docker import --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' - porthole-build-base

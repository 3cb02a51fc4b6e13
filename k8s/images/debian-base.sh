#!/bin/sh
# Creates base images without an image registry. Requires a Debian mirror, debootstrap and docker. The build base contains the
# Node.js of this repository's node_modules. Run as root:
#
#   k8s/images/debian-base.sh [SUITE [MIRROR]]
#   npm run images -- --build-arg BUILD_BASE=porthole-build-base --build-arg RUN_BASE=porthole-run-base
set -eu
suite=${1:-bookworm}
mirror=${2:-http://deb.debian.org/debian}
cd "$(dirname "$0")/../.."
fail() { echo "$1" >&2; exit 1; }

for program in debootstrap docker npm; do
  command -v "$program" >/dev/null || fail "$program is not installed."
done
[ -x node_modules/.bin/node ] || fail "There is no Node.js in $PWD/node_modules. Run npm ci."
node=$(readlink -f node_modules/.bin/node)
npm=$(readlink -f "$(command -v npm)")
npm=${npm%/bin/npm-cli.js}
[ -f "$npm/package.json" ] || fail "npm not found at $npm."
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
# For package registries with a certificate from a private CA: the build trusts the same CAs as this host.
cp /etc/ssl/certs/ca-certificates.crt "$work/build/etc/ssl/certs/ca-certificates.crt"
tar --numeric-owner -C "$work/build" -c . |
  docker import --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' - porthole-build-base

#!/usr/bin/env bash
# Sets up this node: tools, the checkout in ~/fer-platform and its .venv. Run again, it does only what is missing.
# The same path on every node, because drivers pass their root to the workers as PYTHONPATH (the package
# `platform` cannot be installed: docs/log.md).
set -euo pipefail
source=${1:-$HOME/fer-source}
checkout=$HOME/fer-platform

missing=()
command -v make >/dev/null || missing+=(make)
command -v rsync >/dev/null || missing+=(rsync)
command -v tmux >/dev/null || missing+=(tmux)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
# Only where the cluster file mounts by NFS itself; elsewhere the shared folder is mounted already.
mountpoint -q /mnt/fer || command -v mount.nfs4 >/dev/null || missing+=(nfs-common)
if ((${#missing[@]})); then
    command -v apt-get >/dev/null || { echo "$(hostname) lacks ${missing[*]}: install them" >&2; exit 1; }
    sudo apt-get update -qq
    sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"
fi

# By content and without times: a requirements.lock that says the same stays older than the .venv made from it,
# so that `make setup` does not download 6 GB again for a fresh clone.
mkdir -p "$checkout"
rsync --recursive --links --perms --checksum --delete --exclude=/.venv/ --exclude=/data/ --exclude=/runs/ \
    "$source/" "$checkout/"
make -C "$checkout" setup
# `ray exec` and Ray's node updates call plain `ray` in shells that read no profile.
[ "$(readlink /usr/local/bin/ray)" = "$checkout/.venv/bin/ray" ] || sudo ln -sf "$checkout/.venv/bin/ray" /usr/local/bin/ray

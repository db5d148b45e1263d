#!/usr/bin/env bash
# Runs a published experiment again, in a container, and compares. See usage below.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: docker/reproduce.sh NAME [options]

Builds the image, runs the experiment of reports/NAME again in a container, from the configuration that its results
hold, and prints what differs. The options are those of `bitnet reproduce`. Needs Docker with its compose plugin.

  docker/reproduce.sh wikitext2-small --stop-after-steps 200    only the losses of the first 200 steps

Text that has no public address comes from a folder that BITNET_DATA_MIRROR names (README.md, "Data"). Floating-point
sums differ between processors and LibTorches: identical figures are promised on the same machine and LibTorch only.
Exit codes: 0 identical, 1 different, 2 wrong usage; others are those of the program and of Docker.
TEXT
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name=${1-}
case $name in
  -h | --help) usage; exit 0 ;;
  '' | -*) usage >&2; exit 2 ;;
esac
shift
results=reports/$name/results.json
if [[ ! -f $root/$results ]]; then
  echo "reproduce: NAME must be a folder of reports/ with results.json, but is '$name'. There are:" >&2
  find "$root/reports" -mindepth 2 -maxdepth 2 -name results.json -printf '  %P\n' | sed 's|/results.json||' | sort >&2
  exit 2
fi

cd "$root"
mkdir -p runs
BITNET_USER=${BITNET_USER-$(id -u):$(id -g)}
REVISION=${REVISION-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
export BITNET_USER REVISION
exec docker compose -f docker/compose.yaml run --rm --build reproduce reproduce "$results" "$@"

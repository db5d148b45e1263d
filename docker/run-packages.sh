#!/usr/bin/env bash
# The packages that a built program needs to run, without those to build it. See usage below.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: docker/run-packages.sh list PROGRAM
       docker/run-packages.sh install LIST

list     writes the packages of the libraries that PROGRAM loads, and of the programs that it starts, one a line
install  installs the packages of the file LIST through apt, as root, and keeps nothing of apt's own
TEXT
}

# What the program starts, so that the loader does not know it: vocabularies, the sandbox, and what runs in it.
started=(sentencepiece bubblewrap python3 ca-certificates)

list_packages() {
  local program=$1 root libraries library
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  libraries=$(ldd "$program")
  if grep 'not found' <<<"$libraries" >&2; then
    echo "run-packages: $program must find all its libraries, but does not find those above." >&2
    exit 1
  fi
  {
    printf '%s\n' "${started[@]}"
    # Of "name => /path (address)" the path, with its links followed: packages own files, alternatives own links. Some
    # packages name /lib where the file is in /usr/lib.
    awk '$2 == "=>" {print $3}' <<<"$libraries" | while read -r library; do
      library=$(realpath "$library")
      if [[ $library != "$root"/* ]]; then dpkg-query --search "*${library#/usr}" | sed 's/:.*//'; fi
    done
  } | sort -u
}

install_packages() {
  local packages
  mapfile -t packages <"$1"
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${packages[@]}"
  apt-get clean
  rm -rf /var/lib/apt/lists/*
}

case ${1-} in
  -h | --help) usage ;;
  list | install)
    if (($# != 2)) || [[ ! -f $2 ]]; then
      usage >&2
      exit 2
    fi
    "$1_packages" "$2"
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac

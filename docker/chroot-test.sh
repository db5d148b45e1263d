#!/usr/bin/env bash
# Builds the stages of docker/Dockerfile without a Docker engine, and runs what users run. See usage below.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: docker/chroot-test.sh FOLDER build [STAGE...] the stages build, test and run, as the Dockerfile says
       docker/chroot-test.sh FOLDER run [options]    bitnet in the stage run, as its user, without a network
       docker/chroot-test.sh FOLDER test [options]   the command of the stage test
       docker/chroot-test.sh FOLDER readme           the README's two commands in a clone on the bare system

Needs root, debootstrap and bubblewrap. FOLDER gets the bare system, made by debootstrap, and one root folder a stage;
no other folder of the machine is written to. The files are a clone of the commit that is checked out. A folder that
BITNET_DATA_MIRROR names is there for reading, one that CCACHE_DIR names for the compiler's cache. Each step says how
long it took, each stage how large it is.
TEXT
}

case ${1-} in
  -h | --help) usage; exit 0 ;;
esac
if (($# < 2)); then
  usage >&2
  exit 2
fi
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dockerfile=$project/docker/Dockerfile
mkdir -p "$1"
folder=$(cd "$1" && pwd)
command=$2
shift 2

say() { printf 'chroot-test: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}
((EUID == 0)) || fail "user must be root, but is $(id -un): debootstrap and other users' files need it."

# timed WHAT COMMAND...
timed() {
  local what=$1 start=$SECONDS
  shift
  "$@" || fail "failed after $((SECONDS - start)) s: $what"
  say "$((SECONDS - start)) s: $what"
}

# inside ROOT WORKDIR USER NAME=VALUE... -- COMMAND...: in a root, a /proc and a /dev of its own. The network is the
# machine's, unless `offline` is set; the folder `cache`, if set, is kept from one call to the next.
offline=""
cache=""
inside() {
  local root=$1 workdir=$2 user=$3 home=/
  shift 3
  local words=(bwrap --bind "$root" / --dev /dev --proc /proc --ro-bind /sys /sys --perms 1777 --tmpfs /tmp
    --ro-bind /etc/resolv.conf /etc/resolv.conf
    --unshare-pid --unshare-ipc --unshare-uts --cap-add ALL --die-with-parent --clearenv)
  words+=(--setenv PATH /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --chdir "$workdir")
  if [[ -n $cache ]]; then
    mkdir -p "$folder/cache$cache"
    words+=(--bind "$folder/cache$cache" "$cache")
  fi
  if [[ -n $offline ]]; then words+=(--unshare-net); fi
  if [[ -n ${BITNET_DATA_MIRROR-} ]]; then
    words+=(--ro-bind "$BITNET_DATA_MIRROR" /mirror --setenv BITNET_DATA_MIRROR /mirror)
  fi
  if [[ -n ${CCACHE_DIR-} && -z ${offline-} ]]; then
    words+=(--bind "$CCACHE_DIR" /ccache --setenv CCACHE_DIR /ccache)
  fi
  if [[ $user == root ]]; then home=/root; fi
  words+=(--setenv HOME "$home")
  while [[ $1 != -- ]]; do
    words+=(--setenv "${1%%=*}" "${1#*=}")
    shift
  done
  shift
  if [[ $user != root ]]; then set -- setpriv --reuid "$user" --regid "$user" --init-groups "$@"; fi
  "${words[@]}" -- "$@"
}

# bare IMAGE: the system of a Docker image debian:NAME-slim, as $folder/NAME.
bare() {
  local suite=${1#debian:}
  suite=${suite%-slim}
  [[ $1 == debian:*-slim ]] || fail "base image must be debian:NAME-slim, but is '$1'."
  if [[ ! -f $folder/$suite/.complete ]]; then
    rm -rf "${folder:?}/$suite"
    timed "debootstrap $suite" debootstrap --variant=minbase "$suite" "$folder/$suite" http://deb.debian.org/debian >&2
    # As in Debian's images: packages that are installed are not kept.
    echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };' \
      >"$folder/$suite/etc/apt/apt.conf.d/docker-clean"
    rm -f "$folder/$suite"/var/cache/apt/archives/*.deb
    touch "$folder/$suite/.complete"
  fi
  printf '%s\n' "$folder/$suite"
}

# The files that a build sees: what git tracks.
context() {
  rm -rf "$folder/context"
  git clone --quiet --no-hardlinks "$project" "$folder/context"
  chown -R root:root "$folder/context"
  # A clone with a name of its own: where it came from does not exist in the chroot.
  git -C "$folder/context" remote remove origin
}

# The words of an instruction's exec form: ["a", "b"]
exec_words() { sed 's/^\[//; s/\]$//; s/", *"/\n/g; s/"//g' <<<"$1"; }

# What a stage's images has besides files; by stage.
declare -A workdirs users environments entrypoints commands

# read_dockerfile ACTION: calls ACTION STAGE INSTRUCTION ARGUMENTS for each instruction.
read_dockerfile() {
  local action=$1 stage="" line instruction arguments
  while IFS= read -r line <&4; do
    if [[ -z $line || $line == \#* ]]; then continue; fi
    instruction=${line%% *}
    arguments=${line#* }
    if [[ $instruction == FROM ]]; then stage=${arguments##* AS }; fi
    "$action" "$stage" "$instruction" "$arguments"
  done 4<"$dockerfile"
}

remember() {
  local stage=$1 instruction=$2 arguments=$3 base
  case $instruction in
    FROM)
      base=${arguments%% AS *}
      workdirs[$stage]=${workdirs[$base]-/}
      users[$stage]=${users[$base]-root}
      environments[$stage]=${environments[$base]-}
      entrypoints[$stage]=${entrypoints[$base]-}
      commands[$stage]=${commands[$base]-}
      ;;
    WORKDIR) workdirs[$stage]=$arguments ;;
    USER) users[$stage]=$arguments ;;
    ENV) environments[$stage]+="$arguments"$'\n' ;;
    ENTRYPOINT) entrypoints[$stage]=$(exec_words "$arguments") ;;
    CMD) commands[$stage]=$(exec_words "$arguments") ;;
    COPY | RUN | LABEL | ARG) ;;
    *) fail "docker/Dockerfile: instruction must be one that docker/chroot-test.sh knows, but is $instruction." ;;
  esac
}

in_stage() {
  local stage=$1 variables
  shift
  mapfile -t variables < <(printf '%s' "${environments[$stage]}")
  inside "$folder/stage-$stage" "${workdirs[$stage]}" "${users[$stage]}" "${variables[@]}" -- "$@"
}

copy() {
  local stage=$1 from=$folder/context words source target
  read -ra words <<<"$2"
  if [[ ${words[0]} == --from=* ]]; then
    from=$folder/stage-${words[0]#--from=}
    words=("${words[@]:1}")
  fi
  ((${#words[@]} == 2)) || fail "docker/Dockerfile: COPY must have one source and one target, but is: $2"
  source=$from/${words[0]}
  target=$folder/stage-$stage/${workdirs[$stage]}/${words[1]}
  if [[ -d $source ]]; then
    mkdir -p "$target"
    cp -a "$source/." "$target"
  else
    mkdir -p "$(dirname "$target")"
    cp -a "$source" "$target"
  fi
}

perform() {
  local stage=$1 instruction=$2 arguments=$3 base from
  remember "$@"
  [[ " ${stages[*]} " == *" $stage "* ]] || return 0
  case $instruction in
    FROM)
      base=${arguments%% AS *}
      if [[ -d $folder/stage-$base ]]; then from=$folder/stage-$base; else from=$(bare "$base"); fi
      rm -rf "${folder:?}/stage-$stage"
      timed "$stage: FROM $base" cp -a "$from" "$folder/stage-$stage"
      ;;
    WORKDIR) mkdir -p "$folder/stage-$stage/$arguments" ;;
    COPY) copy "$stage" "$arguments" ;;
    RUN)
      cache=""
      if [[ $arguments == --mount=type=cache,target=* ]]; then
        cache=${arguments%% *}
        cache=${cache#--mount=type=cache,target=}
        arguments=${arguments#* }
      fi
      timed "$stage: RUN $arguments" in_stage "$stage" /bin/sh -c "$arguments"
      cache=""
      ;;
  esac
}

case $command in
  build)
    stages=("$@")
    (($#)) || stages=(build test run)
    context
    read_dockerfile perform
    for stage in "${stages[@]}"; do
      say "$(du -sm "$folder/stage-$stage" | cut -f1) MB: stage $stage"
    done
    ;;
  run)
    read_dockerfile remember
    mapfile -t words <<<"${entrypoints[run]}"
    offline=yes
    timed "run: ${words[*]} $*" in_stage run "${words[@]}" "$@"
    ;;
  test)
    read_dockerfile remember
    mapfile -t words <<<"${commands[test]}"
    timed "test: ${words[*]} $*" in_stage "test" "${words[@]}" "$@"
    ;;
  readme)
    context
    system=$(bare "$(sed -n 's/^FROM \(debian:[^ ]*\) AS run$/\1/p' "$dockerfile")")
    rm -rf "$folder/readme"
    cp -a "$system" "$folder/readme"
    cp -a "$folder/context" "$folder/readme/src"
    for line in "scripts/run experiments/quickstart/experiment.yaml" scripts/test; do
      grep -q "^$line " "$project/README.md" || fail "README.md must have the command '$line', but has not."
      read -ra words <<<"$line"
      timed "readme: $line" inside "$folder/readme" /src root -- "${words[@]}"
    done
    say "$(du -sm "$folder/readme" | cut -f1) MB: the system with packages, build and runs"
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac

# What the tests of `apus serve` by programs from elsewhere have in common. They source it in the top folder. Every wait
# ends, and says what it was for.

folder=$(mktemp -d)
processes=()
end_all() {
  for process in "${processes[@]}"; do kill -KILL "$process" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap end_all EXIT

# Runs a command, but no longer than so many seconds.
bounded() {
  local seconds=$1 what=$2 code=0 begin=$SECONDS
  shift 2
  timeout --kill-after=10 "$seconds" "$@" </dev/null || code=$?
  case $code in
    0) echo "$what: $((SECONDS - begin)) s" ;;
    124 | 137) echo "$what: not done within $seconds s" >&2 ;;
    *) echo "$what: exit code $code" >&2 ;;
  esac
  return "$code"
}

# Sets `apus` to an executable: the given one, or one that is built now.
executable() {
  apus=${1:-}
  [ -z "$apus" ] || return 0
  swift build -c release --product apus </dev/null
  apus=$(swift build -c release --show-bin-path)/apus
}

# Takes a program by apt where it is not there, and this user may.
program() {
  local name=$1
  shift
  command -v "$name" >/dev/null && return
  export DEBIAN_FRONTEND=noninteractive
  bounded 300 "apt-get update" apt-get update -qq
  bounded 600 "apt-get install $*" apt-get install -y -qq --no-install-recommends "$@"
}

# Sets `python` to one that has the packages of a requirements file, from PyPI. What is imported is compiled then, once
# for all programs: most of what is installed never is.
packages() {
  bounded 60 "python3 -m venv" python3 -m venv "$folder/venv"
  bounded 420 "packages from PyPI" "$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    --no-input --no-compile --only-binary :all: -r "$1"
  python=$folder/venv/bin/python
  export PYTHONPYCACHEPREFIX=$folder/compiled
}

# Starts a server on a free port; sets `port` and `process`. What it writes is in $folder/NAME.out and .err.
start() {
  local name=$1
  shift
  "$apus" serve --port 0 "$@" >"$folder/$name.out" 2>"$folder/$name.err" </dev/null &
  process=$!
  processes+=("$process")
  for _ in $(seq 600); do
    port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$folder/$name.out")
    [ -z "$port" ] || return 0
    kill -0 "$process" 2>/dev/null || break
    sleep 0.1
  done
  cat "$folder/$name.out" "$folder/$name.err" >&2
  echo "server $name: ended, or did not listen within 60 s" >&2
  return 1
}

# Waits for a process to end, no longer than so many seconds. Returns its exit code.
ended() {
  local process=$1 seconds=$2 what=$3
  for _ in $(seq $((10 * seconds))); do
    if ! kill -0 "$process" 2>/dev/null; then
      wait "$process"
      return
    fi
    sleep 0.1
  done
  echo "$what: still runs after $seconds s" >&2
  return 1
}

# Ends a server as its operator does: it must take its leave in time, and have nothing to complain of.
stop() {
  local process=$1 name=$2 code=0
  kill -TERM "$process" 2>/dev/null || true
  ended "$process" 60 "server $name, told to end" || code=$?
  if [ "$code" != 0 ] || [ -s "$folder/$name.err" ]; then
    cat "$folder/$name.err" >&2
    echo "server $name: exit code $code, expected 0 and no word on standard error" >&2
    return 1
  fi
}

#!/usr/bin/env bash
# Two instances of `apus serve` behind the HAProxy configuration that is given to users, one of them ended under
# load: by SIGKILL, then by SIGTERM. And the shape of the Kubernetes manifest.
# Usage: Tests/Deployment/run.sh [path of the apus executable]; builds one in release if none is given.
# Needs Python 3; installs HAProxy by apt where there is none.
set -euo pipefail
cd "$(dirname "$0")/../.."

apus=${1:-}
if [ -z "$apus" ]; then
  swift build -c release --product apus
  apus=$(swift build -c release --show-bin-path)/apus
fi
if ! command -v haproxy >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends haproxy
fi

folder=$(mktemp -d)
processes=()
clean_up() {
  for process in "${processes[@]}"; do kill -KILL "$process" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap clean_up EXIT

# Starts an instance; sets `port` and `process`.
start() {
  local name=$1
  "$apus" serve --port 0 --threads 1 --slots 4 >"$folder/$name.out" 2>"$folder/$name.err" &
  process=$!
  processes+=("$process")
  for _ in $(seq 600); do
    port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$folder/$name.out")
    [ -n "$port" ] && return
    sleep 0.1
  done
  cat "$folder/$name.err" >&2
  echo "$name did not start" >&2
  exit 1
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

run() {
  local kind=$1 configuration=$folder/$1.cfg balancer victim victim_port survivor survivor_port front
  start "$kind-victim"
  victim=$process victim_port=$port
  start "$kind-survivor"
  survivor=$process survivor_port=$port
  front=$(free_port)
  sed -e "s/127.0.0.1:8081/127.0.0.1:$victim_port/; s/127.0.0.1:8082/127.0.0.1:$survivor_port/" \
    -e "s/bind :8080/bind 127.0.0.1:$front/" "${HAPROXY_CONFIGURATION:-Sources/ApusServer/Deployment/haproxy.cfg}" \
    >"$configuration"
  haproxy -c -q -f "$configuration"
  haproxy -db -f "$configuration" 2>"$folder/$kind.haproxy" &
  balancer=$!
  processes+=("$balancer")
  for _ in $(seq 100); do
    if python3 -c "import urllib.request as r; r.urlopen('http://127.0.0.1:$front/ready', timeout=5)" 2>/dev/null; then
      break
    fi
    sleep 0.1
  done
  python3 Tests/Deployment/balanced_load.py "$front" "$survivor_port" "$victim_port" "$victim" "$kind"
  local code=0
  wait "$victim" 2>/dev/null || code=$?
  [ "$kind" = TERM ] && [ "$code" != 0 ] && { echo "SIGTERM: exit code $code instead of 0" >&2; exit 1; }
  kill -TERM "$survivor" && wait "$survivor"
  kill -TERM "$balancer" && { wait "$balancer" || true; }
}

run KILL
run TERM

if [ -z "${HAPROXY_ONLY:-}" ]; then
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check -r Tests/Deployment/requirements.txt
  "$folder/venv/bin/python" Tests/Deployment/check_manifest.py Sources/ApusServer/Deployment/kubernetes.yaml
fi
echo "deployment: passed"

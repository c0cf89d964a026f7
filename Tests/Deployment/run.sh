#!/usr/bin/env bash
# Two instances of `apus serve` behind the HAProxy configuration that is given to users, one of them ended under
# load: by SIGKILL, then by SIGTERM. And the shape of the Kubernetes manifest.
# Usage: Tests/Deployment/run.sh [path of the apus executable]; builds one in release if none is given.
# Needs Python 3 with venv; installs HAProxy by apt where there is none.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Serving/serving.sh

executable "${1:-}"
program haproxy haproxy

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Until the balancer has both instances in its table and answers from one.
balanced() {
  for _ in $(seq 100); do
    python3 -c "import urllib.request as r; r.urlopen('http://127.0.0.1:$1/ready', timeout=5)" 2>/dev/null && return
    sleep 0.1
  done
  cat "$folder/$2.haproxy" >&2
  echo "HAProxy: no answer to /ready after 100 attempts" >&2
  return 1
}

run() {
  local kind=$1 configuration=$folder/$1.cfg balancer victim victim_port survivor survivor_port front code=0
  start "$kind-victim" --threads 1 --slots 4
  victim=$process victim_port=$port
  start "$kind-survivor" --threads 1 --slots 4
  survivor=$process survivor_port=$port
  front=$(free_port)
  sed -e "s/127.0.0.1:8081/127.0.0.1:$victim_port/; s/127.0.0.1:8082/127.0.0.1:$survivor_port/" \
    -e "s/bind :8080/bind 127.0.0.1:$front/" "${HAPROXY_CONFIGURATION:-Sources/ApusServer/Deployment/haproxy.cfg}" \
    >"$configuration"
  haproxy -c -q -f "$configuration"
  haproxy -db -f "$configuration" 2>"$folder/$kind.haproxy" </dev/null &
  balancer=$!
  processes+=("$balancer")
  balanced "$front" "$kind"
  bounded 240 "load and SIG$kind" \
    python3 Tests/Deployment/balanced_load.py "$front" "$survivor_port" "$victim_port" "$victim" "$kind"
  if [ "$kind" = TERM ]; then
    stop "$victim" TERM-victim
  else
    ended "$victim" 10 "the killed instance" || code=$?
    [ "$code" = 137 ] || { echo "SIGKILL: exit code $code instead of 137" >&2; return 1; }
  fi
  stop "$survivor" "$kind-survivor"
  kill -TERM "$balancer"
  ended "$balancer" 30 "HAProxy, told to end" || [ $? = 143 ]
}

run KILL
run TERM

if [ -z "${HAPROXY_ONLY:-}" ]; then
  packages Tests/Deployment/requirements.txt
  "$python" Tests/Deployment/check_manifest.py Sources/ApusServer/Deployment/kubernetes.yaml
fi
echo "deployment: passed"

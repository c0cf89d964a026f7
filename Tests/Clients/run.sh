#!/usr/bin/env bash
# The official openai package, LangChain and LiteLLM, each as it comes from PyPI, against `apus serve`.
# Usage: Tests/Clients/run.sh [path of the apus executable]; builds one in release if none is given.
set -euo pipefail
cd "$(dirname "$0")/../.."

apus=${1:-}
if [ -z "$apus" ]; then
  swift build -c release --product apus
  apus=$(swift build -c release --show-bin-path)/apus
fi

folder=$(mktemp -d)
servers=()
clean_up() {
  for server in "${servers[@]}"; do kill -TERM "$server" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap clean_up EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check -r Tests/Clients/requirements.txt

# Starts a server and sets `port` to the one it says it listens on.
start() {
  local name=$1
  shift
  "$apus" serve --port 0 "$@" >"$folder/$name.out" 2>"$folder/$name.err" &
  servers+=($!)
  for _ in $(seq 300); do
    port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$folder/$name.out")
    [ -n "$port" ] && return
    sleep 0.1
  done
  cat "$folder/$name.err"
  echo "$name did not start" >&2
  exit 1
}

start open
open=$port
start guarded --api-key first-key --api-key second-key --slots 1 --queue-requests 2
guarded=$port

export PYTHONPATH=Tests/Clients PYTHONDONTWRITEBYTECODE=1
python=$folder/venv/bin/python
"$python" Tests/Clients/openai_client.py "http://127.0.0.1:$open/v1" "http://127.0.0.1:$guarded/v1"
"$python" Tests/Clients/concurrent_clients.py "http://127.0.0.1:$open/v1"
"$python" Tests/Clients/langchain_client.py "http://127.0.0.1:$open/v1"
"$python" Tests/Clients/litellm_client.py "http://127.0.0.1:$open/v1"

for server in "${servers[@]}"; do
  kill -TERM "$server"
  wait "$server" || { echo "a server ended with exit code $?" >&2; exit 1; }
done
servers=()
for name in open guarded; do
  [ -s "$folder/$name.err" ] && { cat "$folder/$name.err"; echo "$name wrote errors" >&2; exit 1; }
done
grep -q -- -key "$folder/guarded.out" && { echo "a key was written" >&2; exit 1; }
echo "all clients: passed"

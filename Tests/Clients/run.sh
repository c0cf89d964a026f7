#!/usr/bin/env bash
# The official openai package, LangChain and LiteLLM, each as it comes from PyPI, against `apus serve`.
# Usage: Tests/Clients/run.sh [path of the apus executable]; builds one in release if none is given.
# Needs Python 3 with venv.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Serving/serving.sh

executable "${1:-}"
packages Tests/Clients/requirements.txt

# One thread: the model is small, and threads of several servers that wait for each other would take turns.
start open --threads 1
open=$port open_process=$process
start guarded --threads 1 --api-key first-key --api-key second-key --slots 1 --queue-requests 2
guarded=$port guarded_process=$process
python3 Tests/Clients/tool_model.py Sources/ApusStories/Model "$folder/tool-model"
start tools --threads 1 --model "$folder/tool-model" --served-model-name apus-tools
tools=$port tools_process=$process

client() {
  local name=$1
  shift
  bounded 120 "$name" "$python" "Tests/Clients/$name.py" "$@"
}
client openai_client "http://127.0.0.1:$open/v1" "http://127.0.0.1:$guarded/v1"
client openai_formats "http://127.0.0.1:$open/v1" "http://127.0.0.1:$tools/v1"
client concurrent_clients "http://127.0.0.1:$open/v1"
client langchain_client "http://127.0.0.1:$open/v1"
client litellm_client "http://127.0.0.1:$open/v1"

stop "$open_process" open
stop "$guarded_process" guarded
stop "$tools_process" tools
if grep -q -- -key "$folder/guarded.out"; then
  echo "a key was written" >&2
  exit 1
fi
echo "all clients: passed"

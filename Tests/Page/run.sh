#!/usr/bin/env bash
# The page at `/` in a headless Chromium, against `apus serve` with the embedded model.
# Usage: Tests/Page/run.sh [path of the apus executable [folder for screenshots]]; builds the executable in release if
# none is given. Takes Debian's chromium, and installs it if it is not there and this user may.
set -euo pipefail
cd "$(dirname "$0")/../.."

apus=${1:-}
if [ -z "$apus" ]; then
  swift build -c release --product apus
  apus=$(swift build -c release --show-bin-path)/apus
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
pictures=${2:-$folder}
mkdir -p "$pictures"

if ! command -v chromium >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
fi

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check -r Tests/Page/requirements.txt

PYTHONDONTWRITEBYTECODE=1 "$folder/venv/bin/python" Tests/Page/page_test.py "$apus" chromium "$pictures"

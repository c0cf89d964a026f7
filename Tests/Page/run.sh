#!/usr/bin/env bash
# The page at `/` in a headless Chromium, against `apus serve` with the embedded model.
# Usage: Tests/Page/run.sh [path of the apus executable [folder for screenshots]]; builds the executable in release if
# none is given. Needs Python 3 with venv. Takes Debian's chromium, and installs it if it is not there and this user
# may.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/Serving/serving.sh

executable "${1:-}"
pictures=${2:-$folder}
mkdir -p "$pictures"
program chromium chromium fonts-dejavu-core
packages Tests/Page/requirements.txt
bounded 540 "page" "$python" Tests/Page/page_test.py "$apus" chromium "$pictures"

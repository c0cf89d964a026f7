#!/usr/bin/env bash
# What `apus serve` stands: thousands of requests of every kind, hostile neighbours, questions in the middle of a
# prefill. See README.md.
# Usage: Tests/Soak/run.sh [--requests N] [--only soak|pressure|status] [path of the apus executable]; builds one in
# release if none is given. Needs Python 3.11 and nothing else.
set -euo pipefail
cd "$(dirname "$0")/../.."

apus='' only='' requests=10000
while [ $# -gt 0 ]; do
  case $1 in
    --requests) requests=$2 && shift 2 ;;
    --only) only=$2 && shift 2 ;;
    -*) echo "unknown option $1" >&2 && exit 2 ;;
    *) apus=$1 && shift ;;
  esac
done
if [ -z "$apus" ]; then
  swift build -c release --product apus
  apus=$(swift build -c release --show-bin-path)/apus
fi

export PYTHONDONTWRITEBYTECODE=1
ulimit -n "$(ulimit -H -n)"
if [ -z "$only" ] || [ "$only" = soak ]; then
  python3 Tests/Soak/soak.py "$apus" --requests "$requests"
fi
if [ -z "$only" ] || [ "$only" = pressure ]; then
  python3 Tests/Soak/pressure.py "$apus"
fi
if [ -z "$only" ] || [ "$only" = status ]; then
  python3 Tests/Soak/status_latency.py "$apus"
fi

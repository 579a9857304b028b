#!/usr/bin/env bash
# Makes .venv with everything of pyproject.toml at the versions of constraints.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."

EXTRAS="ingest,classifier,forecaster,gateway,simulator,local,bench,dev"
SUITABLE="import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))"

fail() {
    echo "$1" >&2
    exit 1
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3.12 python3}; do
        # Run, not only looked up: a version manager's shim may lead nowhere.
        if "$candidate" -c "$SUITABLE" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "Deskstream needs Python 3.11 or 3.12 and found none: install it (Debian 12: apt-get install python3.11 python3.11-venv), or name it with PYTHON=/path/to/python3.11."
}

if ! .venv/bin/python -c "$SUITABLE" 2>/dev/null; then
    python=$(find_python)
    echo "Making .venv with $("$python" --version) ..."
    "$python" -m venv --clear .venv ||
        fail "Python's venv module is incomplete: install it (Debian: apt-get install python3-venv) and run this again."
fi

.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip -q

echo "Installing the dependencies ..."
install=(-q -c constraints.txt -e ".[$EXTRAS]")
# uv takes 6 seconds where pip takes 68. It does not read pip's settings, so where the packages
# come through a mirror that only pip knows, pip does the work.
if .venv/bin/python -m pip install -q -c constraints.txt uv &&
    .venv/bin/uv pip install --python .venv/bin/python "${install[@]}"; then
    :
else
    echo "uv could not; pip takes about a minute ..."
    .venv/bin/python -m pip install "${install[@]}"
fi
touch .venv/stamp

#!/bin/sh
# Are the bounds in pyproject.toml true? Installs the lowest versions they allow (or the newest there are) into a fresh
# environment, and runs the tests that need no speech model there.
#   sh requirements/try_versions.sh lowest-direct
#   sh requirements/try_versions.sh highest
# Needs uv. What came of it last: docs/dependencies.md.
set -eu
resolution=${1:?lowest-direct or highest}
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
uv pip compile --quiet --python-version 3.11 --resolution "$resolution" --extra models --extra encoder --extra id3 \
    --extra plots --extra review --group editable --group dev --output-file "$work/versions.txt" pyproject.toml
uv venv --quiet --python python3 "$work/venv"
uv pip install --quiet --python "$work/venv/bin/python" --only-binary :all: -r "$work/versions.txt"
uv pip install --quiet --python "$work/venv/bin/python" --no-deps --no-build-isolation --editable .
grep -E '^[a-z]' "$work/versions.txt" | cut -d' ' -f1
"$work/venv/bin/python" -m pytest -q -m "not model and not slow and not browser" --numprocesses auto --dist loadfile

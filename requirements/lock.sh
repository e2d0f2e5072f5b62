#!/bin/sh
# Pins everything with hashes and without any index's address; run it after changing pyproject.toml's dependencies.
#   sh requirements/lock.sh [--upgrade]
set -eu
cd "$(dirname "$0")/.."
lock() {
    out=$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
        --no-annotate --custom-compile-command "sh requirements/lock.sh" "$@" --output-file "$out" pyproject.toml
}
lock requirements/demo.txt "$@" --extra models --extra encoder --extra id3 --group editable
lock requirements/dev.txt "$@" --extra models --extra encoder --extra id3 --extra plots --group editable --group dev --group bench
# What several machines need beside the rest, in the versions of the rest.
out=requirements/ray.txt
uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-annotate --custom-compile-command "sh requirements/lock.sh" "$@" --extra ray --constraint requirements/dev.txt \
    --output-file "$out" pyproject.toml

#!/usr/bin/env bash
# Unpacks the tests of one release of jupyter_server into .build/ and prints where.
# Only its source distribution has them. `fetch.sh VERSION PYTHON`.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=$1 python=$2
folder=$PWD/.build/jupyter_server-$version
if [ ! -d "$folder" ]; then
    mkdir -p .build
    unfinished=$(mktemp -d .build/unfinished.XXXXXX)
    trap 'rm -rf "$unfinished"' EXIT
    "$python" -m pip download --quiet --no-deps --no-binary jupyter_server \
        --dest "$unfinished" "jupyter_server==$version" >&2
    # Without its package: the installed one is what is tested.
    tar -xzf "$unfinished/jupyter_server-$version.tar.gz" -C "$unfinished" \
        "jupyter_server-$version/tests" "jupyter_server-$version/pyproject.toml"
    mv "$unfinished/jupyter_server-$version" "$folder"
fi
echo "$folder"

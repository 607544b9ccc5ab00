#!/usr/bin/env bash
# Resolves in a new environment everything that `make` installs and pins it.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PIP_CONSTRAINT PIP_FIND_LINKS PIP_NO_INDEX

python=${PYTHON:-python3.11}   # the oldest: its versions install on newer ones too
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$python" -m venv "$fresh"
"$fresh/bin/python" -m pip install --quiet --upgrade pip
"$fresh/bin/python" -m pip install --quiet --group lab --group test --group data hatchling editables ./kernel '.[server,grpc]'

{
    echo '# Every version that `make` installs, so that a new release of a tool cannot break a'
    echo '# build. Renew with `make pins` (Python 3.11, whose versions install on newer ones too).'
    "$fresh/bin/python" -m pip freeze --all --exclude jupyter-otel --exclude jupyter-otel-kernel \
        --exclude setuptools
} > constraints/pinned.txt

#!/usr/bin/env bash
# Builds the Collector of builder.yaml into .build/ and prints the binary's path.
# A binary that is there already is kept; `build.sh path` only prints where it is.
set -euo pipefail
cd "$(dirname "$0")/.."

manifest=collector-config/builder.yaml
version=$(sed -n 's/^  version: //p' "$manifest")
key=$(cksum < "$manifest" | cut -d' ' -f1)
tools=$PWD/.build/collector-$version
folder=$tools/$key
binary=$folder/otelcol

if [ "${1:-build}" = path ] || [ -x "$binary" ]; then
    echo "$binary"
    exit
fi
if ! command -v go > /dev/null; then
    echo "Building the Collector needs Go (1.25 or newer) on PATH." >&2
    exit 1
fi

mkdir -p "$tools"
unfinished=$(mktemp -d "$tools/unfinished.XXXXXX")
trap 'rm -rf "$unfinished"' EXIT
echo "Building the Collector $version (two minutes the first time) ..." >&2
[ -x "$tools/builder" ] ||
    GOBIN=$tools go install "go.opentelemetry.io/collector/cmd/builder@v$version" >&2
# The manifest names no place of its own, so that it is the same everywhere.
awk -v place="$unfinished" '{ print } /^dist:/ { print "  output_path: " place }' "$manifest" > "$unfinished/builder.yaml"
"$tools/builder" --config "$unfinished/builder.yaml" >&2

mkdir -p "$folder"
mv "$unfinished/otelcol" "$binary"
echo "$binary"

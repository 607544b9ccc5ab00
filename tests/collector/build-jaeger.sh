#!/usr/bin/env bash
# Builds Jaeger into .build/ and prints the binary's path. A binary that is there
# already is kept; `build-jaeger.sh path` only prints where it is.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=1.76.0
folder=$PWD/.build/jaeger-$version
binary=$folder/jaeger

if [ "${1:-build}" = path ] || [ -x "$binary" ]; then
    echo "$binary"
    exit
fi
if ! command -v go > /dev/null; then
    echo "Building Jaeger needs Go (1.25 or newer) on PATH." >&2
    exit 1
fi

mkdir -p "$folder"
unfinished=$(mktemp -d "$folder/unfinished.XXXXXX")
trap 'chmod -R u+w "$unfinished"; rm -rf "$unfinished"' EXIT
echo "Building Jaeger $version (four minutes the first time) ..." >&2
# A copy, because `go install` refuses a module that replaces others.
source=$(cd "$unfinished" && go mod download -json "github.com/jaegertracing/jaeger@v$version" |
    sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$source" "$unfinished/source"
chmod -R u+w "$unfinished/source"
(cd "$unfinished/source" && go build -trimpath -ldflags '-s -w' -o "$unfinished/jaeger" ./cmd/jaeger) >&2
mv "$unfinished/jaeger" "$binary"
echo "$binary"

#!/usr/bin/env bash
# Installs what the tests need beyond Rust and a C compiler. Nothing today; .ci/run calls it all the same.
set -euo pipefail
for tool in cargo cc; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "tests/tools.sh: $tool is missing: install it first" >&2
    exit 1
  fi
done
echo "nothing to install"

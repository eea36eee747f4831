#!/usr/bin/env bash
# Installs the C interface below PREFIX: include/xahau_email.h and .hpp, lib/libxahau_email.a and .so, and
# lib/pkgconfig/xahau_email.pc. Who links it needs no Rust.
#
#   amendment/capi/install.sh [--from FOLDER] PREFIX
#
# Builds the library first, or takes the two that stand in FOLDER. The static library is one object in which every name but
# ours (xe_...) is local, so that it stands beside whatever else a server links: other crypto libraries, or other Rust.
set -euo pipefail

usage() { echo "usage: install.sh [--from FOLDER] PREFIX" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
from=
if [ "${1:-}" = --from ]; then
  [ $# -eq 3 ] || usage
  from=$2
  shift 2
fi
[ $# -eq 1 ] && [ -n "$1" ] || usage
prefix=$1
for tool in ld objcopy ar nm; do
  command -v "$tool" >/dev/null || { echo "install.sh: $tool is missing (Debian package binutils)" >&2; exit 1; }
done

if [ -z "$from" ]; then
  (cd "$here" && cargo build --release --locked --package xahau-email-capi)
  from=$(cd "$here" && cargo metadata --format-version 1 --no-deps --offline |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/release
fi
for library in libxahau_email.a libxahau_email.so; do
  [ -f "$from/$library" ] || { echo "install.sh: no $from/$library" >&2; exit 1; }
done

mkdir -p "$prefix/include" "$prefix/lib/pkgconfig"
prefix=$(cd "$prefix" && pwd)
install -m 644 "$here/include/xahau_email.h" "$here/include/xahau_email.hpp" "$prefix/include/"

# What of the archive our functions reach, as one object, whose other names nobody outside sees.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm --defined-only --extern-only "$from/libxahau_email.a" 2>/dev/null | awk '$3 ~ /^xe_/ {print $3}' | sort -u >"$work/ours"
[ -s "$work/ours" ] || { echo "install.sh: $from/libxahau_email.a has none of our functions" >&2; exit 1; }
# shellcheck disable=SC2046 # one word a function
ld -r -o "$work/all.o" $(sed 's/^/-u /' "$work/ours") "$from/libxahau_email.a"
# Rust's own library brings its bitcode along, which as one section is none any more.
objcopy --keep-global-symbols="$work/ours" --remove-section=.llvmbc --remove-section=.llvmcmd "$work/all.o" "$work/xahau_email.o"
rm -f "$prefix/lib/libxahau_email.a"
ar rcsD "$prefix/lib/libxahau_email.a" "$work/xahau_email.o"

install -m 755 "$from/libxahau_email.so" "$prefix/lib/libxahau_email.so.1"
ln -sf libxahau_email.so.1 "$prefix/lib/libxahau_email.so"
version=$(sed -n 's/^#define XE_RULES_VERSION //p' "$here/include/xahau_email.h")
cat >"$prefix/lib/pkgconfig/xahau_email.pc" <<END
prefix=$prefix
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: xahau_email
Description: The rules of email wallets on Xahau
Version: 1.$version
Cflags: -I\${includedir}
Libs: -L\${libdir} -lxahau_email
Libs.private: -lpthread -ldl -lm -lgcc_s
END
echo "installed below $prefix: compile with the flags of: PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs xahau_email"

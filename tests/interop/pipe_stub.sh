#!/bin/sh
# Stands in for `relay pipe` behind pipe(8): the first mail is put off, the second refused, the next ones are kept in FOLDER.
# pipe_stub.sh FOLDER SENDER RECIPIENT
set -eu
folder=$1
calls=$(cat "$folder/calls" 2>/dev/null || echo 0)
calls=$((calls + 1))
echo "$calls" >"$folder/calls"
case $calls in
  1) echo "4.3.2 the relay did not answer" >&2; exit 75 ;;
  2) echo "5.7.1 rule 4.3: Date is not signed" >&2; exit 65 ;;
esac
printf '%s %s\n' "$2" "$3" >"$folder/envelope"
cat >"$folder/.part"
mv "$folder/.part" "$folder/1.eml"

#!/bin/bash
# Whether a Flink process answers: healthy.sh HOST PORT PATH [PATTERN] asks for the path, and the answer must be 200 and match.
set -euo pipefail

exec 3<>"/dev/tcp/$1/$2"
printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$3" "$1" >&3
answer="$(timeout 5 cat <&3)"
[[ "$answer" =~ ^HTTP/1\.[01]\ 200 ]]
[[ "$answer" =~ ${4:-.} ]]

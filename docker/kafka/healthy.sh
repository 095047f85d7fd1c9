#!/bin/bash
# Whether the broker answers: it is asked for the versions of its API, and an answer must come.
set -euo pipefail

port="${1:-9092}"
exec 3<>"/dev/tcp/127.0.0.1/$port"
# Ten bytes follow: API key 18, version 0, correlation id 1, no client id.
printf '\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff' >&3
# The length of the answer, then the correlation id of the question.
answer="$(timeout 5 head -c 8 <&3 | od -An -tx1 | tr -d ' \n')"
[ "${answer:8:8}" = 00000001 ]

#!/bin/sh
# Beside a node in its pod: says to the SDK server of Agones what the node's operator's port says.
# Ready once it lets players in, healthy for as long as it lives, and how many rooms it has.
set -u
ops=http://localhost:${OPS_PORT:-7778}
sdk=http://localhost:${AGONES_SDK_HTTP_PORT:-9358}
trap 'exit 0' TERM
get() { curl -fsS -m 2 "$ops/$1" 2>/dev/null; }
say() { curl -fsS -m 2 -o /dev/null -H 'Content-Type: application/json' -X "$1" -d "$3" "$sdk/$2"; }
ready=
while :; do
    if [ -z "$ready" ] && get readyz >/dev/null; then say POST ready '{}' && ready=yes; fi
    if get healthz >/dev/null; then say POST health '{}'; fi
    # Of all games of the node.
    rooms=$(get metrics | awk '/^tickwire_rooms[ {]/ { sum += $NF } END { if (NR) print sum + 0 }')
    if [ -n "$rooms" ]; then say PATCH v1beta1/counters/rooms "{\"count\": \"$rooms\"}"; fi
    # Not `sleep 2` alone, which SIGTERM would wait for.
    sleep 2 & wait $!
done

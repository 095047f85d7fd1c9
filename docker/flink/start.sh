#!/bin/sh
# Starts one Flink process of the containers: jobmanager, taskmanager or gateway, with the shared settings and what only a
# container knows. FLINK_CONF_DIR, FLINK_HOME and FLINK_DATA say where things are.
set -eu

conf="${FLINK_CONF_DIR:-/opt/flink/conf}"
home="${FLINK_HOME:-/opt/flink}"
data="${FLINK_DATA:-/data/flink}"
tmp="${TMPDIR:-/tmp}"

case "${1:-}" in
  jobmanager)
    heap='-Xmx384m'
    main=org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint
    ;;
  taskmanager)
    # Half of it for what is young: rows that wait for a flush are then collected seldom.
    heap='-Xmx1152m -Xmn600m'
    main=org.apache.flink.runtime.taskexecutor.TaskManagerRunner
    ;;
  gateway)
    heap='-Xmx384m'
    main=org.apache.flink.table.gateway.SqlGateway
    ;;
  *)
    echo "start.sh: \"${1:-}\" is none of jobmanager, taskmanager and gateway: give one of them as the command." >&2
    exit 2
    ;;
esac
process="$1"

# The password reaches the JDBC driver through its own password file: what Flink never gets to see it cannot show.
escaped() { printf '%s' "$1" | sed 's/[\\:]/\\&/g'; }
# What the slots share grows with them, as in the native stack.
slots="${FLINK_TASK_SLOTS:-4}"
umask 077
passfile="$tmp/pgpass"
printf '%s:%s:*:%s:%s\n' "$(escaped "$POSTGRES_HOST")" "$POSTGRES_PORT" \
  "$(escaped "$POSTGRES_PIPELINE_USER")" "$(escaped "$POSTGRES_PIPELINE_PASSWORD")" >"$passfile"
unset POSTGRES_PIPELINE_PASSWORD
umask 022
export PGPASSFILE="$passfile" FLINK_CONF_DIR="$conf"

set -- \
  -Djobmanager.rpc.address=flink-jobmanager \
  -Djobmanager.rpc.port=6123 \
  -Djobmanager.bind-host=0.0.0.0 \
  -Dtaskmanager.bind-host=0.0.0.0 \
  -Drest.address=flink-jobmanager \
  -Drest.bind-address=0.0.0.0 \
  -Drest.port=8081 \
  -Drest.bind-port=8081 \
  -Dsql-gateway.endpoint.rest.address=flink-gateway \
  -Dsql-gateway.endpoint.rest.bind-address=0.0.0.0 \
  -Dsql-gateway.endpoint.rest.port=8083 \
  -Dsql-gateway.endpoint.rest.bind-port=8083 \
  "-Dexecution.checkpointing.dir=file://$data/checkpoints" \
  "-Dexecution.checkpointing.savepoint-dir=file://$data/savepoints" \
  "-Dtaskmanager.numberOfTaskSlots=$slots" \
  "-Dtaskmanager.memory.managed.size=$((slots * 32))m" \
  "-Dtaskmanager.memory.network.min=$((slots * 16))m" \
  "-Dtaskmanager.memory.network.max=$((slots * 16))m" \
  "-Dio.tmp.dirs=$tmp" \
  "-Dweb.tmpdir=$tmp" \
  "-Dblob.storage.directory=$tmp"
# The gateway reads its settings from FLINK_CONF_DIR alone.
if [ "$process" != gateway ]; then set -- -c "$conf" "$@"; fi

# Flink's start scripts would read the options of all JVMs from its settings; this image does without them.
options="$(sed -n '/^env\.java\.opts\.all: >-$/,/^[^ ]\{0,1\}$/s/^  //p' "$conf/config.yaml")"
[ -n "$options" ] || { echo "start.sh: $conf/config.yaml has no env.java.opts.all: mount docker/flink/config.yaml there." >&2; exit 2; }

# shellcheck disable=SC2086 # Heap and options are several words each, none with a blank in it.
exec java $heap -XX:+UseParallelGC -XX:+ExitOnOutOfMemoryError "-Djava.io.tmpdir=$tmp" \
  "-Dlog4j2.configurationFile=$conf/log4j2.properties" $options -cp "$home/lib/*" "$main" "$@"

#!/bin/sh
# Starts the broker of the container: the shared settings, what only a container knows, and a formatted directory.
# KAFKA_SETTINGS, KAFKA_HOME and KAFKA_DATA say where things are; KAFKA_ADVERTISED what clients outside the network are told.
set -eu

settings="${KAFKA_SETTINGS:-/etc/kafka}"
home="${KAFKA_HOME:-/opt/kafka}"
data="${KAFKA_DATA:-/data/kafka}"
properties="$data/server.properties"

mkdir -p "$data/logs"
{
  cat "$settings/server.properties"
  printf '\n'
  printf 'listeners=PLAINTEXT://:19092,HOST://:9092,CONTROLLER://127.0.0.1:9093\n'
  printf 'advertised.listeners=PLAINTEXT://kafka:19092,HOST://%s\n' "${KAFKA_ADVERTISED:-127.0.0.1:9092}"
  # The later line of a name is the one that counts.
  printf 'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT\n'
  printf 'controller.quorum.voters=1@127.0.0.1:9093\n'
  printf 'log.dirs=%s/logs\n' "$data"
} >"$properties"

set -- "-Dlog4j2.configurationFile=$settings/log4j2.properties" -Duser.timezone=UTC -cp "$home/lib/*"

if [ ! -e "$data/logs/meta.properties" ]; then
  # Kafka's own form of a UUID; one that begins with a hyphen would be read as an option.
  id="H$(head -c 15 /dev/urandom | base64 | tr '+/' '-_' | head -c 20)w"
  java "$@" kafka.tools.StorageTool format --config "$properties" --cluster-id "$id"
fi

exec java -Xms128m -Xmx512m -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError "$@" kafka.Kafka "$properties"

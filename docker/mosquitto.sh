#!/bin/sh
# Runs the broker on copies of the lists that `tingjian speaker broker-files` keeps, and lets it read them anew
# whenever they change. The copies belong to the broker's own user, as it wants them.
set -u
lists=${LISTS:-/broker}
data=${DATA:-/mosquitto/data}
conf=${CONF:-/mosquitto/config/mosquitto.conf}
umask 077

take() {
  for name in passwords acl; do
    cp "$lists/$name" "$data/.$name" && mv "$data/.$name" "$data/$name"
  done
}

take || exit 1
mosquitto -c "$conf" &
broker=$!
trap 'kill -TERM "$broker"' TERM INT
while kill -0 "$broker" 2>/dev/null; do
  sleep "${PAUSE:-5}" &
  wait $!
  if ! cmp -s "$lists/passwords" "$data/passwords" || ! cmp -s "$lists/acl" "$data/acl"; then
    take && kill -HUP "$broker"
  fi
done
wait "$broker"

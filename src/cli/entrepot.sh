#!/bin/sh
# Runs the command with the Node that the project brings, whichever else is installed.
set -e
self=$0
while [ -L "$self" ]; do
  link=$(readlink "$self")
  case $link in /*) self=$link ;; *) self=$(dirname "$self")/$link ;; esac
done
here=$(cd "$(dirname "$self")" && pwd -P)
node=$here/../../node_modules/.bin/node
[ -x "$node" ] || node=node
exec "$node" "$here/main.ts" "$@"

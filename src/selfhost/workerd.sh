#!/bin/sh
# Runs workerd deaf to the terminal's interrupt, and ends it when the process that started it is gone, however that went:
# a server without its clock would keep the data folder and the address. See runtime.ts.
trap '' INT
parent=$PPID workerd=$$
(
  while kill -0 "$parent" && kill -0 "$workerd"; do sleep 1; done
  kill "$workerd"
  sleep 5
  kill -KILL "$workerd"
) </dev/null >/dev/null 2>&1 3>&- &
exec "$WORKERD" "$@"

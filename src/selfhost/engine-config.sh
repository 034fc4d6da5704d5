#!/bin/sh
# Stands in for workerd where only its configuration is wanted: keeps what would have been read from standard input, and
# ends. The configuration has the settings in it, secrets included. See engine.ts.
umask 077
exec cat >"$ENGINE_CONFIG"

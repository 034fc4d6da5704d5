#!/bin/sh
# Stands in for workerd where only its configuration is wanted: takes what would be read from standard input, and ends.
# See engine.ts.
exec cat >/dev/null

#!/bin/sh
# Runs workerd deaf to the terminal's interrupt; see runtime.ts.
trap '' INT
exec "$WORKERD" "$@"

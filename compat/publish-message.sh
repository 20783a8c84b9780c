#!/bin/sh
# publish-message.sh of the coordination scripts, on Mainstay: same arguments, same output, truthful exit status.
# MAINSTAY_BIN names the binary where it is not on the PATH; MAINSTAY_COMPAT_STAGE=a gives the output of the first scripts.
exec "${MAINSTAY_BIN:-mainstay}" compat publish -- "$0" "$@"

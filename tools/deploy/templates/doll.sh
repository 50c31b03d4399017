#!/bin/sh
# The doll command as the relay's own user, with its settings: sudo doll pair 123456
# What changes the releases themselves needs root.
set -eu
case "$${1:-}" in
upgrade | deploy) exec "$base/current/bin/doll" "$$@" ;;
esac
cd /var/lib/doll
exec runuser -u doll -- env HOME=/var/lib/doll DOLL_CONFIG=/etc/doll/doll.toml \
	XDG_CACHE_HOME=/var/cache/doll "$base/current/bin/doll" "$$@"

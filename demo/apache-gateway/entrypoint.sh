#!/bin/sh
# Checks that every setting is present, reads secrets from files if they are given as files, and starts Apache.
set -eu

complain() {
  echo "apache-gateway: $1" >&2
  exit 1
}

# A secret may be given as NAME or as a file, NAME_FILE. It is never printed.
secret() {
  eval "value=\${$1:-} file=\${$1_FILE:-}"
  if [ -z "$value" ] && [ -n "$file" ]; then
    [ -r "$file" ] || complain "$1_FILE names a file that cannot be read: $file"
    value=$(cat "$file")
  fi
  case $value in
    *[!A-Za-z0-9._~+/=-]*) complain "$1 has a character that a secret of this gateway cannot have (make one with: openssl rand -hex 32)" ;;
  esac
  export "$1=$value"
}

for name in OAUTH2_PROXY_CLIENT_SECRET OAUTH2_PROXY_COOKIE_SECRET GATEWAY_SECRET; do secret "$name"; done
[ -n "$OAUTH2_PROXY_CLIENT_SECRET" ] || complain "OAUTH2_PROXY_CLIENT_SECRET is not set"
[ -n "$OAUTH2_PROXY_COOKIE_SECRET" ] || complain "OAUTH2_PROXY_COOKIE_SECRET is not set"
[ -n "${OAUTH2_PROXY_OIDC_ISSUER_URL:-}" ] || complain "OAUTH2_PROXY_OIDC_ISSUER_URL is not set"

export OAUTH2_PROXY_CLIENT_ID="${OAUTH2_PROXY_CLIENT_ID:-berth}"
export OAUTH2_PROXY_OIDC_ISSUER_URL="${OAUTH2_PROXY_OIDC_ISSUER_URL%/}"
export BERTH_PORT="${BERTH_PORT:-4180}"
export PUBLIC_URL="${PUBLIC_URL:-http://localhost:$BERTH_PORT}"
export IDP_PORT="${IDP_PORT:-4191}"
export IDP_UPSTREAM="${IDP_UPSTREAM:-idp:$IDP_PORT}"
export GATEWAY_UPSTREAM="${GATEWAY_UPSTREAM:-director:8080}"
export GATEWAY_SCOPE="${OAUTH2_PROXY_SCOPE:-openid email profile groups}"
case ${OAUTH2_PROXY_COOKIE_SECURE:-true} in
  false) export GATEWAY_SCHEME=http ;;
  *) export GATEWAY_SCHEME=https ;;
esac
export GATEWAY_LOG_LEVEL="${GATEWAY_LOG_LEVEL:-warn}"

set -- -f /etc/berth-gateway/gateway.conf -D FOREGROUND
[ -z "$GATEWAY_SECRET" ] || set -- "$@" -D HasSecret
# Only then is what a client says about addresses the word of a proxy in front.
[ "${OAUTH2_PROXY_REVERSE_PROXY:-}" != true ] || set -- "$@" -D ReverseProxy
# For libcurl every *.localhost is this container, so a relay in it forwards to the provider.
case $OAUTH2_PROXY_OIDC_ISSUER_URL in
  http://*.localhost:"$IDP_PORT") set -- "$@" -D LocalIssuer ;;
esac
[ -n "$GATEWAY_SECRET" ] || echo "apache-gateway: GATEWAY_SECRET is not set: only the private network protects the director" >&2

exec apache2 "$@"

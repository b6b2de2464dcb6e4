// The names of settings that no service reads. The .env file has the settings of all, so the check for misspelt names
// needs these, too. A test compares the list with the reference.

/** Read by Compose, the gateway or the demo. */
export const otherSettingNames: readonly string[] = [
  'BERTH_ENV_FILE',
  'BERTH_INSTALL_ENGINE',
  'BERTH_PORT',
  'BERTH_TAG',
  'DIRECTORS',
  'DOCKER_SOCKET',
  'EDGE_CERTIFICATES',
  'EDGE_HOSTS',
  'EDGE_HTTPS_PORT',
  'EDGE_HTTP_PORT',
  'EDGE_TLS',
  'GATEWAY',
  'GATEWAY_IMAGE',
  'GATEWAY_LOG_LEVEL',
  'GATEWAY_UPSTREAM',
  'IDP_PEOPLE',
  'IDP_PORT',
  'IDP_SHAPE',
  'PROMETHEUS_IMAGE',
  'PROMETHEUS_PORT',
  'PROXY_NETWORK',
  'TCP_ADDRESS',
  'TEMPLATES_FOLDER',
]

// The names of settings that the spawner does not read itself. The .env file has the settings of all services, so the
// check for misspelt names needs all of them. A test compares these lists with the services.

export const directorSettingNames: readonly string[] = [
  'CONNECTION_MAX_AGE',
  'CONTAINER_HOST_PREFIX',
  'CONTAINER_PORT',
  'EMAIL_HEADER',
  'GATEWAY_COOKIES',
  'GATEWAY_SECRET',
  'GROUPS_HEADER',
  'IDENTITY_HEADER',
  'INTERNAL_SECRET',
  'LISTEN_PORT',
  'LOADING_PAGE_AFTER',
  'LOG_LEVEL',
  'MAX_CONNECTIONS_PER_USER',
  'MAX_WEBSOCKETS_PER_USER',
  'NETWORK_POOL',
  'OAUTH2_PROXY_COOKIE_NAME',
  'OPS_PORT',
  'PORTAL_URL',
  'PUBLIC_URL',
  'REQUEST_WAIT_TIMEOUT',
  'SPAWNER_HOST',
  'SPAWNER_PORT',
  'SUBJECT_HEADER',
  'SUBJECT_REQUIRED',
  'WORKSPACE_TIMEOUT',
]

/** Read by Compose, the gateway or the demo. */
export const otherSettingNames: readonly string[] = [
  'BERTH_ENV_FILE',
  'BERTH_INSTALL_ENGINE',
  'BERTH_PORT',
  'DIRECTORS',
  'DOCKER_SOCKET',
  'GATEWAY',
  'GATEWAY_IMAGE',
  'GATEWAY_LOG_LEVEL',
  'GATEWAY_UPSTREAM',
  'IDP_PEOPLE',
  'IDP_PORT',
  'TEMPLATES_FOLDER',
]

// The one template that the environment describes. Pure: texts were parsed by the settings.
import type { Values } from '@berth/shared/settings'
import type { Template } from './template.ts'
import type { templateSettings } from './template-settings.ts'

/** @param environment the container's variables, by their own names, placeholders not yet rendered */
export function templateFromEnvironment(
  values: Values<typeof templateSettings>,
  environment: Readonly<Record<string, string>>,
): Template {
  return {
    name: values.CONTAINER_HOST_PREFIX,
    title: values.CONTAINER_HOST_PREFIX,
    prefix: values.CONTAINER_HOST_PREFIX,
    spec: {
      image: values.CONTAINER_IMAGE,
      pull: values.CONTAINER_PULL,
      port: values.CONTAINER_PORT,
      command: values.CONTAINER_COMMAND ?? [],
      environment,
      ...(values.CONTAINER_HOME === undefined
        ? {}
        : { home: { path: values.CONTAINER_HOME, volume: values.CONTAINER_HOME_VOLUME } }),
      volumes: values.CONTAINER_VOLUMES ?? [],
      user: values.CONTAINER_USER ?? '',
      memoryBytes: values.CONTAINER_MEMORY,
      cpus: values.CONTAINER_CPUS,
      pids: values.CONTAINER_PIDS,
      readyPath: values.CONTAINER_READY_PATH,
      stopSignal: values.CONTAINER_STOP_SIGNAL ?? '',
      stopTimeoutMs: values.CONTAINER_STOP_TIMEOUT,
    },
    policy: {
      idleStopMs: values.CONTAINER_IDLE_STOP,
      idleRemoveMs: values.CONTAINER_IDLE_REMOVE,
      maxLifetimeMs: values.CONTAINER_MAX_LIFETIME,
      startTimeoutMs: values.CONTAINER_START_TIMEOUT,
      allowedUsers: values.CONTAINER_ALLOWED_USERS ?? [],
      allowedGroups: values.CONTAINER_ALLOWED_GROUPS ?? [],
    },
    hosts: [],
    backgroundRequests: values.CONTAINER_BACKGROUND_REQUESTS ?? [],
    connectionIdleMs: values.CONTAINER_CONNECTION_IDLE,
  }
}

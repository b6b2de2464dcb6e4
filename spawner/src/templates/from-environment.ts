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
    source: 'environment',
    kind: 'web',
    title: values.CONTAINER_HOST_PREFIX,
    description: '',
    icon: '',
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
      memorySwapBytes: values.CONTAINER_MEMORY,
      shmBytes: 0,
      cpus: values.CONTAINER_CPUS,
      pids: values.CONTAINER_PIDS,
      secrets: [],
      networks: [],
      init: true,
      capAdd: [],
      securityOpt: [],
      runtime: '',
      egress: 'internet',
      readyPath: values.CONTAINER_READY_PATH,
      stopSignal: values.CONTAINER_STOP_SIGNAL ?? '',
      stopTimeoutMs: values.CONTAINER_STOP_TIMEOUT,
    },
    policy: {
      seats: 1,
      seatsTotal: 0,
      seatIdleMs: 0,
      persistBetweenReconnects: true,
      idleFreezeMs: 0,
      idleStopMs: values.CONTAINER_IDLE_STOP,
      idleRemoveMs: values.CONTAINER_IDLE_REMOVE,
      maxLifetimeMs: values.CONTAINER_MAX_LIFETIME,
      drainAfterMs: 0,
      extensionMs: 0,
      startTimeoutMs: values.CONTAINER_START_TIMEOUT,
      startsBy: 'visit',
      allowedUsers: values.CONTAINER_ALLOWED_USERS ?? [],
      allowedGroups: values.CONTAINER_ALLOWED_GROUPS ?? [],
      maxWorkspaces: 0,
      maxWorkspacesByGroup: {},
      standby: 0,
      activityPath: '',
      busyCpuPercent: 0,
      busyAtMostMs: 0,
    },
    route: { hosts: [] },
    passIdentity: [],
    passTokens: [],
    backgroundRequests: values.CONTAINER_BACKGROUND_REQUESTS ?? [],
    connectionIdleMs: values.CONTAINER_CONNECTION_IDLE,
    weakened: [],
  }
}

// The templates of the tests, as settings of a deployment.

export type Settings = Readonly<Record<string, string>>

/** A page that starts within milliseconds, and has answers that are difficult for a proxy (demo/hello/README.md). */
export const helloTemplate: Settings = {
  CONTAINER_IMAGE: 'berth/hello',
  CONTAINER_PORT: '8080',
  CONTAINER_HOME: '/home/hello',
  CONTAINER_USER: '1000:1000',
  CONTAINER_MEMORY: '256m',
}

/** The same without a home: for several people, or for standby containers. */
export const homelessTemplate: Settings = {
  CONTAINER_IMAGE: 'berth/hello',
  CONTAINER_PORT: '8080',
  CONTAINER_USER: '1000:1000',
  CONTAINER_MEMORY: '256m',
}

/** JupyterLab, as in the demo. */
export const labTemplate: Settings = {
  CONTAINER_IMAGE: 'berth/lab',
  CONTAINER_PORT: '8888',
  CONTAINER_HOME: '/home/lab',
  CONTAINER_USER: '1000:1000',
  CONTAINER_BACKGROUND_REQUESTS:
    'GET /api/kernels,GET /api/kernels/{id},GET /api/sessions,GET /api/terminals,GET /api/kernelspecs,GET /api/me,GET /api/contents,GET /api/contents/*/checkpoints,PUT /lab/api/workspaces/*',
}

// The labels of Berth's containers, networks and volumes: what each one is and whom it belongs to. They outlive every process.

export const labels = {
  instance: 'berth.instance',
  role: 'berth.role',
  workspace: 'berth.workspace',
  /** `private`, `shared` or `standby`: what the container was created as. A claimed standby keeps `standby`. */
  kind: 'berth.kind',
  template: 'berth.template',
  user: 'berth.user',
  subject: 'berth.subject',
  email: 'berth.email',
  spec: 'berth.spec',
  /** The same, part by part. */
  parts: 'berth.parts',
  created: 'berth.created',
  /** Where the application listens in the container, and how it speaks there (`http` or `https`). */
  port: 'berth.port',
  scheme: 'berth.scheme',
  /** The files that a container gets after its creation and before its start. */
  contents: 'berth.contents',
  network: 'berth.network',
  /** Of a network: `internet`, or `none` if it leads only to the directors. */
  egress: 'berth.egress',
  volume: 'berth.volume',
} as const

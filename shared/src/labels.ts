// The labels that say whose a thing is and what: the record that outlives every process.

export const labels = {
  instance: 'berth.instance',
  role: 'berth.role',
  workspace: 'berth.workspace',
  /** `private`, `shared` or `standby`: what it was made as; a claimed standby keeps it. */
  kind: 'berth.kind',
  template: 'berth.template',
  user: 'berth.user',
  subject: 'berth.subject',
  email: 'berth.email',
  spec: 'berth.spec',
  created: 'berth.created',
  /** What a container gets after it is made and before it starts, which its labels alone do not tell. */
  contents: 'berth.contents',
  network: 'berth.network',
  /** Of a network: `internet`, or `none` where it leads nowhere but to the directors. */
  egress: 'berth.egress',
  volume: 'berth.volume',
} as const

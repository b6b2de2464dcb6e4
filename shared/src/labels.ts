// The labels that say whose a thing is and what: the record that outlives every process.

export const labels = {
  instance: 'berth.instance',
  role: 'berth.role',
  workspace: 'berth.workspace',
  template: 'berth.template',
  user: 'berth.user',
  subject: 'berth.subject',
  email: 'berth.email',
  spec: 'berth.spec',
  created: 'berth.created',
  network: 'berth.network',
  volume: 'berth.volume',
} as const

// What the fields of one template must be to each other, wherever it was described. Fields bear the file's names.
import { formatDuration } from '@berth/shared/duration'
import { usesPlaceholder } from './placeholders.ts'
import { isShared, type Template } from './template.ts'

export interface Complaint {
  /** Paths of the fields that it is about; the first is the one to change. */
  readonly fields: readonly [string, ...string[]]
  /** Continues a sentence that begins with the field. */
  readonly message: string
}

export interface Surroundings {
  readonly instance: string
  /** The bound on the memory of all together; zero: none. */
  readonly maxMemoryBytes: number
}

export function templateComplaints(
  template: Template,
  surroundings: Surroundings,
): readonly Complaint[] {
  return [
    ...kindComplaints(template),
    ...prefixComplaints(template, surroundings.instance),
    ...memoryComplaints(template, surroundings.maxMemoryBytes),
    ...mountComplaints(template),
    ...networkComplaints(template, surroundings.instance),
    ...ladderComplaints(template),
    ...seatComplaints(template),
    ...personComplaints(template),
  ]
}

function* kindComplaints({ kind }: Template): Generator<Complaint> {
  if (kind === 'web') return
  yield { fields: ['kind'], message: `is ${kind}, which is not offered yet: only web is` }
}

function* prefixComplaints({ prefix }: Template, instance: string): Generator<Complaint> {
  if (prefix !== instance) return
  yield {
    fields: ['prefix'],
    message: `"${prefix}" must differ from the name of the instance`,
  }
}

function* memoryComplaints({ spec }: Template, maxBytes: number): Generator<Complaint> {
  const { memoryBytes, memorySwapBytes } = spec
  if (memoryBytes === 0 && maxBytes > 0)
    yield {
      fields: ['mem_limit'],
      message: 'must be set: there is a bound on the memory of all together (MAX_MEMORY)',
    }
  if (maxBytes > 0 && memoryBytes > maxBytes)
    yield {
      fields: ['mem_limit'],
      message: 'must not be more than the bound on the memory of all together (MAX_MEMORY)',
    }
  if (memorySwapBytes > 0 && memorySwapBytes < memoryBytes)
    yield {
      fields: ['memswap_limit', 'mem_limit'],
      message: 'must not be less than mem_limit: it is memory and swap together',
    }
  if (memoryBytes === 0 && memorySwapBytes !== 0)
    yield { fields: ['memswap_limit', 'mem_limit'], message: 'needs a mem_limit' }
}

function* mountComplaints({ spec }: Template): Generator<Complaint> {
  const taken = new Map<string, string>()
  if (spec.home !== undefined) taken.set(spec.home.path, 'home.path')
  for (const [field, mounts] of [
    ['volumes', spec.volumes],
    ['secrets', spec.secrets],
  ] as const)
    for (const [index, { target }] of mounts.entries()) {
      const first = taken.get(target)
      if (first === undefined) taken.set(target, `${field}.${index}`)
      else
        yield {
          fields: [`${field}.${index}`, first],
          message: `has the path ${target} that ${first.replace(/\.\d+$/, '')} has already`,
        }
    }
}

/** Those of the services and of other people's workspaces are nobody's to join. */
function* networkComplaints({ spec }: Template, instance: string): Generator<Complaint> {
  for (const [index, name] of spec.networks.entries()) {
    const ours = [`${instance}-front`, `${instance}-internal`]
    const isOurs = ours.includes(name) || name.startsWith(`${instance}-ws-`)
    const isNoNetwork = ['host', 'none', 'default'].includes(name)
    if (isOurs || isNoNetwork)
      yield {
        fields: [`networks.${index}`],
        message: isOurs
          ? `"${name}" is one of Berth’s own networks`
          : `"${name}" is no network that a workspace can join besides its own`,
      }
  }
}

function* ladderComplaints({ policy }: Template): Generator<Complaint> {
  const steps = [
    ['idle.freeze', policy.idleFreezeMs],
    ['idle.stop', policy.idleStopMs],
    ['idle.remove', policy.idleRemoveMs],
  ] as const
  const taken = steps.filter(([, ms]) => ms > 0)
  for (const [index, [later, ms]] of taken.entries()) {
    const earlier = taken[index - 1]
    if (earlier === undefined || ms >= earlier[1]) continue
    yield {
      fields: [later, earlier[0]],
      message: `must not be shorter than ${earlier[0]} (${formatDuration(earlier[1])}): both count from the last use`,
    }
  }
  if (policy.extensionMs > 0 && policy.maxLifetimeMs === 0)
    yield {
      fields: ['lifetime.extension', 'lifetime.max'],
      message: 'has nothing to extend: lifetime.max is not set',
    }
}

function* seatComplaints(template: Template): Generator<Complaint> {
  const { seats, seatsTotal, standby } = template.policy
  if (seatsTotal > 0 && !isShared(template))
    yield {
      fields: ['seats.total', 'seats.concurrent'],
      message: 'is of shared workspaces only: with one seat everybody has their own',
    }
  else if (seatsTotal > 0 && seats > seatsTotal)
    yield {
      fields: ['seats.total', 'seats.concurrent'],
      message: `must not be less than seats.concurrent (${seats})`,
    }
  if (standby > 0 && isShared(template))
    yield {
      fields: ['standby', 'seats.concurrent'],
      message: 'is of private workspaces only: a shared one is nobody’s anyway',
    }
}

/** Whatever is made before, or without, an owner cannot name one. */
function* personComplaints(template: Template): Generator<Complaint> {
  const { spec, policy } = template
  const reason = isShared(template) ? 'seats.concurrent' : 'standby'
  if (!isShared(template) && policy.standby === 0) return
  const why = isShared(template)
    ? 'but several people share its workspaces'
    : 'but its workspaces stand ready before they have an owner'
  if (spec.home !== undefined)
    yield { fields: ['home', reason], message: `is one person’s, ${why}` }
  const texts = [
    ...spec.command.map((text) => ['command', text] as const),
    ...Object.entries(spec.environment).map(
      ([name, text]) => [`environment.${name}`, text] as const,
    ),
    ...spec.volumes.flatMap(({ source, target }, index) =>
      [source, target].map((text) => [`volumes.${index}`, text] as const),
    ),
  ]
  const told = new Set<string>()
  for (const [field, text] of texts) {
    const name = (['user', 'username', 'email', 'workspace'] as const).find((placeholder) =>
      usesPlaceholder(text, placeholder),
    )
    if (name === undefined || told.has(field)) continue
    told.add(field)
    yield { fields: [field, reason], message: `names a person by {${name}}, ${why}` }
  }
}

// The rules that the fields of one template must meet together, whatever the source of the template is. Fields have
// their names in the file.
import { formatDuration } from '@berth/shared/duration'
import { originOf } from './address.ts'
import { usesPlaceholder, type PlaceholderName } from './placeholders.ts'
import { isShared, type Template } from './template.ts'
import type { Complaint } from './complaint.ts'
import { plainMountPath } from './volume-list.ts'
import { tcpComplaints } from './tcp-rules.ts'
import { webOnlyComplaints } from './web-only-rules.ts'

export interface Surroundings {
  readonly instance: string
  /** The limit on the memory of all workspaces together. Zero: no limit. */
  readonly maxMemoryBytes: number
  /** PUBLIC_URL. */
  readonly publicUrl: string | undefined
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
    ...hiddenComplaints(template),
    ...networkComplaints(template, surroundings.instance),
    ...ladderComplaints(template),
    ...seatComplaints(template),
    ...personComplaints(template),
    ...addressComplaints(template, surroundings.publicUrl),
    ...frameComplaints(template),
    ...guestComplaints(template),
  ]
}

/** Without a condition nobody who types into a WebSocket would use the workspace. */
function* frameComplaints({ quietFrames }: Template): Generator<Complaint> {
  for (const [index, { path, answers, ...conditions }] of quietFrames.entries()) {
    if (answers !== undefined && conditions.periodMs === undefined)
      yield {
        fields: [`frames.${index}.answers`],
        message: 'needs a period: how often the server says it',
      }
    else if (path === '*' && Object.keys(conditions).length === 0)
      yield {
        fields: [`frames.${index}`],
        message: 'must say which frames: set path, prefix, max_size or period',
      }
  }
}

/** A guest who leaves is not the same guest when they come back later, and would leave a workspace behind each time. */
function* guestComplaints({ policy }: Template): Generator<Complaint> {
  if (policy.allowsGuests && policy.idleStopMs === 0)
    yield {
      fields: ['idle.stop', 'allow.guests'],
      message: 'must not be 0, because guests may use the template: they leave without an end',
    }
}

function* kindComplaints(template: Template): Generator<Complaint> {
  if (template.kind === 'tcp') yield* tcpComplaints(template)
  if (template.kind !== 'web') yield* webOnlyComplaints(template)
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
      message: 'must be set: MAX_MEMORY limits the memory of all workspaces together',
    }
  if (maxBytes > 0 && memoryBytes > maxBytes)
    yield {
      fields: ['mem_limit'],
      message:
        'must not be more than MAX_MEMORY, the limit on the memory of all workspaces together',
    }
  if (memorySwapBytes > 0 && memorySwapBytes < memoryBytes)
    yield {
      fields: ['memswap_limit', 'mem_limit'],
      message: 'must not be less than mem_limit, because it limits memory and swap together',
    }
  if (memoryBytes === 0 && memorySwapBytes !== 0)
    yield {
      fields: ['memswap_limit', 'mem_limit'],
      message: 'has no effect without a mem_limit: set mem_limit, too',
    }
}

function* mountComplaints({ spec }: Template): Generator<Complaint> {
  const taken = new Map<string, string>()
  if (spec.home !== undefined) taken.set(plainMountPath(spec.home.path), 'home.path')
  for (const [field, mounts] of [
    ['volumes', spec.volumes],
    ['tmpfs', spec.tmpfs],
    ['secrets', spec.secrets],
  ] as const)
    for (const [index, mount] of mounts.entries()) {
      const target = plainMountPath(mount.target)
      const first = taken.get(target)
      if (first === undefined) taken.set(target, `${field}.${index}`)
      else
        yield {
          fields: [`${field}.${index}`, first],
          message: `has the path ${target} that ${first.replace(/\.\d+$/, '')} has already: choose another path for one of them`,
        }
    }
}

/** Secrets are put into the container before its folders in memory exist, and would be hidden by them. */
function* hiddenComplaints({ spec }: Template): Generator<Complaint> {
  for (const [index, secret] of spec.secrets.entries()) {
    const over = spec.tmpfs.find(({ target }) => secret.target.startsWith(`${target}/`))
    if (over !== undefined)
      yield {
        fields: [`secrets.${index}`, 'tmpfs'],
        message: `has the path ${secret.target}, which the folder in memory ${over.target} hides: choose another target`,
      }
  }
}

/** No workspace may join the networks of the services or the networks of other workspaces. */
function* networkComplaints({ spec }: Template, instance: string): Generator<Complaint> {
  for (const [index, name] of spec.networks.entries()) {
    const ours = [`${instance}-front`, `${instance}-internal`]
    const isOurs = ours.includes(name) || name.startsWith(`${instance}-ws-`)
    const isNoNetwork = ['host', 'none', 'default'].includes(name)
    if (isOurs || isNoNetwork)
      yield {
        fields: [`networks.${index}`],
        message: isOurs
          ? `"${name}" is one of Berth’s own networks, which no workspace may join`
          : `"${name}" is not a network that a workspace can join: name a network that exists on the engine`,
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
      message: `must not be shorter than ${earlier[0]} (${formatDuration(earlier[1])}): both are counted from the last use`,
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
      message:
        'is for shared workspaces only, but with one seat each person has a private workspace',
    }
  else if (seatsTotal > 0 && seats > seatsTotal)
    yield {
      fields: ['seats.total', 'seats.concurrent'],
      message: `must not be less than seats.concurrent (${seats})`,
    }
  if (standby > 0 && isShared(template))
    yield {
      fields: ['standby', 'seats.concurrent'],
      message:
        'is for private workspaces only, but several people share the workspaces of this template',
    }
}

/** A shared workspace has no owner, and a standby is created before it has one. Their templates cannot name a person.
 * */
function* personComplaints(template: Template): Generator<Complaint> {
  const { spec, policy } = template
  const reason = isShared(template) ? 'seats.concurrent' : 'standby'
  if (!isShared(template) && policy.standby === 0) return
  const why = isShared(template)
    ? 'but several people share its workspaces'
    : 'but its workspaces are ready in advance, before they have an owner'
  if (spec.home !== undefined)
    yield { fields: ['home', reason], message: `belongs to one person, ${why}` }
  for (const [field, name] of using(template, ['user', 'username', 'email', 'workspace']))
    yield { fields: [field, reason], message: `names a person by {${name}}, ${why}` }
}

/** An application that is told an empty host would refuse every request, and not say why. */
function* addressComplaints(
  template: Template,
  publicUrl: string | undefined,
): Generator<Complaint> {
  if (originOf(template, publicUrl) !== undefined) return
  const { kind, route } = template
  const why =
    kind !== 'web'
      ? `the kind is ${kind}, so it has none`
      : publicUrl === undefined
        ? 'PUBLIC_URL is not set'
        : route.hosts.length > 0
          ? 'route.hosts has no host name without *.'
          : 'only route.port leads to it, from a gateway whose address Berth does not know'
  for (const [field, name] of using(template, ['host', 'origin']))
    yield {
      fields: [field],
      message: `contains {${name}}, and the address of this template is not known: ${why}`,
    }
}

/** The fields with one of these placeholders, each once, with the first of them that it has. */
function* using(
  { spec, open }: Template,
  names: readonly PlaceholderName[],
): Generator<readonly [field: string, name: PlaceholderName]> {
  const texts = [
    ['open', open] as const,
    ...(spec.entrypoint ?? []).map((text) => ['entrypoint', text] as const),
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
    const name = names.find((placeholder) => usesPlaceholder(text, placeholder))
    if (name === undefined || told.has(field)) continue
    told.add(field)
    yield [field, name]
  }
}

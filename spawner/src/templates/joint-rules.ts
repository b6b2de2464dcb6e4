// What templates must be to each other: names of their own, ways in of their own, volumes that one user can write to.
import { usesPlaceholder } from './placeholders.ts'
import { routeOverlaps, type OwnHosts } from './route-overlaps.ts'
import type { Template } from './template.ts'

export interface JointComplaint {
  /** The one to change comes last. */
  readonly templates: readonly Template[]
  /** Of the last, in the file's words. */
  readonly field: string
  /** Names them all. */
  readonly message: string
}

export function jointComplaints(
  templates: readonly Template[],
  hosts: OwnHosts,
): readonly JointComplaint[] {
  return [
    ...sameNames(templates),
    ...onThePortal(templates, hosts),
    ...sameVolumes(templates),
    ...routeOverlaps(templates, hosts).map(({ templates: [first, second], field, meeting }) => ({
      templates: [first, second],
      field,
      message: `${called(first)} and ${called(second)} have the same way in: ${meeting}`,
    })),
  ]
}

function* sameNames(templates: readonly Template[]): Generator<JointComplaint> {
  for (const [index, second] of templates.entries())
    for (const first of templates.slice(0, index)) {
      if (first.name === second.name)
        yield {
          templates: [first, second],
          field: '',
          message: `${called(first)} and ${called(second)} have the same name`,
        }
      else if (first.prefix === second.prefix)
        yield {
          templates: [first, second],
          field: 'prefix',
          message: `${called(first)} and ${called(second)} have the same prefix "${first.prefix}"`,
        }
    }
}

function* onThePortal(
  templates: readonly Template[],
  { portal }: OwnHosts,
): Generator<JointComplaint> {
  for (const template of templates)
    if (portal !== undefined && template.route.hosts.includes(portal))
      yield {
        templates: [template],
        field: 'route.hosts',
        message: `${called(template)} has the portal’s host ${portal}, on which no workspace is ever served`,
      }
}

/**
 * A person has one volume of a name, whatever template it is mounted by. The start of one container would take it from
 * the user of the other, while that one runs. Names of users mean something in an image only, so numbers are compared.
 */
function* sameVolumes(templates: readonly Template[]): Generator<JointComplaint> {
  for (const [index, second] of templates.entries())
    for (const first of templates.slice(0, index)) {
      const [one, other] = [userNumber(first), userNumber(second)]
      if (one === undefined || other === undefined || one === other) continue
      const volumes = personalVolumes(first)
      const field = Object.entries(personalVolumes(second)).find(([, source]) =>
        Object.values(volumes).includes(source),
      )
      if (field === undefined) continue
      yield {
        templates: [first, second],
        field: field[0],
        message: `${called(first)} and ${called(second)} give a person the same volume "${field[1]}", but run as the users ${one} and ${other}: each start would take its files from the other. Name another volume for one of them`,
      }
    }
}

function userNumber({ spec }: Template): string | undefined {
  const [user = ''] = spec.user.split(':')
  return /^\d+$/.test(user) ? String(Number(user)) : undefined
}

/** What is mounted for writing from a volume of one person, by the field that names it. */
function personalVolumes({ spec }: Template): Record<string, string> {
  const volumes = spec.volumes.filter(
    ({ kind, readOnly, source }) =>
      kind === 'volume' && !readOnly && usesPlaceholder(source, 'user', 'workspace'),
  )
  return {
    ...(spec.home === undefined ? {} : { 'home.volume': spec.home.volume }),
    ...Object.fromEntries(volumes.map(({ source }) => ['volumes', source])),
  }
}

/** With where it comes from, unless that is the file itself. */
function called({ name, source, spec }: Template): string {
  switch (source) {
    case 'file':
      return `"${name}"`
    case 'environment':
      return `"${name}" (of CONTAINER_*)`
    case 'image':
      return `"${name}" (of the image ${spec.image})`
  }
}

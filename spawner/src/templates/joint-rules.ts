// The rules for several templates together: each has its own name and its own routes, and the templates that give a
// person the same volume run as the same user.
import { usesPlaceholder } from './placeholders.ts'
import { routeOverlaps, type OwnHosts } from './route-overlaps.ts'
import type { Template } from './template.ts'

export interface JointComplaint {
  /** The template to change is the last one. */
  readonly templates: readonly Template[]
  /** The field of the last template, by its name in the file. */
  readonly field: string
  /** The message names all of these templates. */
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
      message: `${called(first)} and ${called(second)} have the same way in: ${meeting}; change the route of one of them`,
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
          message: `${called(first)} and ${called(second)} have the same name: rename one of them`,
        }
      else if (first.prefix === second.prefix)
        yield {
          templates: [first, second],
          field: 'prefix',
          message: `${called(first)} and ${called(second)} have the same prefix "${first.prefix}": give one of them another prefix`,
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
        message: `${called(template)} has the portal’s host ${portal}, but no workspace is served on that host: choose another host`,
      }
}

/**
 * Templates that name the same volume of a person mount one and the same volume. If the containers run as different
 * users, the start of one changes the owner of the files while the other uses them. Only the numbers of users are
 * compared: a name may stand for another user in another image.
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
        message: `${called(first)} and ${called(second)} give a person the same volume "${field[1]}", but run as the users ${one} and ${other}: each start would change the owner of the files that the other one uses. Name another volume for one of them`,
      }
    }
}

function userNumber({ spec }: Template): string | undefined {
  const [user = ''] = spec.user.split(':')
  return /^\d+$/.test(user) ? String(Number(user)) : undefined
}

/** The volumes of one person that the container may write to, by the field that names the volume. */
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

/** The name of the template, with its source unless that is the file. */
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

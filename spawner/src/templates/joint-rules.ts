// What templates must be to each other: names of their own, ways in of their own.
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

// Joins the templates of environment, file and images. An earlier source wins. An image that cannot be a template is
// left out, with the reason.
import { originOf } from './address.ts'
import { templateFromImage, type LabelledImage } from './from-image.ts'
import { createAdmission } from './image-patterns.ts'
import { jointComplaints } from './joint-rules.ts'
import type { OwnHosts } from './route-overlaps.ts'
import type { Template } from './template.ts'
import { templateComplaints, type Surroundings } from './template-rules.ts'

export interface JoinContext extends Surroundings {
  readonly hosts: OwnHosts
  readonly imagesAllowed: readonly string[]
}

export interface Joined {
  readonly templates: ReadonlyMap<string, Template>
  /** One sentence for each image that is left out. */
  readonly leftOut: readonly string[]
}

/** @param described the templates of environment and file, which have no conflicts with each other */
export function joinTemplates(
  described: readonly Template[],
  images: readonly LabelledImage[],
  context: JoinContext,
): Joined {
  const templates = [...described]
  const leftOut: string[] = []
  for (const image of admitted(images, context.imagesAllowed)) {
    const result = templateFromImage(image, context.hosts.public)
    if (result === undefined) continue
    const complaints =
      'complaints' in result
        ? result.complaints
        : complaintsBeside(templates, result.template, context)
    if ('template' in result && complaints.length === 0) templates.push(result.template)
    else
      leftOut.push(`the image ${image.reference} is not a template: it ${complaints.join('; it ')}`)
  }
  const placed = templates.map((template) => placedAt(template, context.publicUrl))
  return { templates: new Map(placed.map((template) => [template.name, template])), leftOut }
}

function placedAt(template: Template, publicUrl: string | undefined): Template {
  const origin = originOf(template, publicUrl)
  return origin === undefined ? template : { ...template, origin }
}

/** Each image once, by the first of its names, in an order that does not depend on the order of the engine. */
function admitted(
  images: readonly LabelledImage[],
  patterns: readonly string[],
): readonly LabelledImage[] {
  const isAdmitted = createAdmission(patterns)
  const byName = images
    .filter(({ reference }) => isAdmitted(reference))
    .toSorted((a, b) => (a.reference < b.reference ? -1 : 1))
  const seen = new Set<string>()
  return byName.filter(({ id }) => !seen.has(id) && seen.add(id))
}

function complaintsBeside(
  others: readonly Template[],
  template: Template,
  context: JoinContext,
): readonly string[] {
  const own = templateComplaints(template, context).map(
    ({ fields: [field], message }) => `${labelWords[field] ?? field} ${message}`,
  )
  // Complaints about the other templates were reported before.
  const joint = jointComplaints([...others, template], context.hosts).filter(
    ({ templates }) => templates.at(-1) === template,
  )
  return [
    ...own.map((complaint) => `has a fault: ${complaint}`),
    ...joint.map(({ message }) => `cannot be offered with the other templates: ${message}`),
  ]
}

/** The labels of an image, by the name of the field in the file. */
const labelWords: Readonly<Record<string, string>> = {
  prefix: 'berth.image.name',
  mem_limit: 'berth.image.memory',
  home: 'berth.image.home',
  command: 'berth.image.command',
  'seats.total': 'users.total',
}

// Which images may become templates by their own labels. Nothing is admitted that no pattern names.

/** @param patterns references in which `*` stands for anything but `/`; without a tag, `:latest` as in Docker */
export function createAdmission(patterns: readonly string[]): (reference: string) => boolean {
  const shapes = patterns.map((pattern) => {
    const parts = familiar(pattern)
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    return new RegExp(`^${parts.join('[^/]*')}$`)
  })
  return (reference) => shapes.some((shape) => shape.test(familiar(reference)))
}

/** As the engine writes it: without the name of Docker's own registry, with a tag. (A `*` at the end is the tag's too.) */
function familiar(reference: string): string {
  const short = reference.replace(/^(index\.)?docker\.io\//, '').replace(/^library\/(?=[^/]+$)/, '')
  const last = short.slice(short.lastIndexOf('/') + 1)
  return /[:@]|\*$/.test(last) ? short : `${short}:latest`
}

/** `registry.example.com/team/My_App:1` -> `My_App` */
export function repositoryName(reference: string): string {
  const last = reference.slice(reference.lastIndexOf('/') + 1)
  return last.replace(/[:@].*$/, '')
}

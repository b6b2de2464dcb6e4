// Verdicts about the images of the templates. Pure.
import type { ImageFacts } from './facts.ts'
import { fault, ok, type Finding } from './finding.ts'

export function judgeImage({ template, image, state }: ImageFacts): Finding {
  if (state === 'present') return ok('images', `${image} of the template ${template} is here`)
  if (state === 'pullable')
    return ok('images', `${image} of the template ${template} is pulled at its first start`)
  return fault(
    'images',
    `${image} of the template ${template}: ${state.failure}`,
    image.startsWith('berth/')
      ? 'build it (docker compose build, or npm start for the images of the demo)'
      : `try docker pull ${image} on the engine’s machine: its name, its registry or REGISTRY_CONFIG is wrong`,
  )
}

// The images that the engine has, each under every name that leads to it, with the labels that it carries.
import type Docker from 'dockerode'
import type { LabelledImage } from '../templates/from-image.ts'
import type { Call } from './calls.ts'

export function createLabelledImages(deps: { docker: Docker; call: Call }) {
  return async (signal: AbortSignal): Promise<readonly LabelledImage[]> => {
    const listed = await deps.call('image-list', { signal }, (abortSignal) =>
      deps.docker.listImages({ abortSignal }),
    )
    return listed.flatMap(({ Id: id, RepoTags, Labels }) =>
      // An engine says null where there is none.
      ((RepoTags as string[] | null) ?? [])
        .filter((reference) => !reference.startsWith('<none>'))
        .map((reference) => ({
          reference,
          id,
          labels: (Labels as Record<string, string> | null) ?? {},
        })),
    )
  }
}

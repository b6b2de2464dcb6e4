// Which volume of Berth the files of an earlier volume belong in, by template, person and path. Pure.
import type { Person } from '@berth/shared/contract'
import type { Template } from '../../templates/template.ts'
import { mountsOf } from '../containers/container-options.ts'

export interface AdoptionWish {
  /** Unset: the home. */
  readonly path: string | undefined
  readonly person: Person | undefined
}

/** @returns the name of the volume and its owner, or a complaint that says what to do */
export function targetOfAdoption(
  template: Template,
  { path, person }: AdoptionWish,
  instance: string,
): { readonly to: string; readonly owner: Person | undefined } | { readonly complaint: string } {
  const wanted = path ?? template.spec.home?.path
  const mounts = mountsOf(template, person, instance).filter(({ kind }) => kind !== 'bind')
  const paths = mounts.map(({ target }) => target).join(', ')
  const mount = mounts.find(({ target }) => target === wanted)
  if (mount === undefined)
    return {
      complaint:
        paths === ''
          ? `the template ${template.name} has no volume`
          : wanted === undefined
            ? `the template ${template.name} has no home: name the path of one of its volumes by --path (${paths})`
            : `the template ${template.name} has no volume at ${wanted}: its volumes are at ${paths}`,
    }
  if (!mount.personal) return { to: mount.source, owner: undefined }
  if (person === undefined)
    return { complaint: `the volume at ${mount.target} belongs to one person: name them by --user` }
  return { to: mount.source, owner: person }
}

// For tests: what surrounds a file with templates, with nothing allowed and nothing beside it.
import type { FileContext } from '../read-templates-file.ts'

export function fileContext(given: Partial<FileContext> = {}): FileContext {
  return {
    instance: 'berth',
    maxMemoryBytes: 0,
    bindsAllowed: [],
    hosts: { public: 'berth.example.com', portal: 'portal.example.com' },
    beside: [],
    readSecret: (path) => {
      throw new Error(`there is no ${path}`)
    },
    ...given,
  }
}

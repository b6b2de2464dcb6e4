// For tests: the context of a templates file. It allows no binds, and there are no other files or templates.
import type { FileContext } from '../read-templates-file.ts'

export function fileContext(given: Partial<FileContext> = {}): FileContext {
  return {
    instance: 'berth',
    maxMemoryBytes: 0,
    publicUrl: 'https://berth.example.com',
    bindsAllowed: [],
    hosts: { public: 'berth.example.com', portal: 'portal.example.com' },
    variables: () => ({ value: undefined }),
    beside: [],
    readBeside: (path) => {
      throw new Error(`there is no ${path}`)
    },
    ...given,
  }
}

// A process of its own that copies the spawner's records, whether the spawner runs or not:
// node spawner/src/commands/backup.ts <path>
import { inspect } from 'node:util'
import { StoreError } from '../sqlite/store-error.ts'
import { copyStore } from '../sqlite/store.ts'

const [path, ...more] = process.argv.slice(2)
const { DATA_DIR: dataDir = '/data' } = process.env

async function main(): Promise<void> {
  if (path === undefined || path === '' || more.length > 0)
    throw new StoreError(
      'name the file to write, for example: node spawner/src/commands/backup.ts /data/backup.db',
    )
  await copyStore(dataDir, path)
  process.stdout.write(`records copied to ${path}\n`)
}

main().catch((error: unknown) => {
  const words = error instanceof StoreError ? error.message : inspect(error)
  process.stderr.write(`berth backup: ${words}\n`)
  process.exitCode = 1
})

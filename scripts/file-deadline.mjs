// @ts-check
// Loaded before each end-to-end test file: ends a file that never ends by itself, such as one whose `after` failed before
// it closed a server. Otherwise the whole run would wait for it.

const WITHIN_MS = 15 * 60_000

setTimeout(() => {
  const open = process.getActiveResourcesInfo().join(', ')
  process.stderr.write(
    `${process.argv[1]} did not end within ${WITHIN_MS / 60_000} minutes. Still open: ${open}\n`,
  )
  process.exit(1)
}, WITHIN_MS).unref()

// @ts-check
// Loaded before each end-to-end test file: ends a file that never ends by itself, such as one whose `after` failed before
// it closed a server. Otherwise the whole run would wait for it. TEST_FILE_MINUTES says how long a file may take.

const MINUTES = Number(process.env['TEST_FILE_MINUTES'] || 15)

setTimeout(() => {
  const open = process.getActiveResourcesInfo().join(', ')
  process.stderr.write(
    `${process.argv[1]} did not end within ${MINUTES} minutes. Still open: ${open}\n`,
  )
  process.exit(1)
}, MINUTES * 60_000).unref()

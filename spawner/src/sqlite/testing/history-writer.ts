// For tests: writes history without end, and says after each batch how many entries are committed.
import { openHistoryFile } from '../history-file.ts'
import { entriesFor } from '../../history/testing/entries.ts'

const file = openHistoryFile(process.argv[2] ?? '')
for (let written = 0; ; written += 100) {
  file.append({ entries: entriesFor(100, written), samples: [] })
  process.stdout.write(`${written + 100}\n`)
}

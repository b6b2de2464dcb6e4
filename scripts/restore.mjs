// @ts-check
// `npm run restore -- alice`: brings people's volumes back from archives below backups/.
import { runWithFolder } from './home-folder.mjs'

await runWithFolder('restore-home')

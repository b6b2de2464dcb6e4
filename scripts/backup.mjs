// @ts-check
// `npm run backup -- alice`: copies people's volumes into archives below backups/.
import { runWithFolder } from './home-folder.mjs'

await runWithFolder('backup-home')

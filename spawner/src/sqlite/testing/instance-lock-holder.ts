// For the tests of the lock: a process that acquires the lock, reports that, and keeps the lock until it is killed.
import { createLog } from '@berth/shared/log'
import { acquireInstanceLock } from '../instance-lock.ts'

const dataDir = process.argv[2] ?? ''
const log = createLog({ service: 'holder', level: 'silent' })
const lock = await acquireInstanceLock(dataDir, log, new AbortController().signal)
process.send?.('held')
await new Promise((resolve) => process.once('disconnect', resolve))
lock[Symbol.dispose]()

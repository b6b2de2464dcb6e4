// A certificate that has signed itself, for an application that speaks only HTTPS.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../run/command.ts'

/** @param folder where the files may be written */
export async function selfSigned(folder: string): Promise<{ key: string; cert: string }> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const files = ['-keyout', key, '-out', cert]
  await run('openssl', ['req', '-x509', ...kind, '-subj', '/CN=workspace', ...files])
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
}

// A certificate that has signed itself, for a server that speaks HTTPS.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../run/command.ts'

/**
 * @param folder where the files `key.pem` and `cert.pem` are written
 * @param names the host names that the certificate is for
 */
export async function selfSigned(
  folder: string,
  names: readonly string[] = ['workspace'],
): Promise<{ key: string; cert: string }> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const files = ['-keyout', key, '-out', cert]
  const subject = ['-subj', `/CN=${names[0]}`]
  const more = ['-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`]
  await run('openssl', ['req', '-x509', ...kind, ...subject, ...more, ...files])
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
}

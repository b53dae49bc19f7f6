// Certificates for tests, made by openssl: an authority and what it signs, as files in one directory.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const openssl = (...args) => promisify(execFile)('openssl', args);

export async function makeAuthority(directory, name) {
  const at = (file) => path.join(directory, `${name}-${file}`);
  const authority = { certificate: at('ca.pem'), key: at('ca.key') };
  await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', `/CN=authority ${name}`, '-keyout', authority.key, '-out', authority.certificate);
  // A certificate for these subject alternative names: "DNS:localhost,IP:127.0.0.1".
  authority.issue = async (file, names) => {
    const made = { certificate: at(`${file}.pem`), key: at(`${file}.key`) };
    await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
      '-CA', authority.certificate, '-CAkey', authority.key, '-subj', `/CN=${file}`, '-addext', `subjectAltName=${names}`,
      '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', made.key, '-out', made.certificate);
    return made;
  };
  return authority;
}

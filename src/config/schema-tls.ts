// The options of TLS on a listener, as config/schema.ts has those of the gateway. Files are read by
// the core, which says in OpenSSL's words what is wrong with them (config/listeners.ts asks it).

import { resolve } from 'node:path'
import { fieldName } from './fields.ts'
import { boolean, choice, count, duration, type Kind, oneOrMany, refined } from './kinds.ts'
import { isPlainObject, type Place } from './place.ts'
import type { ResolvedHttpsOnly, ResolvedMtls, ResolvedTls } from './resolved.ts'
import { type Section, section } from './section.ts'

const second = 1_000
const day = 86_400 * second

const pemFile: Kind<string> = {
  expected: 'the path of a PEM file',
  typescript: 'string',
  read(value, place) {
    if (typeof value !== 'string' || value === '' || value.includes('\0')) {
      return place.mismatch('the path of a PEM file', value)
    }
    return resolve(place.directory, value)
  },
}

export const certificate: Section<ResolvedTls['certificates'][number]> = {
  cert: {
    kind: pemFile,
    default: undefined,
    required: true,
    doc: `The certificate, and behind it those that lead to the root, relative to the configuration
file.`,
  },
  key: {
    kind: pemFile,
    default: undefined,
    required: true,
    doc: 'Its private key, not encrypted.',
  },
  ocsp: {
    kind: { ...pemFile, expected: 'the path of a file' },
    default: undefined,
    doc: `What its authority says of it, as a file in DER that another program fetches: clients that
ask are told (OCSP stapling), as long as it is not out of date. It need not be there.`,
  },
}

export const mtls: Section<ResolvedMtls> = {
  ca: {
    kind: pemFile,
    default: undefined,
    required: true,
    doc: "Whose signature makes a client's certificate good: one or more certificates.",
  },
  mode: {
    kind: choice('required', 'optional'),
    default: 'required',
    doc: `Whether a client without a certificate gets in. One that sends a bad one never does.`,
  },
  header: {
    kind: fieldName,
    default: 'X-Client-Subject',
    doc: `The field in which targets and handlers get the subject of the client's certificate, as
RFC 2253 writes it. Nobody else can send it: it is taken out of requests on every listener.`,
  },
}

export const httpsOnly: Section<ResolvedHttpsOnly> = {
  from: {
    kind: count(0, 65_535),
    default: 80,
    doc: `TCP port, of the same host, from which every request is redirected here (308), but for
those beneath /.well-known/acme-challenge/.`,
  },
  maxAge: {
    kind: duration(0, 3_650 * day),
    default: '365d',
    doc: `How long a browser remembers that this host is reached by https alone
(Strict-Transport-Security). 0: it forgets it.`,
  },
  subdomains: {
    kind: boolean(),
    default: false,
    doc: 'Whether that holds for every name beneath this one.',
  },
  preload: {
    kind: boolean(),
    default: false,
    doc: "Whether browsers' makers may build it in. Hard to take back.",
  },
}

/** true stands for the defaults, false for not at all. */
function switchable<T extends object>(table: Section<T>, typescript: string): Kind<T | false> {
  const kind = section(table, typescript)
  const expected = 'true, false or an object'
  return {
    expected,
    typescript: `boolean | ${typescript}`,
    read(value, place) {
      if (value === false) return false
      if (value === true) return kind.read({}, place)
      return isPlainObject(value) ? kind.read(value, place) : place.mismatch(expected, value)
    },
  }
}

function checkPreload(read: ResolvedHttpsOnly | false, place: Place) {
  if (read === false || !read.preload) return read
  if (read.subdomains && read.maxAge >= 365 * day) return read
  return place
    .at('preload')
    .report("it wants 'subdomains' and a 'maxAge' of at least 365d, or no browser takes it")
}

const mtlsKind = section(mtls, 'MtlsOptions')

export const tls: Section<ResolvedTls> = {
  certificates: {
    kind: oneOrMany(section(certificate, 'CertificateOptions'), 1),
    default: undefined,
    required: true,
    doc: `Certificates and their keys. A client gets the one for the name that it asks for; a name
may have one with RSA and one with ECDSA. The first is for everybody else. Files that are replaced
are picked up within seconds.`,
  },
  minVersion: {
    kind: choice('1.2', '1.3'),
    default: '1.2',
    doc: 'The oldest TLS that is spoken. 1.2 is with forward secrecy and AEAD ciphers only.',
  },
  mtls: {
    kind: {
      expected: 'false or an object',
      typescript: 'false | MtlsOptions',
      read: (value, place) => (value === false ? false : mtlsKind.read(value, place)),
    },
    default: false,
    doc: 'Certificates of clients: who signs them, and whether each client needs one.',
  },
  httpsOnly: {
    kind: refined(switchable(httpsOnly, 'HttpsOnlyOptions'), checkPreload),
    default: false,
    doc: `Whether port 80 redirects here and browsers are told to use https from now on; true, or
an object that says more.`,
  },
}

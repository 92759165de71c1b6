// The options of listeners and their TLS, as in options.ts. Written from the tables of
// schema*.ts: change those, then run scripts/generate-config-docs.ts.

import type { Duration } from './units.ts'

/** One place to accept connections: a port or a path. */
export interface ListenerOptions {
  /** TCP port. 0: the system chooses a free one. Default: none. */
  port?: number
  /**
   * Address to listen on. The default takes connections from this machine only; '0.0.0.0' is every
   * IPv4 address, '::' every address. Default: `'127.0.0.1'`.
   */
  host?: string
  /**
   * Unix socket to listen on instead of a port, relative to the configuration file; at most 107
   * bytes. Default: none.
   */
  path?: string
  /**
   * Whether connections begin with a header of the PROXY protocol (v1 or v2), which only
   * 'trustedProxies' may send; connections of others are closed. Default: `false`.
   */
  proxyProtocol?: boolean
  /**
   * The upstream that gets the connections as they are, whatever is spoken on them. Without it,
   * HTTP. Default: none.
   */
  tcp?: string
  /** Certificates and more: connections are encrypted. See docs/TLS.md. Default: none. */
  tls?: TlsOptions
}

/** TLS on a listener; docs/TLS.md says more. */
export interface TlsOptions {
  /**
   * Certificates and their keys. A client gets the one for the name that it asks for; a name may
   * have one with RSA and one with ECDSA. The first is for everybody else. Files that are replaced
   * are picked up within seconds.
   */
  certificates: CertificateOptions | readonly CertificateOptions[]
  /**
   * The oldest TLS that is spoken. 1.2 is with forward secrecy and AEAD ciphers only. Default:
   * `'1.2'`.
   */
  minVersion?: '1.2' | '1.3'
  /**
   * Certificates of clients: who signs them, and whether each client needs one. Default: `false`.
   */
  mtls?: false | MtlsOptions
  /**
   * Whether port 80 redirects here and browsers are told to use https from now on; true, or an
   * object that says more. Default: `false`.
   */
  httpsOnly?: boolean | HttpsOnlyOptions
}

/** A certificate and its key. */
export interface CertificateOptions {
  /**
   * The certificate, and behind it those that lead to the root, relative to the configuration
   * file.
   */
  cert: string
  /** Its private key, not encrypted. */
  key: string
  /**
   * What its authority says of it, as a file in DER that another program fetches: clients that ask
   * are told (OCSP stapling), as long as it is not out of date. It need not be there. Default:
   * none.
   */
  ocsp?: string
}

/** Certificates of clients. */
export interface MtlsOptions {
  /** Whose signature makes a client's certificate good: one or more certificates. */
  ca: string
  /**
   * Whether a client without a certificate gets in. One that sends a bad one never does. Default:
   * `'required'`.
   */
  mode?: 'required' | 'optional'
  /**
   * The field in which targets and handlers get the subject of the client's certificate, as RFC
   * 2253 writes it. Nobody else can send it: it is taken out of requests on every listener.
   * Default: `'X-Client-Subject'`.
   */
  header?: string
}

/** The way to https for whoever comes without it. */
export interface HttpsOnlyOptions {
  /**
   * TCP port, of the same host, from which every request is redirected here (308), but for those
   * beneath /.well-known/acme-challenge/. Default: `80`.
   */
  from?: number
  /**
   * How long a browser remembers that this host is reached by https alone
   * (Strict-Transport-Security). 0: it forgets it. Default: `'365d'`.
   */
  maxAge?: Duration
  /** Whether that holds for every name beneath this one. Default: `false`. */
  subdomains?: boolean
  /** Whether browsers' makers may build it in. Hard to take back. Default: `false`. */
  preload?: boolean
}

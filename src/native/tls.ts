// The part of the boundary that is about TLS; the twin of net/tls_settings.h. Only types.

/** TLS on one listener. Paths are absolute; the core reads the files. */
export interface NativeTls {
  certificates: { cert: string; key: string; ocsp: string }[]
  minVersion: '1.2' | '1.3'
  /** Whether clients are asked for a certificate. */
  clients: 'any' | 'optional' | 'required'
  /** Who signs those; '' for 'any'. */
  clientCa: string
  /** Name of the field that hands the subject to targets; '' for 'any'. */
  subjectField: string
  /** 'Strict-Transport-Security: …\r\n' on every response, or ''. */
  hsts: string
}

/** Why a file cannot be used. */
export interface TlsProblem {
  /** 'certificates[0].key', 'mtls.ca'. */
  option: string
  file: string
  /** In the words of OpenSSL or of the system. */
  reason: string
}

/** What is known of a certificate in use. Times are seconds since 1970. */
export interface CertificateFacts {
  /** The first that it is for; '' when it names none. */
  name: string
  expires: number
  /** What its authority says (OCSP); 0: there is nothing to tell clients. */
  ocspExpires: number
  /** Why there is nothing to tell, though a file is named; else ''. */
  ocspProblem: string
}

/** What a gateway in the core does about certificates while it runs. */
export interface NativeCertificates {
  /**
   * Reads the certificates of a listener again, for connections to come. Says what is wrong; then
   * the ones before stay.
   */
  reloadCertificates(listener: number): TlsProblem[]
  /** Of a listener, in the order of the configuration. */
  certificates(listener: number): CertificateFacts[]
  /** Session tickets are encrypted with a new key from now on; the last two still open. */
  rotateTickets(): void
  /** The keys of session tickets, for a successor; empty where TLS was never spoken. */
  ticketKeys(): Uint8Array
  /** Before listen(): tickets under these keys of a predecessor open too. Throws: they are none. */
  adoptTickets(keys: Uint8Array): void
}

/** Of one worker. */
export interface TlsStats {
  /** Gauge: handshakes that have begun and not ended. */
  underWay: number
  /** Done; of those with an earlier session, and with the kernel encrypting from then on. */
  handshakes: number
  resumed: number
  kernel: number
  /** Steps of handshakes that were left to a later turn of the loop, for the others' sake. */
  putOff: number
}

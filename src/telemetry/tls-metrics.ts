// The metrics of TLS: handshakes, and certificates before they run out. Main thread.

import type { Exposition, Labels } from './exposition.ts'
import type { CertificateStats, GatewayStats } from './stats.ts'

export function addTls(page: Exposition, { total, certificates }: GatewayStats): void {
  const { underWay, handshakes, resumed, kernel, putOff } = total.tls
  const one = (value: number): [Labels, number][] => [[{}, value]]
  page.gauge('sluice_tls_handshakes_under_way', 'Begun and not ended.', one(underWay))
  page.counter('sluice_tls_handshakes', 'Done.', one(handshakes))
  page.counter('sluice_tls_resumed', 'Of those, with an earlier session.', one(resumed))
  page.counter(
    'sluice_tls_kernel',
    'Of those, with the kernel encrypting from then on.',
    one(kernel),
  )
  page.counter(
    'sluice_tls_put_off',
    'Steps of handshakes left to a later turn of the loop, so that others have theirs.',
    one(putOff),
  )
  const labels = ({ certificate, name }: CertificateStats): Labels => ({ certificate, name })
  page.gauge(
    'sluice_tls_certificate_expiry_timestamp_seconds',
    'When a certificate in use runs out.',
    certificates.map((each) => [labels(each), each.expires]),
  )
  page.gauge(
    'sluice_tls_ocsp_expiry_timestamp_seconds',
    'When what clients are told of it by OCSP runs out; 0: they are told nothing.',
    certificates.map((each) => [labels(each), each.ocspExpires]),
  )
}

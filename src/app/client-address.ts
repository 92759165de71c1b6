// Who the client is, from the X-Forwarded-For that the core makes: the list of a trusted peer, if
// it was one, then the peer itself. From its end, the first that is not trusted is the client, as
// in the core (trustedProxies). Pure.

import { BlockList, isIP, isIPv6 } from 'node:net'

export type ClientAddressOf = (forwardedFor: string | undefined) => string

/** `trusted`: networks such as '10.0.0.0/8', addresses, and 'unix'. */
export function clientAddressBy(trusted: readonly string[]): ClientAddressOf {
  const networks = new BlockList()
  for (const network of trusted.filter((one) => one !== 'unix')) {
    const [address = '', bits] = network.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    networks.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  const isTrusted = (address: string) => {
    if (isIP(address) === 0) return address === 'unix' && trusted.includes('unix')
    return networks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
  }
  return (forwardedFor = 'unix') => {
    if (!forwardedFor.includes(',')) return forwardedFor
    const hops = forwardedFor.split(',').map((hop) => hop.trim())
    return hops.findLast((hop, at) => at === 0 || !isTrusted(hop)) ?? 'unix'
  }
}

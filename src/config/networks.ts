// Networks of clients and proxies, as options name them.

import { isIP } from 'node:net'
import { text } from './kinds.ts'

export const network = text("a network such as '10.0.0.0/8', an address, or 'unix'", (written) => {
  const [address = '', bits, ...more] = written.split('/')
  if (written === 'unix') return undefined
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return 'that is no address'
  const most = version === 4 ? 32 : 128
  const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
  return fits && more.length === 0 ? undefined : `the part after '/' is 0 to ${most}`
})

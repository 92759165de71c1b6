// The kind of a host that can stand in a Host field, which several sections have.

import { text } from './kinds.ts'

export const hostValue = text("a host such as 'example.com' or 'example.com:8080'", (host) => {
  const url = URL.parse(`http://${host}/`)
  const fits = url !== null && /^[\w.:[\]-]+$/.test(host) && url.pathname === '/'
  return fits && host !== '' ? undefined : 'that cannot stand in a Host field'
})

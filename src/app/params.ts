// The parameters of a route in the target of a request that the core has matched with it. Pure.

/** Gives the parameters of a target; made once for each route. */
export type ReadParams = (target: string) => { [name: string]: string }

/** `path` is that of a resolved route: literal segments, `:name`, and a final `*`. */
export function paramsOf(path: string): ReadParams {
  const segments = path.split('/')
  const places = segments.flatMap((segment, at) =>
    segment.startsWith(':') ? [{ name: segment.slice(1), at }] : [],
  )
  const rest = segments.at(-1) === '*' ? segments.length - 1 : undefined
  if (places.length === 0 && rest === undefined) return () => ({})
  return (target) => {
    const query = target.indexOf('?')
    const parts = (query < 0 ? target : target.slice(0, query)).split('/')
    const params: { [name: string]: string } = {}
    for (const { name, at } of places) params[name] = decoded(parts[at] ?? '')
    if (rest !== undefined) params['*'] = decoded(parts.slice(rest).join('/'))
    return params
  }
}

/** Percent-decoded; as it is where that would not be UTF-8. */
function decoded(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

// How a route writes where it goes.

/** Where a proxy() or relay() route goes that names no upstream. */
export type TargetUrl = `http://${string}` | `https://${string}` | `unix:${string}`

// Small values that cross the boundary in several places; only types.

/** Where to listen, or where to connect. `host` is a numeric address. */
export type NativeEndpoint =
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'unix'; path: string }

/**
 * A piece of a Location value. Variables: 'path' (as received), 'query' (with its '?', or empty),
 * 'host' (without port), 'rest' (what the final '*' matched, with its leading '/'),
 * ':name' (a parameter of the pattern, as received).
 */
export type LocationPart = { literal: string } | { variable: string }

/** Where a listener really is: port 0 has become a number. */
export type NativeAddress =
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'unix'; path: string }

// What an option may hold instead of a route: an action that any function but files() made.

/** Made by any function but files(): a route that needs no pattern of its own. */
export interface OtherAction {
  readonly kind: 'proxy' | 'handler' | 'mount' | 'respond' | 'redirect'
}

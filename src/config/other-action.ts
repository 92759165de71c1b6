// What an option may hold instead of a route: an action that proxy(), respond() or
// redirect() made.

/** Made by proxy(), respond() or redirect(); a route that needs no pattern of its own. */
export interface OtherAction {
  readonly kind: 'proxy' | 'respond' | 'redirect'
}

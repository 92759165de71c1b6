// What an option may hold instead of a route: an action that respond() or redirect() made.

/** Made by respond() or redirect(); a route that needs no pattern of its own. */
export interface OtherAction {
  readonly kind: 'respond' | 'redirect'
}

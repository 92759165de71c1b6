// What the core says of generations of the configuration. Only types.

/** Every worker has this generation of the configuration: no request begins on an older one. */
export interface AdoptedEvent {
  type: 'adopted'
  generation: number
}

/** Nothing is under way on this generation of the configuration any more. */
export interface RetiredEvent {
  type: 'retired'
  generation: number
}

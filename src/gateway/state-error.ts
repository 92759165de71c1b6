// Pure; main thread.

/** Something was asked of a gateway that is not in a state for it. */
export class GatewayStateError extends Error {
  readonly code = 'ERR_SLUICE_STATE'
  override name = 'GatewayStateError'
}

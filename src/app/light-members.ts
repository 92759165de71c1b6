// What a light Request or Response has beside what it knows itself: every member of the real class,
// asked of the real object, which is made then. Runs once, when an app starts.

/**
 * Defines on `light` the members of `real`, both prototypes, but for the constructor and those
 * named in `own`.
 */
export function forwardMembers<Light extends object>(
  light: Light,
  real: object,
  realOf: (light: Light) => object,
  own: readonly PropertyKey[] = [],
): void {
  for (const name of Reflect.ownKeys(real)) {
    if (name === 'constructor' || own.includes(name)) continue
    const property = Object.getOwnPropertyDescriptor(real, name) as PropertyDescriptor
    const { get, value, enumerable = true } = property
    if (get !== undefined) {
      // By name: the real object may have another getter than its prototype.
      const ask = function (this: Light): unknown {
        return Reflect.get(realOf(this), name)
      }
      Object.defineProperty(light, name, { configurable: true, enumerable, get: ask })
    } else if (typeof value === 'function') {
      const ask = function (this: Light, ...args: unknown[]): unknown {
        return Reflect.apply(value, realOf(this), args)
      }
      Object.defineProperty(light, name, {
        configurable: true,
        enumerable,
        writable: true,
        value: ask,
      })
    }
  }
}

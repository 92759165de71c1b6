// uWebSockets.js, which mount() can take where it is installed and loads: its native part asks for
// glibc 2.38, and its package is not the one that the registry has under its name. Whether it does
// is told by `sluice doctor`; nothing of ours needs it.

const packageName = 'uWebSockets.js'

/** For people. */
export async function uwsState(): Promise<string> {
  try {
    const { default: uws } = (await import(packageName)) as { default: { App?: unknown } }
    if (typeof uws.App === 'function') return 'loads, for mount()'
    return 'not installed (what has its name is another package)'
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_MODULE_NOT_FOUND') return 'not installed; only mount() of it would need it'
    return `does not load: ${message.split('\n').findLast((line) => line !== '') ?? message}`
  }
}

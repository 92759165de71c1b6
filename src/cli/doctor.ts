// sluice doctor: whether this machine can run the gateway, and what it will use or do without.
// Fails only for what makes serving impossible: every refused system call has another way.

import { readFileSync } from 'node:fs'
import { arch, platform, release } from 'node:os'
import { uwsState } from '../app/uws.ts'
import { showSize } from '../config/units.ts'
import { AddonError, loadAddon } from '../native/addon.ts'
import type { NativeAddon } from '../native/interface.ts'
import { packageInfo } from '../telemetry/package-info.ts'
import type { Command } from './command.ts'
import { columns } from './help.ts'

export const doctor: Command = {
  name: 'doctor',
  usage: '',
  summary: 'look at this machine: Node, the native core, system calls, limits',
  details: 'Exits with 1 when the gateway could not run here.',
  options: {},
  words: [0, 0],
  async run() {
    const node = nodeRow()
    const core = coreReport()
    const rows = [
      ['node', node.text],
      ['platform', `${platform()} ${release()} on ${arch()}`],
      ['core', core.text],
      ['uWebSockets.js', await uwsState()],
      ['open files', openFiles()],
      ['pipes', pipes()],
    ]
    console.log(columns(rows))
    if (core.addon !== undefined)
      console.log(`\nThe kernel\n${columns(capabilityRows(core.addon))}`)
    const fine = node.fine && core.addon !== undefined
    console.log(fine ? '\neverything needed is there' : '\nthe gateway cannot run here')
    return fine ? 0 : 1
  },
}

function nodeRow() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const fine = (major === 22 && minor >= 20) || (major === 24 && minor >= 12) || major >= 26
  return {
    fine,
    text: `${process.version}${fine ? '' : `, but ${packageInfo().engines.node} is needed`}`,
  }
}

function coreReport(): { addon?: NativeAddon; text: string } {
  try {
    const addon = loadAddon()
    const cpus = addon.usableCpus()
    const text = `${addon.buildKind} build, ${cpus} usable CPU${cpus === 1 ? '' : 's'}`
    return { addon, text: `${text}, ${addon.tlsLibrary}` }
  } catch (error) {
    if (error instanceof AddonError) return { text: error.message }
    throw error
  }
}

function capabilityRows(addon: NativeAddon): string[][] {
  return addon.capabilities().map(({ name, available, error, detail }) => {
    return [name, `${available ? 'yes' : `no (${error})`}  ${detail}`]
  })
}

// A connection is a descriptor, and a remembered larger file is another.
const fewDescriptors = 10_000

function openFiles(): string {
  const line = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readText('/proc/self/limits'))
  if (line === null) return 'unknown'
  const [, soft = '', hard = ''] = line
  const low = Number(soft) < fewDescriptors
  const advice = low ? '; low for many connections: raise it (ulimit -n, LimitNOFILE)' : ''
  return `${soft} at once (up to ${hard} may be asked for)${advice}`
}

function pipes(): string {
  const largest = Number(readText('/proc/sys/fs/pipe-max-size'))
  const pages = Number(readText('/proc/sys/fs/pipe-user-pages-soft'))
  if (!(largest > 0)) return 'unknown'
  const budget = pages === 0 ? 'no limit' : showSize(pages * 4096)
  return `up to ${showSize(largest)} each, ${budget} for an unprivileged user together`
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

// What an app writes to its standard output and error, as lines for the gateway's log. Bounded: a
// line in its length, lines in their rate; whatever an app prints must not keep the main thread
// busy.

import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

const longestLine = 8 * 1024
const mostPerSecond = 500

/** Calls `take` for every line, and `onDropped` with how many of a second were left out. */
export function forwardLines(
  stream: Readable,
  take: (line: string) => void,
  onDropped: (count: number) => void,
): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let isCut = false
  let second = 0
  let taken = 0
  const emit = (line: string) => {
    const now = Math.floor(performance.now() / 1_000)
    if (now !== second) {
      if (taken > mostPerSecond) onDropped(taken - mostPerSecond)
      second = now
      taken = 0
    }
    if (++taken <= mostPerSecond) take(line)
  }
  const add = (text: string) => {
    rest += text
    let begin = 0
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', begin)) {
      if (!isCut) emit(rest.slice(begin, end).replace(/\r$/, '').slice(0, longestLine))
      isCut = false
      begin = end + 1
    }
    rest = rest.slice(begin)
    if (rest.length <= longestLine) return
    if (!isCut) emit(rest.slice(0, longestLine))
    // The rest of that line is left out.
    isCut = true
    rest = ''
  }
  stream.on('data', (bytes: Buffer) => add(decoder.write(bytes)))
  stream.on('end', () => {
    add(decoder.end())
    if (rest !== '' && !isCut) emit(rest)
    if (taken > mostPerSecond) onDropped(taken - mostPerSecond)
  })
  stream.on('error', () => {})
}

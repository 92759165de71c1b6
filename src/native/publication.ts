// What can be published on a channel, and how it goes to the core: bytes and a type. Any thread.

/** A message with a type, for server-sent events. */
export interface ChannelEvent {
  /** The type of the event; the default is 'message'. */
  readonly event?: string
  readonly data: string | Uint8Array | object
}

/** Bytes, a text, or a message whose data, if it is no text and no bytes, is written as JSON. */
export type ChannelMessage = string | Uint8Array | ChannelEvent

/** As the core takes it. */
export interface Publication {
  bytes: Uint8Array
  event: string
}

const encoder = new TextEncoder()

/** Copies what it is given: the caller's bytes may change afterwards. Throws a TypeError. */
export function publicationOf(message: ChannelMessage): Publication {
  if (typeof message === 'string') return { bytes: encoder.encode(message), event: '' }
  if (message instanceof Uint8Array) return { bytes: message.slice(), event: '' }
  const { event = '', data } = message
  if (typeof event !== 'string' || /[\r\n\0]/.test(event)) {
    throw new TypeError('event: expected one line of text')
  }
  return { bytes: dataOf(data), event }
}

function dataOf(data: unknown): Uint8Array {
  if (typeof data === 'string') return encoder.encode(data)
  if (data instanceof Uint8Array) return data.slice()
  const json: string | undefined = JSON.stringify(data)
  if (json === undefined) throw new TypeError('data: expected a text, bytes or a JSON value')
  return encoder.encode(json)
}

/** Takes what is published on the channel of this name. */
export type PublishTo = (channel: string, publication: Publication) => void

/** Publishes by name; throws a TypeError when there is no such channel or no such message. */
export function publisher(channels: readonly string[], to: PublishTo) {
  return (name: string, message: ChannelMessage): void => {
    if (!channels.includes(name)) throw new TypeError(`no route is channel('${name}')`)
    to(name, publicationOf(message))
  }
}

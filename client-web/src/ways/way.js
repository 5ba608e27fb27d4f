/**
 * What a way to the server is, whichever transport it goes by: messages in, messages out, its end.
 * Types alone.
 */

/** @typedef {'websocket' | 'stream' | 'poll'} Transport a WebSocket, one streaming answer, long polls */

/**
 * @typedef {object} WayHandlers
 * @property {() => void} onOpen
 * @property {(bytes: Uint8Array | undefined) => void} onMessage undefined for a text message,
 *   which nobody sends
 * @property {(code: number, reason: string) => void} onClose called once, also when it never opened
 */

/**
 * @typedef {object} Way
 * @property {Transport | undefined} transport by which it goes; undefined while that is open
 * @property {number} backlog bytes that were sent but have not left
 * @property {(bytes: Uint8Array) => void} send
 * @property {(code: number, reason: string) => void} close says goodbye; no handler is called any
 *   more. Code 1000 or 3000..4999, a reason of at most 123 bytes
 */

/** @typedef {(url: string, handlers: WayHandlers) => Way} OpenWay throws a `RequestError` for what can't be opened */

/**
 * What there is to a connection that goes by a fallback.
 * @typedef {object} Fallback
 * @property {OpenWay | undefined} behind what is tried behind it; undefined where nothing may be
 * @property {() => void} tookOver that has taken over
 */

export {};

/**
 * The WebSocket subprotocols of the relay. The grant travels in one of them because a browser can set no
 * header on a WebSocket, and a query string ends up in every proxy's log.
 */
export const consoleProtocol = 'porthole.v1';
/** Bytes only, for any noVNC. */
export const plainProtocol = 'binary';
export const grantProtocolPrefix = 'porthole.grant.';

/** Path of the relay's WebSocket, below its public URL. */
export const consolePath = '/relay/v1/console';

/**
 * The WebSocket subprotocols of the relay. One of them carries the grant: browsers cannot set headers on a WebSocket,
 * and query strings appear in the logs of proxies.
 */
export const consoleProtocol = 'porthole.v1';
/** Console bytes without control messages, for any noVNC client. */
export const plainProtocol = 'binary';
export const grantProtocolPrefix = 'porthole.grant.';

/** Path of the relay's WebSocket below its public URL. */
export const consolePath = '/relay/v1/console';

/** The small pictures of a class (wall-messages.ts), and the path of their WebSocket. */
export const wallProtocol = 'porthole.wall.v1';
export const wallPath = '/relay/v1/wall';

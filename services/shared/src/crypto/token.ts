import type { RandomBytes } from './random.ts';

/** 43 characters in base64url, so it fits a cookie, a URL fragment and a WebSocket subprotocol. */
const tokenBytes = 32;
const tokenPattern = /^[A-Za-z0-9_-]{43}$/;

/** A bearer token: 32 random bytes in base64url. */
export function createToken(random: RandomBytes): string {
  return random(tokenBytes).toString('base64url');
}

/** The bytes of a token, or undefined when the text is not a token. */
export function decodeToken(text: string): Buffer | undefined {
  return tokenPattern.test(text) ? Buffer.from(text, 'base64url') : undefined;
}

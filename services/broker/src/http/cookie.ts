/** 32 random bytes in base64url. */
const secretPattern = /^[A-Za-z0-9_-]{43}$/;

/**
 * Returns the secret in a cookie, or undefined if it is missing or malformed. Two cookies of the same name also count as
 * missing, because one of them is planted and nothing tells which.
 */
export function readSecretCookie(header: string | undefined, name: string): string | undefined {
  const prefix = `${name}=`;
  const [value, ...more] = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix))
    .map((pair) => pair.slice(prefix.length));
  return value !== undefined && more.length === 0 && secretPattern.test(value) ? value : undefined;
}

/** Where a secret may show up: a name for the report, and everything that was seen there. */
export type Places = Readonly<Record<string, readonly (string | Buffer)[]>>;

/** The same secret as it looks in URLs, in headers, in dumps. */
function disguises(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // Base64 depends on what stands before; cut at both ends, one of three turns is always right.
  const turns = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64url')
      .slice(before === 0 ? 0 : before + 1, -3),
  );
  const all = [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
  ];
  const long = secret.length >= 8 ? turns.flatMap((text) => [text, base64Of(text)]) : [];
  return [...new Set([...all, ...long])];
}

const base64Of = (base64url: string) => base64url.replaceAll('-', '+').replaceAll('_', '/');

/** One line for each secret that is in a place, never with the secret itself. */
export function findLeaks(secrets: ReadonlyMap<string, string>, places: Places): string[] {
  const leaks: string[] = [];
  for (const [place, parts] of Object.entries(places)) {
    const text = parts.map((part) => (typeof part === 'string' ? part : part.toString('latin1'))).join('\n');
    for (const [secret, what] of secrets)
      if (disguises(secret).some((form) => text.includes(form))) leaks.push(`${what} in ${place}`);
  }
  return leaks;
}

/** Texts to search, by the name of their source. */
export type SearchedTexts = Readonly<Record<string, readonly (string | Buffer)[]>>;

/** The secret as it appears in URLs, headers and dumps. */
function encodingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // Base64 depends on the bytes before the secret. Without both ends, one of three offsets always matches.
  const offsets = [0, 1, 2].map((before) =>
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
  const long = secret.length >= 8 ? offsets.flatMap((text) => [text, base64Of(text)]) : [];
  return [...new Set([...all, ...long])];
}

const base64Of = (base64url: string) => base64url.replaceAll('-', '+').replaceAll('_', '/');

/** One line for each secret that was found. The lines do not contain the secrets. */
export function findLeaks(secrets: ReadonlyMap<string, string>, texts: SearchedTexts): string[] {
  const leaks: string[] = [];
  for (const [source, parts] of Object.entries(texts)) {
    const text = parts.map((part) => (typeof part === 'string' ? part : part.toString('latin1'))).join('\n');
    for (const [secret, what] of secrets)
      if (encodingsOf(secret).some((form) => text.includes(form))) leaks.push(`${what} in ${source}`);
  }
  return leaks;
}

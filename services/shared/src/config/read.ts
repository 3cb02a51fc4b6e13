import { dirname, resolve } from 'node:path';
import { describeIssue } from './describe-issue.ts';
import { readEnvironment } from './environment.ts';
import { readYaml } from './read-yaml.ts';
import { configSchema, type Config } from './schema.ts';
import { constantSecret, secretFile, type Secret } from './secret.ts';

/** Everything that is wrong with a configuration, at once, in plain words. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly issues: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
    this.issues = faults;
  }
}

/** Fields that hold a secret, or a file's text that is read again when it changes. `<name>File` names a file. */
const secretFields = new Set(['secret', 'password', 'grantKeys', 'clientSecret']);
/** Fields that are always files. */
const fileFields = new Set(['caFile', 'certFile', 'keyFile', 'usersFile', 'accessFile']);
/** Settings that name a file to write to. */
const outputFiles = new Set(['audit.file']);

/**
 * Reads the file that PORTHOLE_CONFIG names, if any, lays the environment over it, and checks the whole.
 * Relative paths in the file are relative to the file; those in the environment to the working directory.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, cwd: string): Config {
  const issues: string[] = [];
  const written = readSettingsFile(env['PORTHOLE_CONFIG'], cwd, issues);
  const settings = written ?? {};

  const { values, unknown } = readEnvironment(env);
  for (const name of unknown) issues.push(`${name}: there is no such setting`);
  const origins = new Map<string, string>();
  for (const { path: place, name, value } of values) {
    const path = place.join('.');
    origins.set(path, name).set(path.replace(/File$/, ''), name);
    setAt(settings, place, value);
  }
  const nameOf = (path: string) => origins.get(path) ?? path;
  const complete = resolveSecrets(settings, { base: cwd, nameOf, issues }) as Record<string, unknown>;
  // What stands in a file that can not be read is unknown: nothing can be said about what is missing.
  if (!written) throw new ConfigError(issues);

  const parsed = configSchema.safeParse(complete, { reportInput: true });
  if (!parsed.success) issues.push(...parsed.error.issues.flatMap((issue) => describeIssue(issue, nameOf)));
  issues.push(...issuesOfGrantKeys(complete['grantKeys'], nameOf('grantKeys')));
  if (issues.length > 0 || !parsed.success) throw new ConfigError(issues);
  return parsed.data;
}

/** What the file says, no file saying nothing; undefined when it can't be read. */
function readSettingsFile(
  path: string | undefined,
  cwd: string,
  issues: string[],
): Record<string, unknown> | undefined {
  if (!path) return {};
  const file = resolve(cwd, path);
  const read = readYaml(file);
  issues.push(...read.issues.map((fault) => `${path}: ${fault}`));
  if (read.issues.length > 0) return undefined;
  const resolved = resolveSecrets(read.value, {
    base: dirname(file),
    nameOf: (place) => place,
    issues,
  });
  if (isRecord(resolved)) return resolved;
  issues.push(`${path}: must hold settings, one "name: value" a line`);
  return undefined;
}

/** The keys that seal and open records, split at blanks and commas. Checked at each use: the file may change. */
export function grantKeysOf(secret: Secret): () => readonly string[] {
  return () =>
    secret()
      .split(/[\s,]+/)
      .filter((key) => key !== '');
}

function issuesOfGrantKeys(given: unknown, name: string): string[] {
  if (typeof given !== 'function') return [];
  let text: string;
  try {
    text = (given as Secret)().trim();
  } catch {
    return []; // the file can not be read, which was said already
  }
  if (text === '') return []; // said already, too
  const keys = grantKeysOf(() => text)();
  if (keys.length === 0) return [`${name}: holds no key`];
  return keys.some((key) => key.length < 32)
    ? [`${name}: each key must have at least 32 characters; \`openssl rand -hex 32\` makes one`]
    : [];
}

interface ResolveOptions {
  /** What relative paths are relative to. */
  readonly base: string;
  /** What to call the setting at a path in a fault. */
  readonly nameOf: (path: string) => string;
  readonly issues: string[];
}

/** Turns each secret, given as text or as file, into a function; leaves everything else as it is. */
function resolveSecrets(value: unknown, options: ResolveOptions, path: readonly string[] = []): unknown {
  if (Array.isArray(value))
    return value.map((item: unknown, index) => resolveSecrets(item, options, [...path, String(index)]));
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const place = [...path, key];
    const report = (words: string) => options.issues.push(`${options.nameOf(place.join('.'))}: ${words}`);
    const plain = key.replace(/File$/, '');
    if (fileFields.has(key) || (key !== plain && secretFields.has(plain))) {
      const target = fileFields.has(key) ? key : plain;
      if (target !== key && value[target] !== undefined) report(`give ${target} or ${key}, not both`);
      result[target] = typeof item === 'string' ? readableSecret(resolve(options.base, item), report) : item;
    } else if (secretFields.has(key) && typeof item === 'string') {
      if (item.trim() === '') report('is empty');
      result[key] = constantSecret(item);
    } else if (secretFields.has(key)) result[key] = item;
    else if (outputFiles.has(place.join('.')) && typeof item === 'string')
      result[key] = resolve(options.base, item);
    else result[key] = resolveSecrets(item, options, place);
  }
  return result;
}

function readableSecret(file: string, report: (words: string) => void): Secret {
  const secret = secretFile(file);
  try {
    if (secret() === '') report(`the file ${file} is empty`);
  } catch {
    report(`the file ${file} can not be read`);
  }
  return secret;
}

function setAt(target: Record<string, unknown>, [head, ...rest]: readonly string[], value: unknown): void {
  if (head === undefined) return;
  if (rest.length === 0) {
    // A secret that the file gave as text is a function by now, and gives way to a file that the environment names.
    const plain = head.replace(/File$/, '');
    if (plain !== head && typeof target[plain] === 'function') delete target[plain];
    target[head] = value;
    return;
  }
  const existing = target[head];
  const list = rest[0] === '0';
  const next = isRecord(existing) || Array.isArray(existing) ? existing : list ? [] : {};
  target[head] = next;
  setAt(next as Record<string, unknown>, rest, value); // an array takes "0" as a key like any object
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

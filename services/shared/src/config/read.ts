import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { readEnvironment } from './environment.ts';
import { configSchema, type Config } from './schema.ts';
import { constantSecret, secretFile, type Secret } from './secret.ts';

/** Everything that is wrong with a configuration, at once, in plain words. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

/** Fields that hold a secret, or a file's text that is read again when it changes. `<name>File` names a file. */
const secretFields = new Set(['secret', 'password', 'grantKeys']);
/** Fields that are always files. */
const fileFields = new Set(['caFile', 'usersFile']);

/**
 * Reads the file that PORTHOLE_CONFIG names, if any, lays the environment over it, and checks the whole.
 * Relative paths in the file are relative to the file; those in the environment to the working directory.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, cwd: string): Config {
  const faults: string[] = [];
  const path = env['PORTHOLE_CONFIG'];
  let raw: unknown = {};
  let base = cwd;
  if (path) {
    const file = resolve(cwd, path);
    base = dirname(file);
    try {
      raw = parse(readFileSync(file, 'utf8')) ?? {};
    } catch (error) {
      throw new ConfigError([`${path}: ${error instanceof Error ? error.message : String(error)}`]);
    }
  }
  const resolved = resolveSecrets(raw, base, [], faults);
  if (!isRecord(resolved)) throw new ConfigError([`${path}: must hold settings, one "name: value" a line`]);

  const { values, unknown } = readEnvironment(env);
  for (const name of unknown) faults.push(`${name}: there is no such setting`);
  const origins = new Map<string, string>();
  for (const { path: place, name, value } of values) {
    origins.set(place.join('.').replace(/File$/, ''), name);
    setAt(resolved, place, value);
  }
  const complete = resolveSecrets(resolved, cwd, [], faults);

  const parsed = configSchema.safeParse(complete);
  if (!parsed.success) faults.push(...parsed.error.issues.flatMap((issue) => describe(issue, origins)));
  if (parsed.success && parsed.data.grantKeys)
    faults.push(...faultsOfKeys(grantKeysOf(parsed.data.grantKeys)()));
  if (faults.length > 0 || !parsed.success) throw new ConfigError(faults);
  return parsed.data;
}

/** The keys that seal and open records, split at blanks and commas. Checked at each use: the file may change. */
export function grantKeysOf(secret: Secret): () => readonly string[] {
  return () =>
    secret()
      .split(/[\s,]+/)
      .filter((key) => key !== '');
}

function faultsOfKeys(keys: readonly string[]): string[] {
  if (keys.length === 0) return ['grantKeys: holds no key'];
  return keys.some((key) => key.length < 32)
    ? ['grantKeys: each key must have at least 32 characters; `openssl rand -hex 32` makes one']
    : [];
}

/** Turns each secret, given as text or as file, into a function; leaves everything else as it is. */
function resolveSecrets(value: unknown, base: string, path: readonly string[], faults: string[]): unknown {
  if (Array.isArray(value))
    return value.map((item, i) => resolveSecrets(item, base, [...path, String(i)], faults));
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const place = [...path, key];
    const plain = key.replace(/File$/, '');
    if (fileFields.has(key) || (key !== plain && secretFields.has(plain))) {
      const target = fileFields.has(key) ? key : plain;
      if (target !== key && value[target] !== undefined)
        faults.push(`${place.join('.')}: give ${target} or ${key}, not both`);
      result[target] = typeof item === 'string' ? readable(resolve(base, item), place, faults) : item;
    } else if (secretFields.has(key)) result[key] = typeof item === 'string' ? constantSecret(item) : item;
    else result[key] = resolveSecrets(item, base, place, faults);
  }
  return result;
}

function readable(file: string, place: readonly string[], faults: string[]): Secret {
  const secret = secretFile(file);
  try {
    if (secret() === '') faults.push(`${place.join('.')}: the file ${file} is empty`);
  } catch {
    faults.push(`${place.join('.')}: the file ${file} can not be read`);
  }
  return secret;
}

function setAt(target: Record<string, unknown>, [head, ...rest]: readonly string[], value: unknown): void {
  if (head === undefined) return;
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const existing = target[head];
  const list = rest[0] === '0';
  const next = isRecord(existing) || Array.isArray(existing) ? existing : list ? [] : {};
  target[head] = next;
  setAt(next as Record<string, unknown>, rest, value); // an array takes "0" as a key like any object
}

/** A fault in words: its path in the file, or the variable that it came from. */
function describe(issue: z.core.$ZodIssue, origins: ReadonlyMap<string, string>): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${[path, key].filter(Boolean).join('.')}: there is no such setting`);
  const origin = origins.get(path);
  const message = issue.code === 'invalid_union' ? 'is not one of the allowed forms' : issue.message;
  return [`${origin ?? (path === '' ? 'the file' : path)}: ${message}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { dirname, resolve } from 'node:path';
import { describeIssue } from './describe-issue.ts';
import { readEnvironment } from './environment.ts';
import { parseYaml, readYaml } from './read-yaml.ts';
import { configSchema, type Config } from './schema.ts';
import { constantSecret, secretFile, type Secret } from './secret.ts';

/** All issues of a configuration at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly issues: readonly string[];

  constructor(issues: readonly string[]) {
    super(`Invalid configuration:\n${issues.map((issue) => `  - ${issue}`).join('\n')}`);
    this.issues = issues;
  }
}

/** Fields with a secret. `<field>File` names a file with the secret, which is read again when it changes. */
const secretFields = new Set([
  'secret',
  'password',
  'grantKeys',
  'clientSecret',
  'toolKeys',
  'encryptionKeys',
  'accessKeyId',
  'secretAccessKey',
]);
/** Fields that always name a file to read. */
const fileFields = new Set(['caFile', 'certFile', 'keyFile', 'usersFile', 'accessFile']);
/** Settings that name a file to write, or a directory. */
const outputPaths = new Set(['audit.file', 'recordings.storage.directory', 'recordings.spool.directory']);

/**
 * Reads the file that PORTHOLE_CONFIG names, or the same text in PORTHOLE_CONFIG_YAML, applies the environment variables,
 * and validates the result. Throws ConfigError with all issues. Paths in the file are relative to the file, and paths in
 * the environment to `cwd`.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, cwd: string): Config {
  const issues: string[] = [];
  const written = readSettings(env, cwd, issues);
  const settings = written ?? {};

  const { values, unknown } = readEnvironment(env);
  for (const name of unknown) issues.push(`${name}: unknown setting`);
  const origins = new Map<string, string>();
  for (const { path: settingPath, name, value } of values) {
    const path = settingPath.join('.');
    origins.set(path, name).set(path.replace(/File$/, ''), name);
    setAt(settings, settingPath, value);
  }
  const nameOf = (path: string) => origins.get(path) ?? path;
  const complete = resolveSecrets(settings, { base: cwd, nameOf, issues }) as Record<string, unknown>;
  // Without the file's settings, the schema would report them all as missing.
  if (!written) throw new ConfigError(issues);

  const parsed = configSchema.safeParse(complete, { reportInput: true });
  if (!parsed.success) issues.push(...parsed.error.issues.flatMap((issue) => describeIssue(issue, nameOf)));
  issues.push(...issuesOfKeys(complete['grantKeys'], nameOf('grantKeys')));
  const { recordings } = complete;
  if (isRecord(recordings))
    issues.push(...issuesOfKeys(recordings['encryptionKeys'], nameOf('recordings.encryptionKeys')));
  if (issues.length > 0 || !parsed.success) throw new ConfigError(issues);
  return parsed.data;
}

/** The settings of the file or text, or an empty object without either. Undefined if they cannot be read. */
function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  issues: string[],
): Record<string, unknown> | undefined {
  const { PORTHOLE_CONFIG: path, PORTHOLE_CONFIG_YAML: text } = env;
  if (path && text) {
    issues.push('PORTHOLE_CONFIG_YAML: specify PORTHOLE_CONFIG or PORTHOLE_CONFIG_YAML, not both');
    return undefined;
  }
  if (!path && !text) return {};
  const name = path || 'PORTHOLE_CONFIG_YAML';
  const read = path ? readYaml(resolve(cwd, path)) : parseYaml(text ?? '');
  issues.push(...read.issues.map((issue) => `${name}: ${issue}`));
  if (read.issues.length > 0) return undefined;
  const base = path ? dirname(resolve(cwd, path)) : cwd;
  const resolved = resolveSecrets(read.value, { base, nameOf: (path) => path, issues });
  if (isRecord(resolved)) return resolved;
  issues.push(`${name}: must contain settings, one "name: value" per line`);
  return undefined;
}

/** Returns a function that parses keys, separated by whitespace or commas. The file may change at any time. */
export function grantKeysOf(secret: Secret): () => readonly string[] {
  return () =>
    secret()
      .split(/[\s,]+/)
      .filter((key) => key !== '');
}

function issuesOfKeys(given: unknown, name: string): string[] {
  if (typeof given !== 'function') return [];
  let text: string;
  try {
    text = (given as Secret)().trim();
  } catch {
    return []; // Reported already: the file cannot be read.
  }
  if (text === '') return []; // Reported already: it is empty.
  const keys = grantKeysOf(() => text)();
  if (keys.length === 0) return [`${name}: contains no key`];
  return keys.some((key) => key.length < 32)
    ? [`${name}: each key must have at least 32 characters; create one with \`openssl rand -hex 32\``]
    : [];
}

interface ResolveOptions {
  /** The directory of relative paths. */
  readonly base: string;
  /** Returns the name of a setting in messages. */
  readonly nameOf: (path: string) => string;
  readonly issues: string[];
}

/** Replaces each secret, given as text or as a file, by a function. Copies all other settings. */
function resolveSecrets(value: unknown, options: ResolveOptions, path: readonly string[] = []): unknown {
  if (Array.isArray(value))
    return value.map((item: unknown, index) => resolveSecrets(item, options, [...path, String(index)]));
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const settingPath = [...path, key];
    const report = (message: string) =>
      options.issues.push(`${options.nameOf(settingPath.join('.'))}: ${message}`);
    const plain = key.replace(/File$/, '');
    if (fileFields.has(key) || (key !== plain && secretFields.has(plain))) {
      const target = fileFields.has(key) ? key : plain;
      if (target !== key && value[target] !== undefined) report(`specify ${target} or ${key}, not both`);
      result[target] = typeof item === 'string' ? readableSecret(resolve(options.base, item), report) : item;
    } else if (secretFields.has(key) && typeof item === 'string') {
      if (item.trim() === '') report('is empty');
      result[key] = constantSecret(item);
    } else if (secretFields.has(key)) result[key] = item;
    else if (outputPaths.has(settingPath.join('.')) && typeof item === 'string')
      result[key] = resolve(options.base, item);
    else result[key] = resolveSecrets(item, options, settingPath);
  }
  return result;
}

function readableSecret(file: string, report: (message: string) => void): Secret {
  const secret = secretFile(file);
  try {
    if (secret() === '') report(`the file ${file} is empty`);
  } catch {
    report(`the file ${file} cannot be read`);
  }
  return secret;
}

function setAt(target: Record<string, unknown>, [head, ...rest]: readonly string[], value: unknown): void {
  if (head === undefined) return;
  if (rest.length === 0) {
    // A secret of the configuration file is a function by now. A file that the environment names replaces it.
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

import { configSchema } from '@porthole/shared/config/schema';
import { z } from 'zod';

/** A setting of the configuration schema. */
export interface Setting {
  /** For example `clusters[].tls.caFile`. */
  readonly path: string;
  readonly secret: boolean;
  /** The default as Markdown, `required`, or empty. */
  readonly fallback: string;
}

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: unknown;
  readonly default?: unknown;
}

/** Sections that have the fields of another section, and are documented as a whole. */
const likeAnother = /Credential$|^classes\[\]\.(machines|limits)$/;

/** Values of the minimal configuration below; they are not defaults. */
const given = /\.credential\./;

/** Returns every setting with its default, in the order of the schema. */
export function allSettings(): readonly Setting[] {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const defaults = configSchema.parse({
    clusters: [{ urls: 'https://pve1:8006', credential: { token: 'a@pve!b', secret: () => '' } }],
    signIn: { local: { usersFile: () => '' } },
  });
  return walk(schema, '', defaults);
}

function walk(schema: JsonSchema, parent: string, value: unknown): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, below]) => {
    const path = parent === '' ? name : `${parent}.${name}`;
    const parsed = isObject(value) ? value[name] : undefined;
    if (below.properties && !likeAnother.test(path)) return walk(below, path, parsed);
    if (below.items?.properties)
      return walk(below.items, `${path}[]`, Array.isArray(parsed) ? (parsed as unknown[])[0] : undefined);
    const secret = Object.keys(below).length === 0 && !name.endsWith('File');
    const required = schema.required?.includes(name) ?? false;
    // The minimal configuration has no value for the settings of optional sections, but the schema has.
    const found = given.test(path) ? undefined : (parsed ?? below.default);
    return [{ path, secret, fallback: required ? 'required' : toMarkdown(found) }];
  });
}

function toMarkdown(value: unknown): string {
  if (value === undefined || value === '' || typeof value === 'function') return '';
  if (value instanceof URL) return `\`${value.origin}\``;
  if (isObject(value) && 'host' in value && 'port' in value)
    return `\`${String(value['host'])}:${String(value['port'])}\``;
  if (Array.isArray(value) && value.length > 0) return value.map(toMarkdown).join(', ');
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0 ? 'none' : '';
  return `\`${value as string | number | boolean}\``; // YAML has no other scalars
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

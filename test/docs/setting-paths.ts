import { configSchema } from '@porthole/shared/config/schema';
import { z } from 'zod';

/** A setting as the schema has it. */
export interface Setting {
  /** Such as `clusters[].tls.caFile`. */
  readonly path: string;
  readonly secret: boolean;
  /** What counts when it is not given, or how it is without. */
  readonly without: string;
}

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: unknown;
}

/** Settings that are described as a whole because others say what is in them. */
const likeAnother = /Credential$|^classes\[\]\.(machines|limits)$/;

/** What has no default of its own: it was given here. */
const given = /\.credential\./;

/** Every setting, in the order of the schema, with its default. */
export function allSettings(): readonly Setting[] {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const defaults = configSchema.parse({
    clusters: [{ urls: 'https://pve1:8006', credential: { token: 'a@pve!b', secret: () => '' } }],
    signIn: { local: { usersFile: () => '' } },
  });
  return walk(schema, '', defaults);
}

function walk(schema: JsonSchema, path: string, value: unknown): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, below]) => {
    const place = path === '' ? name : `${path}.${name}`;
    const found = isObject(value) ? value[name] : undefined;
    if (below.properties && !likeAnother.test(place)) return walk(below, place, found);
    if (below.items?.properties)
      return walk(below.items, `${place}[]`, Array.isArray(found) ? (found as unknown[])[0] : undefined);
    const secret = Object.keys(below).length === 0 && !name.endsWith('File');
    const required = schema.required?.includes(name) ?? false;
    return [{ path: place, secret, without: withoutIt(required, given.test(place) ? undefined : found) }];
  });
}

function withoutIt(required: boolean, value: unknown): string {
  if (required) return 'needed';
  if (value === undefined || typeof value === 'function') return '';
  if (value instanceof URL) return `\`${value.origin}\``;
  if (isObject(value) && 'host' in value && 'port' in value)
    return `\`${String(value['host'])}:${String(value['port'])}\``;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0 ? 'none' : '';
  return `\`${value as string | number | boolean}\``; // what else YAML has
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

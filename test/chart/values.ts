import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { isMap, parseDocument, type Pair, type Scalar, type YAMLMap } from 'yaml';

export const chart = fileURLToPath(new URL('../../helm/porthole/', import.meta.url));

/** Values whose inside is somebody else's: Kubernetes's, or the program's. */
const open = new Set(['broker.resources', 'relay.resources', 'grafanaDashboard.labels']);

/** What the entries of a list must be, where they are the chart's own. */
const entries: Readonly<Record<string, unknown>> = {
  'secrets.mounts': entry({
    name: { type: 'string', pattern: '^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$' },
    secretName: { type: 'string', minLength: 1 },
    for: { type: 'array', minItems: 1, items: { enum: ['broker', 'relay'] } },
  }),
  'relay.keda.schedules': entry({
    timezone: { type: 'string' },
    start: { type: 'string' },
    end: { type: 'string' },
    desiredReplicas: { type: 'integer', minimum: 1 },
  }),
  'global.imagePullSecrets': { type: 'string' },
  'redis.sentinel.nodes': { type: 'string' },
  'redis.cluster.nodes': { type: 'string' },
  'redis.extraPorts': { type: 'integer', minimum: 1, maximum: 65_535 },
  'prometheusRule.disabled': { type: 'string' },
  'broker.networkPolicy.proxmoxCIDRs': { type: 'string' },
  'relay.networkPolicy.proxmoxCIDRs': { type: 'string' },
};

/** What else than any text a value may be, by the end of its path. */
const choices: readonly (readonly [end: string, schema: unknown])[] = [
  ['.image.digest', { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' }],
  ['.image.pullPolicy', { enum: ['Always', 'IfNotPresent', 'Never'] }],
  ['.service.type', { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] }],
  ['.monitor.kind', { enum: ['PodMonitor', 'ServiceMonitor'] }],
  ['.monitor.interval', { type: 'string', pattern: '^[0-9]+(ms|s|m)$' }],
  [
    '.pdb.maxUnavailable',
    {
      anyOf: [
        { type: 'integer', minimum: 0 },
        { type: 'string', pattern: '^[0-9]+%$' },
      ],
    },
  ],
  ['ingress.controller', { enum: ['', 'nginx', 'haproxy', 'alb'] }],
];

/** Values that were renamed: the schema lets them through, so that the chart can say what they are called now. */
const renamed = ['imagePullSecrets'];

function entry(properties: Record<string, unknown>): unknown {
  return { type: 'object', additionalProperties: false, required: Object.keys(properties), properties };
}

interface Value {
  readonly path: string;
  readonly about: string;
  readonly shown: string;
}

/** values.schema.json and the table of the README, both made of values.yaml and its comments. */
export async function fromValues(): Promise<{ schema: string; readme: string }> {
  const document = parseDocument(readFileSync(`${chart}values.yaml`, 'utf8'));
  const values: Value[] = [];
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...walk(document.contents as YAMLMap, [], values),
  };
  const readme = readFileSync(`${chart}README.md`, 'utf8');
  const table = [
    '| Value | Default | Meaning |',
    '| --- | --- | --- |',
    ...values.map(({ path, shown, about }) => `| \`${path}\` | ${shown} | ${about} |`),
  ].join('\n');
  const filled = readme.replace(
    /(<!-- generated:values -->\n)[\s\S]*?(<!-- \/generated -->)/,
    (_whole, begin: string, end: string) => `${begin}\n${table}\n\n${end}`,
  );
  const style = { printWidth: 120, singleQuote: true };
  return {
    schema: await format(JSON.stringify(schema), { ...style, parser: 'json', printWidth: 110 }),
    readme: await format(filled, { ...style, parser: 'markdown', proseWrap: 'always' }),
  };
}

function walk(map: YAMLMap, path: readonly string[], values: Value[]): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  for (const [index, pair] of (map.items as Pair<Scalar<string>>[]).entries()) {
    const key = pair.key.value;
    const place = [...path, key].join('.');
    const value = pair.value as Scalar | YAMLMap;
    if (isMap(value) && value.items.length > 0 && !open.has(place)) {
      properties[key] = walk(value, [...path, key], values);
      continue;
    }
    // The comment of a map's first key belongs to the map, as far as the parser is concerned.
    const comment = pair.key.commentBefore ?? (index === 0 ? map.commentBefore : undefined);
    if (!comment) throw new Error(`values.yaml: ${place} has no comment.`);
    const plain: unknown = value.toJSON();
    const shown = plain === '' || plain === null ? '' : `\`${JSON.stringify(plain)}\``;
    values.push({ path: place, about: comment.trim().replaceAll('|', '\\|'), shown });
    properties[key] = typeOf(plain, place);
  }
  if (path.length === 0) for (const name of renamed) properties[name] = {};
  // Other charts, of which this one may be a part, have values of their own there.
  const additionalProperties = path.join() === 'global';
  return { type: 'object', additionalProperties, properties };
}

function typeOf(value: unknown, place: string): unknown {
  const choice = choices.find(([end]) => place.endsWith(end));
  if (choice) return choice[1];
  if (value === null) return { type: ['integer', 'null'], minimum: 0 };
  if (Array.isArray(value)) return { type: 'array', ...(entries[place] ? { items: entries[place] } : {}) };
  if (typeof value === 'number') return { type: 'integer', minimum: 0 };
  return { type: typeof value };
}

import { readFileSync } from 'node:fs';
import { format } from 'prettier';
import { isMap, parseDocument, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { chartFolder } from './chart-folder.ts';
import { configJsonSchema } from './config-schema.ts';

/** Maps with default entries that users can extend with entries of their own. */
const extensibleMaps = new Set(['broker.resources', 'relay.resources', 'grafanaDashboard.labels']);

const text = { type: 'string' };
const texts = { type: 'array', items: text };
/** `32` and `false` without quotes aren't strings, and the API server rejects them. */
const textMap = { type: 'object', additionalProperties: text };
const named = { type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 1 } } };
/** For example 500m, 0.5, 256Mi or 1G. */
const quantity = {
  anyOf: [
    { type: 'number', minimum: 0 },
    { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$' },
  ],
};
const quantities = { type: 'object', additionalProperties: quantity };
const cidr = { type: 'string', pattern: '^[0-9a-fA-F.:]+/[0-9]{1,3}$' };
const address = { type: 'string', pattern: '^[^/\\s]+$' };

/** Schemas of list items. */
const itemSchemas: Readonly<Record<string, unknown>> = {
  'secrets.mounts': objectSchema({
    name: { type: 'string', pattern: '^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$' },
    secretName: { type: 'string', minLength: 1 },
    for: { type: 'array', minItems: 1, items: { enum: ['broker', 'relay'] } },
  }),
  'relay.keda.schedules': objectSchema({
    timezone: { type: 'string' },
    start: { type: 'string' },
    end: { type: 'string' },
    desiredReplicas: { type: 'integer', minimum: 1 },
  }),
  'ingress.tls': objectSchema(
    { secretName: { type: 'string' }, hosts: { type: 'array', items: { type: 'string' } } },
    ['secretName'],
  ),
  'global.imagePullSecrets': text,
  'httpRoute.parentRefs': named,
  'redis.sentinel.nodes': address,
  'redis.cluster.nodes': address,
  'redis.extraPorts': { type: 'integer', minimum: 1, maximum: 65_535 },
  'prometheusRule.disabled': text,
  'relay.keda.triggers': { type: 'object', required: ['type'], properties: { type: text } },
};

/** Schemas that are stricter than the type of the default, by the end of the path. */
const strictSchemas: readonly (readonly [pathEnd: string, schema: unknown])[] = [
  ['.image.digest', { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' }],
  ['.image.pullPolicy', { enum: ['Always', 'IfNotPresent', 'Never'] }],
  ['.service.type', { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] }],
  ['Monitor.interval', { type: 'string', pattern: '^[0-9]+(ms|s|m)$' }],
  [
    '.podDisruptionBudget.maxUnavailable',
    {
      // With 0, no node can be drained.
      anyOf: [
        { type: 'integer', minimum: 1 },
        { type: 'string', pattern: '^[1-9][0-9]*%$' },
      ],
    },
  ],
  ['ingress.controller', { enum: ['', 'nginx', 'haproxy', 'alb'] }],
  ['.service.trafficDistribution', { enum: ['', 'PreferClose', 'PreferSameZone', 'PreferSameNode'] }],
  [
    '.resources',
    objectSchema({ requests: quantities, limits: quantities, claims: { type: 'array', items: named } }, []),
  ],
  ['.autoscaling.minReplicas', { type: 'integer', minimum: 1 }],
  ['.autoscaling.targetSessionsPerPod', { type: 'integer', minimum: 1 }],
  ['.maxReplicas', { type: 'integer', minimum: 1 }],
  [
    '.keda.fallback',
    objectSchema(
      {
        failureThreshold: { type: 'integer', minimum: 1 },
        replicas: { type: 'integer', minimum: 0 },
        behavior: text,
      },
      [],
    ),
  ],
  ['.proxmoxCIDRs', { type: 'array', items: cidr }],
  ['nodeSelector', textMap],
  ['abels', textMap],
  ['nnotations', textMap],
  [
    '.tolerations',
    {
      type: 'array',
      items: objectSchema(
        {
          key: text,
          operator: { enum: ['Exists', 'Equal', 'Lt', 'Gt'] },
          value: text,
          effect: { enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
          tolerationSeconds: { type: 'integer' },
        },
        [],
      ),
    },
  ],
  ['.hostAliases', { type: 'array', items: objectSchema({ ip: text, hostnames: texts }) }],
  [
    '.dnsConfig',
    objectSchema({ nameservers: texts, searches: texts, options: { type: 'array', items: named } }, []),
  ],
  [
    '.extraEnv',
    {
      type: 'array',
      items: objectSchema({ name: text, value: text, valueFrom: { type: 'object' } }, ['name']),
    },
  ],
  ['.extraVolumes', { type: 'array', items: named }],
  [
    '.extraVolumeMounts',
    {
      type: 'array',
      items: {
        ...named,
        required: ['name', 'mountPath'],
        properties: { ...named.properties, mountPath: text },
      },
    },
  ],
  ['Containers', { type: 'array', items: named }],
  [
    'httpRoute.relayTimeouts',
    {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        ['request', 'backendRequest'].map((name) => [
          name,
          { type: 'string', pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' },
        ]),
      ),
    },
  ],
  ['prometheusRule.runbookUrl', { type: 'string', pattern: '^(https?://.+)?$' }],
  ['fullnameOverride', { type: 'string', pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$' }],
];

/** Values of other charts. The schema accepts them, so that the chart can name the right value in its error message. */
const misplacedValues = ['imagePullSecrets'];

function objectSchema(
  properties: Record<string, unknown>,
  required: readonly string[] = Object.keys(properties),
): unknown {
  return { type: 'object', additionalProperties: false, required, properties };
}

interface Value {
  readonly path: string;
  readonly description: string;
  readonly defaultText: string;
}

/** Generates values.schema.json and the table in the README from values.yaml and its comments. */
export async function generateValuesReference(): Promise<{ schema: string; readme: string }> {
  const document = parseDocument(readFileSync(`${chartFolder}values.yaml`, 'utf8'));
  const values: Value[] = [];
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...schemaOfMap(document.contents as YAMLMap, [], values),
  };
  const readme = readFileSync(`${chartFolder}README.md`, 'utf8');
  const table = [
    '| Value | Default | Description |',
    '| --- | --- | --- |',
    ...values.map(
      ({ path, defaultText, description }) => `| \`${path}\` | ${defaultText} | ${description} |`,
    ),
  ].join('\n');
  const updatedReadme = readme.replace(
    /(<!-- generated:values -->\n)[\s\S]*?(<!-- \/generated -->)/,
    (_whole, begin: string, end: string) => `${begin}\n${table}\n\n${end}`,
  );
  const style = { printWidth: 120, singleQuote: true };
  return {
    schema: await format(JSON.stringify(schema), { ...style, parser: 'json', printWidth: 110 }),
    readme: await format(updatedReadme, { ...style, parser: 'markdown', proseWrap: 'always' }),
  };
}

/** Schema of a map in values.yaml. Appends each value in it to `values`. */
function schemaOfMap(map: YAMLMap, parent: readonly string[], values: Value[]): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  for (const [index, pair] of (map.items as Pair<Scalar<string>>[]).entries()) {
    const key = pair.key.value;
    const path = [...parent, key].join('.');
    const value = pair.value as Scalar | YAMLMap;
    if (isMap(value) && value.items.length > 0 && !extensibleMaps.has(path)) {
      properties[key] = schemaOfMap(value, [...parent, key], values);
      continue;
    }
    // The parser attaches the comment above the first key of a map to the map.
    const comment = pair.key.commentBefore ?? (index === 0 ? map.commentBefore : undefined);
    if (!comment) throw new Error(`values.yaml: ${path} has no comment.`);
    const defaultValue: unknown = value.toJSON();
    const defaultText =
      defaultValue === '' || defaultValue === null ? '' : `\`${JSON.stringify(defaultValue)}\``;
    values.push({ path, description: comment.trim().replaceAll('|', '\\|'), defaultText });
    properties[key] = schemaOfValue(defaultValue, path);
  }
  if (parent.length === 0) for (const name of misplacedValues) properties[name] = {};
  // A parent chart can set global values for its other subcharts.
  const additionalProperties = parent.join() === 'global';
  return { type: 'object', additionalProperties, properties };
}

function schemaOfValue(defaultValue: unknown, path: string): unknown {
  if (path === 'config') return configJsonSchema();
  const strict = strictSchemas.find(([pathEnd]) => path.endsWith(pathEnd));
  if (strict) return strict[1];
  if (defaultValue === null) return { type: ['integer', 'null'], minimum: 0 };
  if (Array.isArray(defaultValue))
    return { type: 'array', ...(itemSchemas[path] ? { items: itemSchemas[path] } : {}) };
  if (typeof defaultValue === 'number') return { type: 'integer', minimum: 0 };
  return { type: typeof defaultValue };
}

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
const host = { type: 'string', pattern: '^(\\*\\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' };
const cidr = { type: 'string', pattern: '^[0-9a-fA-F.:]+/[0-9]{1,3}$' };
const address = { type: 'string', pattern: '^[^/\\s]+$' };

/** Schemas of list items. */
export const itemSchemas: Readonly<Record<string, unknown>> = {
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
  'global.imagePullSecrets': { anyOf: [text, objectSchema({ name: text })] },
  'httpRoute.parentRefs': named,
  'ingress.extraHosts': host,
  'httpRoute.extraHostnames': host,
  'ingress.extraPaths': objectSchema(
    {
      path: text,
      pathType: { enum: ['Exact', 'Prefix', 'ImplementationSpecific'] },
      backend: { type: 'object' },
    },
    ['pathType', 'backend'],
  ),
  'redis.sentinel.nodes': address,
  'redis.cluster.nodes': address,
  'redis.extraPorts': { type: 'integer', minimum: 1, maximum: 65_535 },
  'prometheusRule.disabled': text,
  'relay.keda.triggers': { type: 'object', required: ['type'], properties: { type: text } },
};

/** Values that become settings as they are, with the paths of these settings. */
export const settingsOfValues: Readonly<Record<string, readonly string[]>> = Object.fromEntries([
  ...['bucket', 'endpoint', 'region', 'prefix'].map((name) => [
    `recordings.s3.${name}`,
    ['recordings', 'storage', 's3', name],
  ]),
  ...['diskMiB', 'memoryMiB', 'flushSeconds', 'chunkSeconds', 'drainSeconds'].map((name) => [
    `recordings.spool.${name}`,
    ['recordings', 'spool', name],
  ]),
]) as Record<string, readonly string[]>;

/** Schemas that are stricter than the type of the default, by the end of the path. */
export const strictSchemas: readonly (readonly [pathEnd: string, schema: unknown])[] = [
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
  ['recordings.persistence.accessMode', { enum: ['ReadWriteMany', 'ReadWriteOnce'] }],
  ['.persistence.size', quantity],
  ['recordings.s3.egressTo', { type: 'array', items: { type: 'object' } }],
  ['ingress.controller', { enum: ['', 'nginx', 'haproxy', 'alb'] }],
  ['.service.trafficDistribution', { enum: ['', 'PreferClose', 'PreferSameZone', 'PreferSameNode'] }],
  [
    '.resources',
    objectSchema({ requests: quantities, limits: quantities, claims: { type: 'array', items: named } }, []),
  ],
  ['.autoscaling.minReplicas', { type: 'integer', minimum: 1 }],
  ['.service.port', { type: 'integer', minimum: 1, maximum: 65_535 }],
  ['.service.nodePort', { type: ['integer', 'null'], minimum: 1, maximum: 65_535 }],
  ['.service.externalTrafficPolicy', { enum: ['', 'Cluster', 'Local'] }],
  ['.service.ipFamilyPolicy', { enum: ['', 'SingleStack', 'PreferDualStack', 'RequireDualStack'] }],
  ['.service.ipFamilies', { type: 'array', items: { enum: ['IPv4', 'IPv6'] } }],
  ['.service.loadBalancerSourceRanges', { type: 'array', items: cidr }],
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

function objectSchema(
  properties: Record<string, unknown>,
  required: readonly string[] = Object.keys(properties),
): unknown {
  return { type: 'object', additionalProperties: false, required, properties };
}

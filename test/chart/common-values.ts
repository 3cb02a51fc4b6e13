/** JSON Schema of a map. */
export interface MapSchema {
  readonly type: string;
  readonly properties: Readonly<Record<string, MapSchema>>;
}

/** Values in `common` that concern every pod, also the one of Valkey. */
const podValues = [
  'podSecurityContext',
  'containerSecurityContext',
  'extraPodSpec',
  'podAnnotations',
  'podLabels',
  'nodeSelector',
  'tolerations',
  'affinity',
  'priorityClassName',
  'dnsConfig',
  'hostAliases',
];

/** Accepts the values in `common` under each component, too. */
export function withCommonValues(schema: MapSchema): MapSchema {
  const { common, broker, relay, redis } = schema.properties;
  const valkey = redis?.properties['valkey'];
  if (!common || !broker || !relay || !redis || !valkey)
    throw new Error('values.yaml: a section is missing.');
  const ofPods = Object.entries(common.properties).filter(([name]) => podValues.includes(name));
  const { pullPolicy = common } = common.properties['image']?.properties ?? {};
  const forValkey = {
    ...common,
    properties: { ...Object.fromEntries(ofPods), image: mapOf({ pullPolicy }) },
  };
  return {
    ...schema,
    properties: {
      ...schema.properties,
      redis: { ...redis, properties: { ...redis.properties, valkey: mergeMaps(forValkey, valkey) } },
      broker: mergeMaps(common, broker),
      relay: mergeMaps(common, relay),
    },
  };
}

const mapOf = (properties: MapSchema['properties']): MapSchema => ({ type: 'object', properties });

function mergeMaps(one: MapSchema, other: MapSchema): MapSchema {
  const properties = { ...one.properties };
  for (const [name, inner] of Object.entries(other.properties)) {
    const known = properties[name];
    properties[name] = known?.properties && inner.properties ? mergeMaps(known, inner) : inner;
  }
  return { ...one, ...other, properties };
}

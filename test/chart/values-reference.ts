import { readFileSync } from 'node:fs';
import { format } from 'prettier';
import { isMap, parseDocument, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { chartFolder } from './chart-folder.ts';
import { withCommonValues, type MapSchema } from './common-values.ts';
import { configJsonSchema, settingJsonSchema } from './config-schema.ts';
import { itemSchemas, settingsOfValues, strictSchemas } from './value-schemas.ts';

/** Maps with default entries that users can extend with entries of their own. */
const extensibleMaps = new Set([
  'broker.resources',
  'relay.resources',
  'redis.valkey.resources',
  'tests.resources',
  'grafanaDashboard.labels',
]);

/** Values of other charts. The schema accepts them, so that the chart can name the right value in its error message. */
const misplacedValues = ['imagePullSecrets'];

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
    ...withCommonValues(schemaOfMap(document.contents as YAMLMap, [], values) as unknown as MapSchema),
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
  const setting = settingsOfValues[path];
  if (setting) return settingJsonSchema(setting);
  if (defaultValue === null) return { type: ['integer', 'null'], minimum: 0 };
  if (Array.isArray(defaultValue))
    return { type: 'array', ...(itemSchemas[path] ? { items: itemSchemas[path] } : {}) };
  if (typeof defaultValue === 'number') return { type: 'integer', minimum: 0 };
  return { type: typeof defaultValue };
}

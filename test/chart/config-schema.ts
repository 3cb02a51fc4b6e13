import { secret } from '@porthole/shared/config/fields';
import { configSchema } from '@porthole/shared/config/schema';
import { z } from 'zod';

interface JsonSchema {
  type?: string;
  pattern?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  [keyword: string]: unknown;
}

/** Settings that the chart sets. The schema accepts them, so that the chart can name the value to use instead. */
const setByChart = [
  'redis',
  'recordings',
  'grantKeys',
  'grantKeysFile',
  'listen',
  'operationsListen',
  'instance',
];

/** Settings into which a secret is easily pasted. Helm would quote an invalid value, so the chart checks these itself. */
const unquoted = new Set(['token', 'username']);

/**
 * The program's own schema of its settings as JSON Schema, for the value `config`. It covers names, types and ranges. The
 * chart and the program report settings that are invalid only together.
 */
export function configJsonSchema(): Record<string, unknown> {
  const properties = settingsOfProgram();
  for (const name of setByChart) properties[name] = {};
  // Without `required`: the chart lists all missing values in one message.
  return { type: 'object', additionalProperties: false, properties };
}

/** The program's own schema of one setting, for a value that becomes this setting. An empty text leaves the setting out. */
export function settingJsonSchema(path: readonly string[]): Record<string, unknown> {
  let schema: JsonSchema = { properties: settingsOfProgram() };
  for (const name of path) schema = schema.properties?.[name] ?? {};
  if (schema.type === undefined) throw new Error(`The program has no setting ${path.join('.')}.`);
  return schema.pattern === undefined ? schema : { ...schema, pattern: `^$|${schema.pattern}` };
}

function settingsOfProgram(): Record<string, JsonSchema> {
  const { properties = {} } = z.toJSONSchema(configSchema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => adapt(zodSchema, jsonSchema as JsonSchema),
  }) as JsonSchema;
  return properties;
}

/** Zod calls this for every schema inside, once more for each layer of checks. */
function adapt(source: z.core.$ZodType, schema: JsonSchema): void {
  // Zod's patterns for addresses fill the screen in an error message.
  if (/^(ip|cidr)v[46]$/.test(String(schema['format']))) schema.pattern = '^[0-9a-fA-F.:]+(/[0-9]{1,3})?$';
  for (const keyword of ['default', 'readOnly', 'format']) delete schema[keyword];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (schema.type === 'integer' && schema['exclusiveMinimum'] === 0) {
    delete schema['exclusiveMinimum'];
    schema['minimum'] = 1;
  }
  const { protocol, shape = {} } = (source as z.ZodType).def as {
    protocol?: RegExp;
    shape?: Readonly<Record<string, z.core.$ZodType>>;
  };
  if (protocol) schema.pattern ??= `${protocol.source.replace(/\$$/, '')}://[^/]`;
  if (isSecret(source)) schema.type = 'string';
  for (const [name, field] of Object.entries(shape)) {
    if (!schema.properties) break;
    if (unquoted.has(name)) schema.properties[name] = { type: 'string' };
    if (isSecret(field) && !name.endsWith('File')) schema.properties[`${name}File`] = { type: 'string' };
  }
  // A cluster can have one credential for each service instead, and a secret can be in a file.
  schema.required &&= schema.required.filter((name) => name !== 'credential' && !isSecret(shape[name]));
}

function isSecret(field: z.core.$ZodType | undefined): boolean {
  if (!field) return false;
  const { innerType = field } = (field as z.ZodType).def as { innerType?: z.core.$ZodType };
  return (innerType as unknown) === secret;
}

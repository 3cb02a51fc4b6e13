import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { describeWith } from '../needs.ts';
import { exampleNames, readExample } from './installations.ts';
import { tryRender, valueSets, valuesOf } from './render.ts';
import { chart } from './values.ts';

const folder = fileURLToPath(new URL('refused/', import.meta.url));
const refused = readdirSync(folder);

/** What can not be meant, each with a first line that says what helm must say. */
function readRefused(name: string): { words: string; values: object } {
  const text = readFileSync(`${folder}${name}`, 'utf8');
  return { words: /^# (.+)$/m.exec(text)?.[1] ?? 'no words', values: parse(text) as object };
}

describe('the schema of the values', () => {
  const schema = JSON.parse(readFileSync(`${chart}values.schema.json`, 'utf8')) as object;
  const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true });

  test('is one, of draft-07', () => {
    expect(schema).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#' });
    expect(ajv.validateSchema(schema)).toBe(true);
  });

  test.each([...valueSets.map(valuesOf), parse(readFileSync(`${chart}values.yaml`, 'utf8')) as object])(
    'takes the values that we ship (%#)',
    (values) => {
      const valid = ajv.validate(schema, values);
      expect(ajv.errors ?? []).toEqual([]);
      expect(valid).toBe(true);
    },
  );

  test.each(exampleNames.filter((name) => !['argo-cd', 'prometheus-adapter'].includes(name)))(
    'takes k8s/examples/%s.yaml',
    (name) => {
      ajv.validate(schema, readExample(name));
      expect(ajv.errors ?? []).toEqual([]);
    },
  );

  test('knows every value, so that a slip of the pen is found', () => {
    const open: string[] = [];
    const walk = (part: Record<string, unknown>, path: string) => {
      const properties = part['properties'] as Record<string, Record<string, unknown>> | undefined;
      if (!properties) return;
      if (part['additionalProperties'] !== false) open.push(path);
      for (const [name, inner] of Object.entries(properties)) walk(inner, `${path}.${name}`);
    };
    walk(schema as Record<string, unknown>, '');
    // Other charts have values there, too.
    expect(open).toEqual(['.global']);
  });
});

describeWith('helm')('helm', () => {
  test('says all that is missing in one message', () => {
    const { error } = tryRender(undefined);
    for (const name of ['config.publicUrl', 'config.clusters', 'secrets.existingSecret', 'redis.url'])
      expect(error).toContain(`- ${name}`);
  });

  test.each(refused)('refuses %s, and says why', (name) => {
    const { words, values } = readRefused(name);
    expect(tryRender('school', values).error.replaceAll(/\s+/g, ' ')).toContain(words);
  });
});

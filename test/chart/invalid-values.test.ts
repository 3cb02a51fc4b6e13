import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { describeWith } from '../needs.ts';
import { chartFolder } from './chart-folder.ts';
import { exampleNames, readExample } from './installations.ts';
import { readValues, runHelmTemplate, valuesFiles } from './render.ts';

const invalidValuesFolder = fileURLToPath(new URL('invalid-values/', import.meta.url));

/** Values that Helm must reject. The first line of each file is the expected error message. */
function readInvalidValues(file: string): { message: string; values: object } {
  const text = readFileSync(`${invalidValuesFolder}${file}`, 'utf8');
  return { message: /^# (.+)$/m.exec(text)?.[1] ?? 'no message', values: parse(text) as object };
}

describe('values.schema.json', () => {
  const schema = JSON.parse(readFileSync(`${chartFolder}values.schema.json`, 'utf8')) as object;
  const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true });

  test('is a valid draft-07 schema', () => {
    expect(schema).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#' });
    expect(ajv.validateSchema(schema)).toBe(true);
  });

  test('accepts values.yaml', () => {
    ajv.validate(schema, parse(readFileSync(`${chartFolder}values.yaml`, 'utf8')));
    expect(ajv.errors ?? []).toEqual([]);
  });

  test.each(valuesFiles)('accepts ci/%s-values.yaml', (file) => {
    ajv.validate(schema, readValues(file));
    expect(ajv.errors ?? []).toEqual([]);
  });

  test.each(exampleNames)('accepts k8s/examples/%s.yaml', (name) => {
    ajv.validate(schema, readExample(name));
    expect(ajv.errors ?? []).toEqual([]);
  });

  test('rejects unknown values at every level, except under global', () => {
    const open: string[] = [];
    const walk = (part: Record<string, unknown>, path: string) => {
      const properties = part['properties'] as Record<string, Record<string, unknown>> | undefined;
      if (!properties) return;
      if (part['additionalProperties'] !== false) open.push(path);
      for (const [name, inner] of Object.entries(properties)) walk(inner, `${path}.${name}`);
    };
    walk(schema as Record<string, unknown>, '');
    // A parent chart can set global values for its other subcharts.
    expect(open).toEqual(['.global']);
  });
});

describeWith('helm')('helm template', () => {
  test('lists all missing values in one error message', () => {
    const { error } = runHelmTemplate(undefined);
    expect(error).toContain('Invalid values:');
    for (const name of [
      'config.publicUrl',
      'config.clusters',
      'config.signIn',
      'secrets.existingSecret',
      'redis.url',
    ])
      expect(error).toContain(`- ${name}: required.`);
  });

  test.each(readdirSync(invalidValuesFolder))(
    'rejects invalid-values/%s with the expected message',
    (file) => {
      const { message, values } = readInvalidValues(file);
      const { error } = runHelmTemplate('production', values);
      expect(error.replaceAll(/\s+/g, ' ')).toContain(message);
      expect(error).not.toContain('hunter2');
    },
  );

  // `helm lint` ignores what templates reject, so that only the schema counts.
  test.each(['unknown-setting-in-config', 'unknown-limit', 'memory-in-gb'])(
    'and helm lint reject invalid-values/%s.yaml',
    (name) => {
      const { message } = readInvalidValues(`${name}.yaml`);
      const files = [`${chartFolder}ci/production-values.yaml`, `${invalidValuesFolder}${name}.yaml`];
      const run = spawnSync('helm', ['lint', chartFolder, ...files.flatMap((file) => ['-f', file])], {
        encoding: 'utf8',
      });
      expect(run.status).toBe(1);
      expect(run.stdout + run.stderr).toContain(message);
    },
  );
});

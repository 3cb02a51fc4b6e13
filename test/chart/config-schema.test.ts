import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { configJsonSchema } from './config-schema.ts';

type Settings = Record<string, unknown>;

describe('the schema of the value config', () => {
  const validate = new Ajv({ strict: true, strictTypes: false }).compile(configJsonSchema());
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  /** Shows every setting that has no alternative. */
  const example = parse(/## Example[\s\S]*?```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '') as Settings;

  /** Maps whose keys are names that users choose. */
  const freeMaps = [/\.nodes$/, /\.claims$/];
  /** Settings that the chart sets and explains itself. */
  const setByChart = [/^\.redis/, /^\.recordings/];

  function mapsIn(value: unknown, path: string): { path: string; map: Settings }[] {
    if (typeof value !== 'object' || value === null) return [];
    const inside = Object.entries(value).flatMap(([key, inner]) => mapsIn(inner, `${path}.${key}`));
    return Array.isArray(value) ? inside : [{ path, map: value as Settings }, ...inside];
  }

  test('accepts the example of docs/configuration.md', () => {
    validate(example);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('rejects an unknown setting at every level', () => {
    const accepted: string[] = [];
    const checked = mapsIn(example, '').filter(
      ({ path }) => ![...freeMaps, ...setByChart].some((pattern) => pattern.test(path)),
    );
    expect(checked.length).toBeGreaterThan(25);
    for (const { path, map } of checked) {
      map['misspelt'] = true;
      if (validate(example)) accepted.push(path);
      delete map['misspelt'];
    }
    expect(accepted).toEqual([]);
  });

  test('has no pattern for settings into which a secret is easily pasted, because Helm would quote them', () => {
    const secrets = { token: 'a@pve!b=secret', secret: 's', username: 'a b', password: 'p' };
    expect(validate({ clusters: [{ urls: 'https://a', credential: secrets }] })).toBe(true);
  });
});

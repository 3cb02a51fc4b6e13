import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { describeWith } from '../needs.ts';
import { toYaml } from '../to-yaml.ts';
import { exampleNames, exampleValues } from './installations.ts';
import { runHelmTemplate, valuesFiles } from './render.ts';

/** Kubernetes, Helm and Prometheus read YAML 1.1; this repository's tests and the services read YAML 1.2. */
const root = fileURLToPath(new URL('../../', import.meta.url));

function readAs(version: '1.1' | '1.2', text: string): readonly unknown[] {
  return parseAllDocuments(text, { version, merge: true }).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as unknown;
  });
}

function expectSameInBothVersions(text: string): void {
  expect(readAs('1.1', text)).toEqual(readAs('1.2', text));
}

const checkedInFiles = ['k8s', 'helm/porthole'].flatMap((folder) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('templates/'))
    .map((name) => `${folder}/${name}`),
);

test.each(checkedInFiles)('YAML 1.1 and 1.2 parsers read %s alike', (file) => {
  expectSameInBothVersions(readFileSync(`${root}${file}`, 'utf8'));
});

test('every folder with YAML files is covered', () => {
  for (const folder of ['k8s/examples', 'k8s/monitoring', 'k8s/quickstart', 'helm/porthole/ci'])
    expect(checkedInFiles.some((file) => file.startsWith(`${folder}/`))).toBe(true);
});

test('toYaml quotes strings that a YAML 1.1 parser reads as another type', () => {
  const value = {
    strings: ['no', 'y', 'off', 'Yes', '1:30', '017', '0o17', '0b1', '1_000', '2001-01-01', '~', '<<'],
    on: ['a string', "it's", 'no\nsecond line', '', ' ', '#'],
  };
  const text = toYaml(value);
  expect(readAs('1.1', text)).toEqual([value]);
  expect(readAs('1.2', text)).toEqual([value]);
});

describeWith('helm')('manifests that Helm renders', () => {
  test.each(valuesFiles)('are read alike with ci/%s-values.yaml', (file) => {
    expectSameInBothVersions(runHelmTemplate(file).text);
  });

  test.each(exampleNames)('are read alike with k8s/examples/%s.yaml', (name) => {
    expectSameInBothVersions(runHelmTemplate('production', exampleValues(name)).text);
  });

  test('are read alike with values that YAML 1.1 parsers read as booleans', () => {
    const credential = { username: 'no@pve', passwordFile: '/etc/porthole/secrets/broker/password' };
    const relayCredential = { ...credential, passwordFile: '/etc/porthole/secrets/relay/password' };
    const { text, error } = runHelmTemplate('production', {
      commonLabels: { on: 'no' },
      config: { clusters: [{ name: 'no', urls: ['https://a:8006'], credential, relayCredential }] },
      broker: { extraEnv: [{ name: 'VERBOSE', value: 'off' }], podAnnotations: { y: 'yes' } },
    });
    expect(error).toBe('');
    expectSameInBothVersions(text);
  });
});

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { toYaml } from '../to-yaml.ts';
import { chartFolder } from './chart-folder.ts';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // The other fields depend on the kind.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly [field: string]: any;
}

const suffix = '-values.yaml';

/** Names of the values files in ci/, without the suffix. */
export const valuesFiles: readonly string[] = readdirSync(`${chartFolder}ci`).map((name) =>
  name.replace(suffix, ''),
);

const pathOf = (valuesFile: string) => `${chartFolder}ci/${valuesFile}${suffix}`;

export function readValues(valuesFile: string): Record<string, unknown> {
  return parse(readFileSync(pathOf(valuesFile), 'utf8')) as Record<string, unknown>;
}

/** Runs `helm template` with a file in ci/ and additional values. Returns the manifests as text, or Helm's error. */
export function runHelmTemplate(
  valuesFile: string | undefined,
  values: object = {},
  release = 'porthole',
): { text: string; error: string } {
  const options = ['--namespace', 'consoles', '--kube-version', '1.34.0'];
  const files = valuesFile === undefined ? [] : ['-f', pathOf(valuesFile)];
  const run = spawnSync('helm', ['template', release, chartFolder, ...options, ...files, '-f', '-'], {
    input: toYaml(values),
    encoding: 'utf8',
  });
  return run.status === 0 ? { text: run.stdout, error: '' } : { text: '', error: run.stderr };
}

/** Renders the chart with a file in ci/ and additional values. */
export function render(
  valuesFile: string | undefined,
  values: object = {},
  release = 'porthole',
): readonly Manifest[] {
  const { text, error } = runHelmTemplate(valuesFile, values, release);
  if (error !== '') throw new Error(error);
  return parseManifests(text);
}

export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

export function findManifest(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (!found) throw new Error(`There is no ${kind} ${name}.`);
  return found;
}

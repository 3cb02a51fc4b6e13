import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { chart } from './values.ts';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // What tests look into differs from kind to kind.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly [part: string]: any;
}

export const valueSets: readonly string[] = readdirSync(`${chart}ci`).map((name) =>
  name.replace('.yaml', ''),
);

export function valuesOf(set: string): Record<string, unknown> {
  return parse(readFileSync(`${chart}ci/${set}.yaml`, 'utf8')) as Record<string, unknown>;
}

/** Runs helm with these values after those of a set. What went wrong is in `error`. */
export function tryRender(
  set: string | undefined,
  values: object = {},
  release = 'porthole',
): { objects: readonly Manifest[]; error: string } {
  const files = set === undefined ? [] : ['-f', `${chart}ci/${set}.yaml`];
  const run = spawnSync(
    'helm',
    ['template', release, chart, '--namespace', 'consoles', '--kube-version', '1.34.0', ...files, '-f', '-'],
    { input: stringify(values), encoding: 'utf8' },
  );
  if (run.status !== 0) return { objects: [], error: run.stderr };
  const objects = parseAllDocuments(run.stdout)
    .map((document) => document.toJS() as Manifest | null)
    .filter((object) => object !== null);
  return { objects, error: '' };
}

export function render(
  set: string | undefined,
  values: object = {},
  release = 'porthole',
): readonly Manifest[] {
  const { objects, error } = tryRender(set, values, release);
  if (error !== '') throw new Error(error);
  return objects;
}

export function find(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`There is no ${kind} ${name}.`);
  return found;
}

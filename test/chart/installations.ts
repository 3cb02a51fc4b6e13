import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { render, valueSets, type Manifest } from './render.ts';

export const examples = fileURLToPath(new URL('../../k8s/examples/', import.meta.url));

/** Files there that are not values of our chart. */
const foreign = ['argo-cd', 'prometheus-adapter'];

export const exampleNames = readdirSync(examples)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.replace('.yaml', ''));

export function readExample(name: string): Record<string, unknown> {
  return parse(readFileSync(`${examples}${name}.yaml`, 'utf8')) as Record<string, unknown>;
}

export interface Installation {
  readonly name: string;
  objects(): readonly Manifest[];
}

/** Every way to install that we show: the value sets, each example behind one of them, and Argo CD's. */
export const installations: readonly Installation[] = [
  ...valueSets.map((set) => once(`ci/${set}.yaml`, () => render(set))),
  ...exampleNames
    .filter((name) => !foreign.includes(name))
    .map((name) => once(`examples/${name}.yaml`, () => render('school', readExample(name)))),
  once('examples/argo-cd.yaml', () => render(undefined, argoValues())),
];

function argoValues(): object {
  const application = readExample('argo-cd') as { spec: { source: { helm: { valuesObject: object } } } };
  return application.spec.source.helm.valuesObject;
}

/** Rendering takes a process: once is enough. */
function once(name: string, make: () => readonly Manifest[]): Installation {
  let made: readonly Manifest[] | undefined;
  return { name, objects: () => (made ??= make()) };
}

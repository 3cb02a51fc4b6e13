import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { render, valuesFiles, type Manifest } from './render.ts';

const examplesFolder = fileURLToPath(new URL('../../k8s/examples/', import.meta.url));

/** Examples that aren't values files of this chart. */
const otherExamples = ['argo-cd', 'prometheus-adapter'];

/** Names of the values files in k8s/examples, without the suffix. */
export const exampleNames = readdirSync(examplesFolder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.replace('.yaml', ''))
  .filter((name) => !otherExamples.includes(name));

export function readExample(name: string): Record<string, unknown> {
  return parse(readFileSync(`${examplesFolder}${name}.yaml`, 'utf8')) as Record<string, unknown>;
}

/** An example on top of ci/production-values.yaml. */
export function exampleValues(name: string): Record<string, unknown> {
  const example = readExample(name);
  return 'ingress' in example ? { httpRoute: { enabled: false }, ...example } : example;
}

export interface Installation {
  readonly name: string;
  manifests(): readonly Manifest[];
}

/** Every documented installation: the values files in ci/, the examples on top of ci/production-values.yaml, and Argo CD. */
export const installations: readonly Installation[] = [
  ...valuesFiles.map((file) => renderOnce(`ci/${file}-values.yaml`, () => render(file))),
  ...exampleNames.map((name) =>
    renderOnce(`examples/${name}.yaml`, () => render('production', exampleValues(name))),
  ),
  renderOnce('examples/argo-cd.yaml', () => render(undefined, argoCdValues())),
];

function argoCdValues(): object {
  const application = readExample('argo-cd') as { spec: { source: { helm: { valuesObject: object } } } };
  return application.spec.source.helm.valuesObject;
}

/** Several tests use the same installation, and rendering it starts a process. */
function renderOnce(name: string, renderManifests: () => readonly Manifest[]): Installation {
  let manifests: readonly Manifest[] | undefined;
  return { name, manifests: () => (manifests ??= renderManifests()) };
}

import { findManifest, type Manifest } from './render.ts';

/** The text of a component's configuration, as its pods get it: Kubernetes reads `$$` as `$` in variables. */
export function configOf(manifests: readonly Manifest[], component: string): string {
  const { spec } = findManifest(manifests, 'Deployment', `porthole-${component}`)['spec'].template;
  const variables = spec.containers[0].env as readonly { name: string; value?: string }[];
  const text = variables.find(({ name }) => name === 'PORTHOLE_CONFIG_YAML')?.value;
  if (text === undefined) throw new Error(`The ${component} has no configuration.`);
  return text.replaceAll('$$', '$');
}

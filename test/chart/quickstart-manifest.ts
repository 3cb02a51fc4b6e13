import { fileURLToPath } from 'node:url';
import { toYaml } from '../to-yaml.ts';
import { render } from './render.ts';

export const quickstartFile = fileURLToPath(new URL('../../k8s/quickstart/porthole.yaml', import.meta.url));

/** The manifests of ci/evaluation-values.yaml, for installations without Helm. */
export function renderQuickstart(): string {
  const manifests = render('evaluation', {
    // Generated keys would differ at every run.
    secrets: { generate: false, existingSecret: 'porthole-keys' },
    redis: { valkey: { existingSecret: 'porthole-valkey' } },
    tests: { enabled: false },
  });
  const header =
    '# Generated from helm/porthole/ci/evaluation-values.yaml by `npm run k8s:render`. Replace the host names and addresses.\n';
  return header + manifests.map(toYaml).join('---\n');
}

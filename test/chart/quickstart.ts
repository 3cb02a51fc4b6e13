import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { render } from './render.ts';

export const quickstartFile = fileURLToPath(new URL('../../k8s/quickstart/porthole.yaml', import.meta.url));

/** The trial's manifests for who has no helm. Keys made at random would differ each time, so a Secret is named. */
export function renderQuickstart(): string {
  const objects = render('trial', {
    secrets: { generate: false, existingSecret: 'porthole-keys' },
    tests: { enabled: false },
  });
  const head =
    '# Made by `npm run k8s:render` of helm/porthole/ci/trial.yaml. Put in your own names and addresses.\n';
  return head + objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n');
}

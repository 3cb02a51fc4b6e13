import { describeWith } from '../needs.ts';
import { installations } from './installations.ts';
import { unknownFields } from './unknown-fields.ts';

/** Plural resource names that aren't the lowercase kind plus "s". */
const irregularPlurals: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  Ingress: 'ingresses',
};

describeWith('helm', 'kubernetes')('a real API server', () => {
  test.each(installations)('accepts all manifests of $name', async ({ manifests }) => {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    config.loadFromDefault();
    const server = config.getCurrentCluster()?.server ?? '';
    const send = async (path: string, body: object) => {
      const { default: https } = await import('node:https');
      const options: import('node:https').RequestOptions = { method: 'POST' };
      await config.applyToHTTPSOptions(options);
      return new Promise<string>((resolve, reject) => {
        const request = https.request(
          `${server}${path}`,
          { ...options, headers: { ...(options.headers as object), 'content-type': 'application/json' } },
          (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (part: string) => (text += part));
            response.on('end', () => resolve(`${response.statusCode} ${text}`));
          },
        );
        request.on('error', reject).end(JSON.stringify(body));
      });
    };
    await send('/api/v1/namespaces', { metadata: { name: 'consoles' } });
    // A controller manager, if one runs, creates the account that pods need.
    await send('/api/v1/namespaces/consoles/serviceaccounts', { metadata: { name: 'default' } });
    const rejected: string[] = [];
    for (const manifest of manifests()) {
      if (unknownFields(manifest) === undefined) continue;
      const base = manifest.apiVersion === 'v1' ? '/api/v1' : `/apis/${manifest.apiVersion}`;
      const scope = manifest.kind.startsWith('Cluster') ? '' : '/namespaces/consoles';
      const resource = irregularPlurals[manifest.kind] ?? `${manifest.kind.toLowerCase()}s`;
      const answer = await send(`${base}${scope}/${resource}?dryRun=All&fieldValidation=Strict`, manifest);
      if (!answer.startsWith('201')) rejected.push(`${manifest.kind} ${manifest.metadata.name}: ${answer}`);
    }
    expect(rejected).toEqual([]);
  });
});

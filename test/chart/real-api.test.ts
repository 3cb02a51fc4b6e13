import { describeWith } from '../needs.ts';
import { installations } from './installations.ts';
import { unknownFields } from './unknown-fields.ts';

/** Needs the names of the API's resources, and the chart has no others. */
const resources: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  Ingress: 'ingresses',
};

describeWith('helm', 'kubernetes')('a real API server', () => {
  test.each(installations)('accepts all objects of $name', async ({ objects }) => {
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
    const refused: string[] = [];
    for (const object of objects()) {
      if (unknownFields(object) === undefined) continue;
      const base = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`;
      const scope = object.kind.startsWith('Cluster') ? '' : '/namespaces/consoles';
      const resource = resources[object.kind] ?? `${object.kind.toLowerCase()}s`;
      const answer = await send(`${base}${scope}/${resource}?dryRun=All&fieldValidation=Strict`, object);
      if (!answer.startsWith('201')) refused.push(`${object.kind} ${object.metadata.name}: ${answer}`);
    }
    expect(refused).toEqual([]);
  });
});

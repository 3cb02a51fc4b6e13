import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LookupServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Answers what Helm's template function `lookup` requests for Deployments, like kube-apiserver. */
export async function startLookupServer(deployments: readonly object[]): Promise<LookupServer> {
  const objects = deployments as readonly { metadata: { name: string; namespace: string } }[];
  const server = createServer((request, response) => {
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/apis/apps/v1') {
      const deployment = { name: 'deployments', namespaced: true, kind: 'Deployment', verbs: ['get'] };
      answer(200, { kind: 'APIResourceList', groupVersion: 'apps/v1', resources: [deployment] });
      return;
    }
    const found = objects.find(
      ({ metadata: { name, namespace } }) =>
        pathname === `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
    );
    if (found) answer(200, { apiVersion: 'apps/v1', kind: 'Deployment', ...found });
    else answer(404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

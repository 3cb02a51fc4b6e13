import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';
import type { LifecycleComponent } from '../process/lifecycle.ts';
import { boundAddress, close, listen, type Address } from './listen.ts';

/** Lists the reasons why a service is not ready. Empty if it is ready. */
export type Readiness = () => Promise<readonly string[]>;

/** Probes and Prometheus keep a few; the NetworkPolicy lets no others in. */
const maxConnections = 256;

/** Serves `/metrics`, `/livez` and `/readyz` on a port of its own, so that an ingress cannot expose them. */
export function createOperationsServer(deps: {
  readonly listen: Address;
  readonly registry: Registry;
  readonly readiness: Readiness;
  /** Problems that do not make the service unready. `/readyz` shows them. */
  readonly warnings?: () => readonly string[];
}): LifecycleComponent & { address(): Address } {
  const server: Server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    };
    const path = (request.url ?? '/').split('?', 1)[0];
    if (request.method !== 'GET' && request.method !== 'HEAD')
      answer(405, 'text/plain', 'method not allowed\n');
    else if (path === '/livez') answer(200, 'text/plain', 'ok\n');
    else if (path === '/readyz') {
      void deps.readiness().then(
        (reasons) => {
          const warnings = deps.warnings?.().map((warning) => `${warning}\n`) ?? [];
          if (reasons.length === 0) answer(200, 'text/plain', `ok\n${warnings.join('')}`);
          else answer(503, 'text/plain', `${reasons.join('\n')}\n`);
        },
        () => answer(503, 'text/plain', 'readiness check failed\n'),
      );
    } else if (path === '/metrics') {
      void deps.registry.metrics().then(
        (text) => answer(200, deps.registry.contentType, text),
        () => answer(500, 'text/plain', 'metrics failed\n'),
      );
    } else answer(404, 'text/plain', 'not found\n');
  });
  server.headersTimeout = 5000;
  server.maxConnections = maxConnections;
  return {
    name: 'operations server',
    start: () => listen(server, deps.listen, 'operationsListen'),
    stop: () => close(server),
    address: () => boundAddress(server),
  };
}

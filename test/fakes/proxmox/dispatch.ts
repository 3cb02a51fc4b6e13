import { ApiError, dataAnswer, emptyAnswer, errorAnswer, type Answer } from './answers.ts';
import { authenticate, carriesToken } from './authenticate.ts';
import type { Cluster, ClusterNode } from './cluster.ts';
import type { Fault } from './faults.ts';
import type { Outcome } from './http-connection.ts';
import type { HttpRequest } from './http-requests.ts';
import type { Worker } from './node-server.ts';
import { percentDecode, readParameters, verifyParameters, type Parameters } from './parameters.ts';
import { fill, schemaOf, type Route } from './route.ts';
import { refuseUpgrade, upgradeToConsole } from './upgrade.ts';

const prefix = '/api2/json';

export type Dispatch = (request: HttpRequest, node: ClusterNode, worker: Worker) => Promise<Outcome>;

/**
 * Processes a request in the order of pveproxy: authentication, route, duplicate parameters, whether tokens are
 * allowed, permission, proxying to the node in the path, parameter check, the call itself, upgrade.
 */
export function createDispatch(cluster: Cluster, routes: readonly Route[]): Dispatch {
  const { clock, settings } = cluster;

  const record = (node: ClusterNode, { method, path }: HttpRequest, user: string | null, status: number) =>
    void cluster.calls.push({ node: node.name, method, path, status, user });

  return async (request, node, worker) => {
    const startedAt = clock.now();
    let user: string | null = null;

    const finish = async (answer: Answer): Promise<Outcome> => {
      // pvedaemon delays each 401, to slow down guessing.
      if (answer.status === 401) await cluster.sleep(startedAt + settings.unauthorizedDelayMs - clock.now());
      record(node, request, user, answer.status);
      return answer;
    };

    try {
      const apiPath = request.path.startsWith(prefix) ? request.path.slice(prefix.length) : '';
      const matched = match(routes, request.method, apiPath);
      if (!matched?.route.anonymous) {
        const who = authenticate(cluster, request);
        if ('refused' in who) return await finish(emptyAnswer(401, who.refused));
        user = who.user;
      }
      if (!matched)
        throw new ApiError(501, `Method '${request.method} ${apiPath || request.path}' not implemented`);
      const { route } = matched;

      const fault = cluster.faults.take(`${request.method} ${apiPath}`);
      if (fault && 'noAnswer' in fault) {
        record(node, request, user, 0);
        return 'silence';
      }
      if (fault) return await finish(faultAnswer(fault));

      const parameters: Parameters = { ...readParameters(request), ...matched.variables };
      if (route.refusesTokens && carriesToken(request)) throw new ApiError(403, 'Permission check failed');
      if (route.permission && user !== null) {
        const { privilege } = route.permission;
        const path = fill(route.permission.path, parameters);
        if (!cluster.permissions.has(user, path, privilege)) {
          throw new ApiError(403, `Permission check failed (${path}, ${privilege})`);
        }
      }
      if (route.proxied) await handOver(cluster, node, parameters['node'] ?? '');
      verifyParameters(parameters, schemaOf(route));
      const data = await route.run({ cluster, receiver: node, user: user ?? '', parameters });

      if (request.headers.has('upgrade') && route.path.endsWith('websocket')) {
        const refusal = refuseUpgrade(request);
        if (refusal) return await finish(refusal);
        const port = Number(parameters['port']);
        const outcome = upgradeToConsole({ cluster, node, worker, request, port });
        record(node, request, user, outcome === 'silence' ? 0 : 101);
        return outcome;
      }
      return await finish(dataAnswer(data));
    } catch (error) {
      if (error instanceof ApiError) return finish(errorAnswer(error));
      // An uncoded `die` of the API is a 500 with its text.
      return finish(errorAnswer(new ApiError(500, error instanceof Error ? error.message : String(error))));
    }
  };
}

function match(routes: readonly Route[], method: string, path: string) {
  const parts = path.split('/');
  for (const route of routes) {
    const pattern = route.path.split('/');
    if (route.method !== method || pattern.length !== parts.length) continue;
    const variables: Record<string, string> = {};
    const fits = pattern.every((expected, index) => {
      const part = parts[index] ?? '';
      const name = /^\{(\w+)\}$/.exec(expected)?.[1];
      if (name === undefined) return expected === part;
      variables[name] = percentDecode(part);
      return part !== '';
    });
    if (fits) return { route, variables };
  }
  return null;
}

/** The receiver proxies the call. For a dead node, the response takes until the connection attempt fails. */
async function handOver(cluster: Cluster, receiver: ClusterNode, name: string): Promise<void> {
  const target = cluster.nodes.get(name);
  if (!target) {
    const reason = `failed to get address info for: ${name}: Name or service not known`;
    throw new ApiError(500, `hostname lookup '${name}' failed - ${reason}`);
  }
  if (target === receiver || !target.down) return;
  await cluster.sleep(cluster.settings.offlineProxyMs);
  throw new ApiError(595, 'No route to host');
}

function faultAnswer(fault: Exclude<Fault, { noAnswer: true }>): Answer {
  if ('body' in fault) return { status: 200, reason: 'OK', body: fault.body, json: true };
  return errorAnswer(new ApiError(fault.status, fault.message));
}

import { ApiError, dataAnswer, emptyAnswer, errorAnswer, type Answer } from './answers.ts';
import { authenticate, carriesToken } from './authenticate.ts';
import type { Cluster, ClusterNode } from './cluster.ts';
import type { Fault } from './faults.ts';
import type { Outcome } from './http-connection.ts';
import type { HttpRequest } from './http-requests.ts';
import type { Worker } from './node-server.ts';
import { fill, percentDecode, readParameters, verifyParameters } from './parameters.ts';
import { nodeOf, Part, schemaOf, type Route } from './route.ts';
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
    /** The Connection header of the server that pveproxy has passed the call to. */
    let passedOnConnection: string | undefined;

    const finish = async (answer: Answer): Promise<Outcome> => {
      // pvedaemon delays each 401, to slow down guessing.
      if (answer.status === 401) await cluster.sleep(startedAt + settings.unauthorizedDelayMs - clock.now());
      record(node, request, user, answer.status);
      return passedOnConnection === undefined ? answer : { ...answer, passedOnConnection };
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

      const sent = readParameters(request, matched.variables);
      if (route.refusesTokens && carriesToken(request))
        // The text of the inner error ends with a line break, so the reason phrase has no closing parenthesis.
        throw new ApiError(
          403,
          `Permission check failed (URI '${apiPath}' not available with API token, need proper ticket.\n)`,
        );
      if (route.permission && user !== null) {
        const { privilege } = route.permission;
        const path = fill(route.permission.path, sent);
        if (!cluster.permissions.has(user, path, privilege)) {
          throw new ApiError(403, `Permission check failed (${path}, ${privilege})`);
        }
      }
      const isElsewhere = route.proxied && (await handOver(cluster, node, fill('{node}', sent)));
      passedOnConnection = connectionPassedOn({ isElsewhere, byDaemon: route.byDaemon });
      const parameters = verifyParameters(sent, schemaOf(route));
      const data = await route.run({ cluster, receiver: node, user: user ?? '', parameters });

      if (request.headers.has('upgrade') && route.path.endsWith('websocket')) {
        const refusal = refuseUpgrade(request);
        if (refusal) return await finish(refusal);
        const port = Number(parameters['port']);
        const outcome = upgradeToConsole({ cluster, node, worker, request, port });
        record(node, request, user, outcome === 'silence' ? 0 : 101);
        return outcome;
      }
      return await finish(
        data instanceof Part ? dataAnswer(data.list, { total: data.total }) : dataAnswer(data),
      );
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

/**
 * Whether the receiver proxies the call to another node. For a dead node, the response takes until the connection
 * attempt fails.
 */
async function handOver(cluster: Cluster, receiver: ClusterNode, name: string): Promise<boolean> {
  const target = nodeOf({ cluster, parameters: { node: name } });
  if (target === receiver) return false;
  if (!target.down) return true;
  await cluster.sleep(cluster.settings.offlineProxyMs);
  throw new ApiError(595, 'No route to host');
}

/** pvedaemon closes after each response, and nodes keep their connections. AnyEvent::HTTP joins two headers to one. */
function connectionPassedOn(call: { isElsewhere?: boolean | undefined; byDaemon?: boolean | undefined }) {
  const headers = [...(call.byDaemon ? ['close'] : []), ...(call.isElsewhere ? ['Keep-Alive'] : [])];
  return headers.length === 0 ? undefined : headers.join(',');
}

function faultAnswer(fault: Exclude<Fault, { noAnswer: true }>): Answer {
  if ('body' in fault) return { status: 200, reason: 'OK', body: fault.body, json: true };
  return errorAnswer(new ApiError(fault.status, fault.message));
}

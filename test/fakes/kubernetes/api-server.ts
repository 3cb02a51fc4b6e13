import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The fields of a Kubernetes object that the fake reads. */
export interface FakeObject {
  metadata: {
    name: string;
    namespace?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
  };
  [field: string]: unknown;
}

export interface FakeKubernetes {
  readonly url: string;
  /** All requests, as "METHOD path". */
  readonly requests: readonly string[];
  readonly pods: ReadonlyMap<string, FakeObject>;
  lease(name: string): FakeObject | undefined;
  putPod(name: string, labels?: Record<string, string>): void;
  deletePod(name: string): void;
  /** Answers requests ("METHOD path") that match with this status. undefined ends that. */
  refuse(status: number | undefined, matches?: RegExp): void;
  /** Accepts requests without answering. */
  hang(on: boolean): void;
  /** Ends all open watches, as a restart of the API server does. */
  cutWatches(): void;
  watches(): number;
  /** A token of a service account, and the account. */
  knowToken(token: string, owner: { readonly username: string; readonly audiences: readonly string[] }): void;
  forgetTokens(): void;
  stop(): Promise<void>;
}

/**
 * Pods and Leases of one namespace, served over HTTP like kube-apiserver. A write with a version that is not the current one gets
 * 409 Conflict. A watch begins after the version in its request, or gets 410 Gone if that version is too old.
 */
export async function startFakeKubernetes(): Promise<FakeKubernetes> {
  let version = 100;
  /** The oldest version after which a watch can begin. */
  const oldest = 100;
  const pods = new Map<string, FakeObject>();
  const leases = new Map<string, FakeObject>();
  const requests: string[] = [];
  const tokens = new Map<string, { readonly username: string; readonly audiences: readonly string[] }>();
  const history: { type: string; object: FakeObject; version: number }[] = [];
  const watchers = new Set<ServerResponse>();
  let refusal: { status: number; matches: RegExp } | undefined;
  let hanging = false;

  function store(map: Map<string, FakeObject>, object: FakeObject): FakeObject {
    const known = map.has(object.metadata.name);
    object.metadata.resourceVersion = String(++version);
    map.set(object.metadata.name, object);
    if (map === pods) tell(known ? 'MODIFIED' : 'ADDED', object);
    return object;
  }
  function tell(type: string, object: FakeObject): void {
    const event = { type, object: structuredClone(object), version };
    history.push(event);
    for (const watcher of watchers) watcher.write(`${JSON.stringify(event)}\n`);
  }

  function list(response: ServerResponse, selector: string | null): void {
    answer(response, 200, {
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: { resourceVersion: String(version) },
      items: [...pods.values()].filter((pod) => selects(selector, pod)),
    });
  }
  function watch(response: ServerResponse, from: number): void {
    if (from < oldest) {
      answer(response, 410, status(410, 'Expired'));
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const event of history) if (event.version > from) response.write(`${JSON.stringify(event)}\n`);
    watchers.add(response);
    response.on('close', () => watchers.delete(response));
  }

  function review({ spec: { token, audiences } }: TokenReview): object {
    const owner = tokens.get(token);
    const common = owner ? audiences.filter((audience) => owner.audiences.includes(audience)) : [];
    const status =
      owner && common.length > 0
        ? { authenticated: true, user: { username: owner.username }, audiences: common }
        : { authenticated: false, error: 'invalid bearer token' };
    return { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', metadata: {}, spec: {}, status };
  }

  const server = createServer((request, response) => {
    void read(request).then((body) => {
      const url = new URL(request.url ?? '/', 'http://kubernetes');
      const line = `${request.method} ${url.pathname}`;
      requests.push(line);
      if (hanging) return;
      if (refusal?.matches.test(line))
        return answer(response, refusal.status, status(refusal.status, 'refused'));
      if (line === 'POST /apis/authentication.k8s.io/v1/tokenreviews')
        return answer(response, 201, review(JSON.parse(body) as TokenReview));
      if (line === 'POST /apis/authentication.k8s.io/v1/selfsubjectreviews')
        return answer(response, 201, { metadata: {}, status: { userInfo: self } });
      const [, kind, name] = /\/namespaces\/porthole\/(pods|leases)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
      if (!kind)
        return answer(response, 404, status(404, 'the server could not find the requested resource'));
      const map = kind === 'pods' ? pods : leases;
      if (request.method === 'GET' && !name && url.searchParams.get('watch') === 'true')
        return watch(response, Number(url.searchParams.get('resourceVersion')));
      if (request.method === 'GET' && !name) return list(response, url.searchParams.get('labelSelector'));
      if (request.method === 'POST' && !name) {
        const object = JSON.parse(body) as FakeObject;
        if (map.has(object.metadata.name)) return answer(response, 409, status(409, 'AlreadyExists'));
        return answer(response, 201, store(map, object));
      }
      const found = name === undefined ? undefined : map.get(name);
      if (!found) return answer(response, 404, status(404, 'NotFound'));
      if (request.method === 'GET') return answer(response, 200, found);
      const given = JSON.parse(body) as FakeObject;
      if (request.method === 'PUT') {
        if (
          given.metadata.resourceVersion &&
          given.metadata.resourceVersion !== found.metadata.resourceVersion
        )
          return answer(response, 409, status(409, 'Conflict'));
        return answer(response, 200, store(map, given));
      }
      if (request.method === 'PATCH') {
        if (request.headers['content-type'] !== 'application/merge-patch+json')
          return answer(response, 415, status(415, 'UnsupportedMediaType'));
        const annotations = { ...found.metadata.annotations, ...given.metadata.annotations };
        return answer(response, 200, store(map, { ...found, metadata: { ...found.metadata, annotations } }));
      }
      return answer(response, 405, status(405, 'MethodNotAllowed'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    pods,
    lease: (name) => leases.get(name),
    putPod: (name, labels = relayLabels) =>
      void store(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'porthole', labels },
      }),
    deletePod(name) {
      const pod = pods.get(name);
      pods.delete(name);
      version += 1;
      if (pod) tell('DELETED', { ...pod, metadata: { ...pod.metadata, resourceVersion: String(version) } });
    },
    refuse: (code, matches = /./) => (refusal = code === undefined ? undefined : { status: code, matches }),
    hang: (on) => (hanging = on),
    cutWatches() {
      for (const watcher of watchers) watcher.socket?.destroy();
    },
    watches: () => watchers.size,
    knowToken: (token, owner) => void tokens.set(token, owner),
    forgetTokens: () => tokens.clear(),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface TokenReview {
  readonly spec: { readonly token: string; readonly audiences: readonly string[] };
}

/** The user of all requests. */
const self = { username: 'system:serviceaccount:porthole:porthole-broker', uid: 'uid-of-the-account' };

export const relayLabels = { 'app.kubernetes.io/name': 'porthole', 'app.kubernetes.io/component': 'relay' };

function selects(selector: string | null, { metadata }: FakeObject): boolean {
  if (!selector) return true;
  return selector.split(',').every((pair) => {
    const [name = '', value] = pair.split('=');
    return metadata.labels?.[name] === value;
  });
}

function status(code: number, reason: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message: reason, code };
}

function answer(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

import type { V1OwnerReference, V1Pod } from '@kubernetes/client-node';
import { StartError } from '@porthole/shared/process/start-error';
import type { ReviewToken } from './token-review.ts';
import type { Kubernetes, Lease, LeasePort, PodWatch, RelayPod, StoredLease } from './ports.ts';

const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost';

export interface KubernetesSettings {
  /** Default: the namespace of the pod. */
  readonly namespace?: string | undefined;
  readonly leaseName: string;
  /** Labels of the relay pods, "a=b,c=d". */
  readonly relaySelector: string;
}

/** Deadline for each request, in milliseconds. */
const requestTimeoutMs = 5000;

type Client = typeof import('@kubernetes/client-node');
type KubeConfig = import('@kubernetes/client-node').KubeConfig;

/**
 * Loads @kubernetes/client-node, and uses the pod's service account, or KUBECONFIG outside of a cluster. Rejects if there is
 * neither.
 */
export async function connectKubernetes(
  settings: KubernetesSettings,
  load: LoadConfig = fromDefault,
): Promise<Kubernetes> {
  const { client, config } = await loadClient(load);
  const namespace = settings.namespace ?? config.getContextObject(config.getCurrentContext())?.namespace;
  if (!namespace)
    throw new StartError('kubernetes.namespace: is required, because the service account has no namespace.');
  const core = createApi(client, config, client.CoreV1Api);
  return {
    lease: leasePort(client, config, namespace, settings.leaseName),
    watchRelays: (failed) =>
      podWatch(client, config, { namespace, selector: settings.relaySelector, failed }),
    async setDeletionCost(name, cost) {
      await core.patchNamespacedPod(
        { name, namespace, body: { metadata: { annotations: { [costAnnotation]: String(cost) } } } },
        client.setHeaderOptions('Content-Type', client.PatchStrategy.MergePatch),
      );
    },
  };
}

type LoadConfig = (config: KubeConfig) => void;
const fromDefault: LoadConfig = (config) => config.loadFromDefault();

async function loadClient(load: LoadConfig): Promise<{ client: Client; config: KubeConfig }> {
  const client = await import('@kubernetes/client-node');
  const config = new client.KubeConfig();
  load(config);
  return { client, config };
}

/** Connects to the TokenReview API (authentication.k8s.io/v1). */
export async function connectTokenReview(load: LoadConfig = fromDefault): Promise<ReviewToken> {
  const { client, config } = await loadClient(load);
  const api = createApi(client, config, client.AuthenticationV1Api);
  return async (token, audience) => {
    const { status } = await api.createTokenReview({ body: { spec: { token, audiences: [audience] } } });
    // An API server without support for audiences returns none, and has not checked ours.
    const isValid = status?.authenticated === true && (status.audiences ?? []).includes(audience);
    return isValid ? status.user?.username : undefined;
  };
}

/** Like KubeConfig.makeApiClient, with a deadline for each request. */
function createApi<T>(
  client: Client,
  config: KubeConfig,
  Api: new (configuration: import('@kubernetes/client-node').Configuration) => T,
): T {
  const server = config.getCurrentCluster()?.server;
  if (!server) throw new Error('Kubernetes: the configuration has no API server.');
  return new Api(
    client.createConfiguration({
      baseServer: new client.ServerConfiguration(server, {}),
      authMethods: { default: config },
      promiseMiddleware: [
        {
          async pre(context) {
            context.setSignal(AbortSignal.timeout(requestTimeoutMs));
            return context;
          },
          post: async (context) => context,
        },
      ],
    }),
  );
}

function leasePort(client: Client, config: KubeConfig, namespace: string, name: string): LeasePort {
  const api = createApi(client, config, client.CoordinationV1Api);
  const authentication = createApi(client, config, client.AuthenticationV1Api);

  /**
   * The service account of the pod owns the lease, so that Kubernetes deletes the lease with it, for example by `helm
   * uninstall`. Without a service account in this namespace, the lease has no owner.
   */
  async function owners(): Promise<V1OwnerReference[]> {
    const review = await authentication.createSelfSubjectReview({ body: {} }).catch(() => undefined);
    const { username = '', uid } = review?.status?.userInfo ?? {};
    const prefix = `system:serviceaccount:${namespace}:`;
    if (!username.startsWith(prefix) || !uid) return [];
    return [{ apiVersion: 'v1', kind: 'ServiceAccount', name: username.slice(prefix.length), uid }];
  }

  return {
    async read() {
      try {
        const { metadata, spec } = await api.readNamespacedLease({ name, namespace });
        return {
          version: metadata?.resourceVersion ?? '',
          metadata: {
            labels: metadata?.labels,
            annotations: metadata?.annotations,
            ownerReferences: metadata?.ownerReferences,
          },
          holder: spec?.holderIdentity ?? '',
          durationSeconds: spec?.leaseDurationSeconds ?? 0,
          transitions: spec?.leaseTransitions ?? 0,
          // The client returns text, although its type is Date.
          acquiredAt: spec?.acquireTime ? new Date(spec.acquireTime).getTime() : 0,
        };
      } catch (error) {
        if (codeOf(client, error) === 404) return undefined;
        throw error;
      }
    },
    async write(read: StoredLease | undefined, next: Lease) {
      const body = {
        metadata: read
          ? { ...read.metadata, name, namespace, resourceVersion: read.version }
          : { name, namespace, ownerReferences: await owners() },
        spec: {
          holderIdentity: next.holder,
          leaseDurationSeconds: next.durationSeconds,
          leaseTransitions: next.transitions,
          acquireTime: new client.V1MicroTime(next.acquiredAt),
          renewTime: new client.V1MicroTime(),
        },
      };
      try {
        if (read) await api.replaceNamespacedLease({ name, namespace, body });
        else await api.createNamespacedLease({ namespace, body });
        return true;
      } catch (error) {
        // Another process wrote, created or deleted it in between.
        if ([404, 409].includes(codeOf(client, error) ?? 0)) return false;
        throw error;
      }
    },
  };
}

function podWatch(
  client: Client,
  config: KubeConfig,
  of: { namespace: string; selector: string; failed: (error: unknown) => void },
): PodWatch {
  const { namespace, selector } = of;
  const core = createApi(client, config, client.CoreV1Api);
  const informer = client.makeInformer(
    config,
    `/api/v1/namespaces/${namespace}/pods`,
    () => core.listNamespacedPod({ namespace, labelSelector: selector }),
    selector,
  );
  informer.on('error', of.failed);
  let stopped = false;
  return {
    async start() {
      stopped = false;
      await informer.start();
      // The informer does not notice a stop during its list request.
      if (stopped) await informer.stop();
    },
    async stop() {
      stopped = true;
      await informer.stop();
    },
    list: () => informer.list().map(relayPod),
  };
}

function relayPod({ metadata }: V1Pod): RelayPod {
  return {
    name: metadata?.name ?? '',
    deletionCost: metadata?.annotations?.[costAnnotation],
    terminating: metadata?.deletionTimestamp !== undefined,
  };
}

function codeOf(client: Client, error: unknown): number | undefined {
  return error instanceof client.ApiException ? error.code : undefined;
}

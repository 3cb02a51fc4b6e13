import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startLookupServer, type LookupServer } from '../fakes/kubernetes/lookup-server.ts';
import { describeWith } from '../needs.ts';
import { chartFolder } from './chart-folder.ts';
import { findManifest, parseManifests, render, type Manifest } from './render.ts';

const ofAutoscaled = { 'porthole/replicas': 'autoscaled' };

describeWith('helm')('the number of relays at an upgrade', () => {
  let server: LookupServer | undefined;
  afterEach(() => server?.stop());

  /** Renders the chart for a cluster with a relay Deployment, as `helm upgrade` does. */
  async function renderBeside(
    live: { annotations?: object; replicas: number } | undefined,
    values: Readonly<Record<string, string>>,
  ): Promise<readonly Manifest[]> {
    const metadata = { name: 'porthole-relay', namespace: 'consoles', annotations: live?.annotations };
    server = await startLookupServer(live ? [{ metadata, spec: { replicas: live.replicas } }] : []);
    const namespace = ['--namespace', 'consoles'];
    const cluster = ['--dry-run=server', '--kube-apiserver', server.url, '--kube-version', '1.34.0'];
    const file = ['-f', `${chartFolder}ci/production-values.yaml`];
    const set = Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const args = ['template', 'porthole', chartFolder, ...namespace, ...cluster, ...file, ...set];
    const { stdout } = await promisify(execFile)('helm', args);
    return parseManifests(stdout);
  }
  const relayIn = (manifests: readonly Manifest[]) => {
    const { metadata, spec } = findManifest(manifests, 'Deployment', 'porthole-relay');
    return { replicas: spec.replicas as number | undefined, annotations: metadata.annotations };
  };
  const keda = {
    'relay.autoscaling.enabled': 'false',
    'relay.keda.enabled': 'true',
    'relay.keda.triggers[0].type': 'cpu',
  };

  test.each([
    ['autoscaling', {}],
    ['keda', keda],
  ])('stays the same when relay.%s is enabled, instead of falling to 1', async (_name, values) => {
    const { replicas, annotations } = relayIn(await renderBeside({ replicas: 7 }, values));
    expect(replicas).toBe(7);
    expect(annotations).toBeUndefined();
  });

  test('is left to the autoscaler of a Deployment that never had a fixed number', async () => {
    const live = { replicas: 7, annotations: ofAutoscaled };
    expect(relayIn(await renderBeside(live, {}))).toEqual({ replicas: undefined, annotations: ofAutoscaled });
  });

  test('is left to the autoscaler of a new installation, and where Helm asks no cluster', async () => {
    const left = { replicas: undefined, annotations: ofAutoscaled };
    expect(relayIn(await renderBeside(undefined, {}))).toEqual(left);
    expect(relayIn(render('production'))).toEqual(left);
  });

  test('is relay.replicaCount without an autoscaler, whatever the live number is', async () => {
    const live = { replicas: 7, annotations: ofAutoscaled };
    const values = { 'relay.autoscaling.enabled': 'false', 'relay.replicaCount': '3' };
    expect(relayIn(await renderBeside(live, values))).toEqual({ replicas: 3, annotations: undefined });
  });
});

import { configSchema } from '@porthole/shared/config/schema';
import { parse } from 'yaml';
import { describeWith } from '../needs.ts';
import { findManifest, readValues, render, runHelmTemplate, type Manifest } from './render.ts';

const configText = (manifests: readonly Manifest[], component: string) =>
  findManifest(manifests, 'ConfigMap', `porthole-${component}`)['data']['porthole.yaml'] as string;

describeWith('helm')('config values', () => {
  test('the chart creates no Secret if secrets.existingSecret is set', () => {
    expect(render('production').map(({ kind }) => kind)).not.toContain('Secret');
  });

  test('a credential in plain text is rejected, and the error message does not contain it', () => {
    const values = structuredClone(readValues('production')) as {
      config: { clusters: { credential: object }[] };
    };
    values.config.clusters[0]!.credential = { token: 'a@pve!b', secret: 'hunter2' };
    const { error } = runHelmTemplate('production', values);
    expect(error).toContain('would be stored in a ConfigMap in plain text');
    expect(error).not.toContain('hunter2');
  });

  test('each service gets only its own Proxmox VE credential', () => {
    const manifests = render('production');
    expect(configText(manifests, 'relay')).toContain('porthole@pve!relay');
    expect(configText(manifests, 'relay')).not.toContain('porthole@pve!console');
    expect(configText(manifests, 'broker')).not.toContain('porthole@pve!relay');
  });

  test('relays get no setting that only brokers read', () => {
    // `signIn` is a placeholder, because every configuration requires it.
    const readByRelays = [
      'allowedOrigins',
      'audit',
      'clusters',
      'limits',
      'logLevel',
      'publicUrl',
      'redis',
      'signIn',
      'tracing',
      'trustedProxies',
    ];
    const setByChart = ['grantKeys', 'instance', 'listen', 'operationsListen', 'redis'];
    const settings = Object.keys(configSchema.shape).filter((name) => !setByChart.includes(name));
    expect(settings.length).toBeGreaterThan(15);
    const config = Object.fromEntries(settings.map((name) => [name, { placeholder: name }]));
    const manifests = render('production', {
      config: { ...config, publicUrl: 'https://a', clusters: [{ name: 'a' }], limits: {}, signIn: {} },
    });
    const relayConfig = parse(configText(manifests, 'relay')) as object;
    expect(Object.keys(relayConfig).filter((name) => !readByRelays.includes(name))).toEqual([]);
  });
});

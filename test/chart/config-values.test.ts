import { readFileSync } from 'node:fs';
import { configSchema } from '@porthole/shared/config/schema';
import { parse } from 'yaml';
import { describeWith } from '../needs.ts';
import { configOf } from './config-of.ts';
import { findManifest, readValues, render, runHelmTemplate } from './render.ts';

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
    expect(error).toContain('would be stored in plain text');
    expect(error).not.toContain('hunter2');
  });

  test('each service gets only its own Proxmox VE credential', () => {
    const manifests = render('production');
    expect(configOf(manifests, 'relay')).toContain('porthole@pve!relay');
    expect(configOf(manifests, 'relay')).not.toContain('porthole@pve!console');
    expect(configOf(manifests, 'broker')).not.toContain('porthole@pve!relay');
  });

  test('a dollar sign in a setting reaches the service as it is', () => {
    const endpoint = 'http://collector/$(PORTHOLE_INSTANCE)/$$/$x';
    const manifests = render('production', { config: { tracing: { endpoint } } });
    const { env } = findManifest(manifests, 'Deployment', 'porthole-relay')['spec'].template.spec
      .containers[0];
    // Kubernetes replaces `$(NAME)`, unless a `$` is before it.
    expect(env[0].value).toContain('http://collector/$$(PORTHOLE_INSTANCE)/$$$$/$$x');
    expect(parse(configOf(manifests, 'relay'))).toMatchObject({ tracing: { endpoint } });
  });

  test('a configuration that is too long for one variable is rejected', () => {
    const users = Array.from({ length: 9000 }, (_, index) => `student-${index}`);
    const { error } = runHelmTemplate('production', {
      config: { access: [{ who: { users }, which: { all: true }, allow: ['view'] }] },
    });
    expect(error).toMatch(/config: \d{6} bytes are too long.*set config\.accessFile to its path/);
  });

  test('a relay gets the address of its pod for other relays, unless consoles are not shared', () => {
    const relayOf = (values: object) =>
      findManifest(render('production', values), 'Deployment', 'porthole-relay')['spec'].template.spec
        .containers[0];
    const { env } = relayOf({}) as { env: readonly { name: string }[] };
    const names = env.map(({ name }) => name);
    // Kubernetes replaces only references to variables that are defined before.
    expect(names.indexOf('POD_IP')).toBeLessThan(names.indexOf('PORTHOLE_SHARING_INTERNAL_ADDRESS'));
    expect(env).toContainEqual({ name: 'PORTHOLE_SHARING_INTERNAL_ADDRESS', value: '$(POD_IP):8081' });
    expect(env).toContainEqual({
      name: 'POD_IP',
      valueFrom: { fieldRef: { fieldPath: 'status.podIP' } },
    });
    const off = { config: { sharing: { enabled: false } } };
    expect(JSON.stringify(relayOf(off))).not.toMatch(/POD_IP|"internal"/);
    const { ingress, egress } = findManifest(render('production', off), 'NetworkPolicy', 'porthole-relay')[
      'spec'
    ];
    expect(JSON.stringify([ingress, egress])).not.toMatch(/"internal"|8081/);
    const broker = findManifest(render('production'), 'Deployment', 'porthole-broker')['spec'];
    expect(JSON.stringify(broker)).not.toMatch(/POD_IP|8081/);
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
      'recordings',
      'redis',
      'sharing',
      'signIn',
      'tracing',
      'trustedProxies',
    ];
    const setByChart = ['grantKeys', 'instance', 'listen', 'operationsListen', 'recordings', 'redis'];
    const settings = Object.keys(configSchema.shape).filter((name) => !setByChart.includes(name));
    expect(settings.length).toBeGreaterThan(15);
    const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    const example = parse(/## Example[\s\S]*?```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '') as object;
    const platform = {
      name: 'school',
      issuer: 'https://moodle.example.org',
      clientId: 'c',
      deploymentIds: ['1'],
    };
    const commentedOut = {
      kubernetes: { leaseName: 'porthole' },
      accessFile: '/etc/porthole/rules.yaml',
      lti: {
        toolKeysFile: '/etc/porthole/lti-key.pem',
        platforms: [
          {
            ...platform,
            authorizationUrl: 'https://moodle.example.org/auth',
            jwksUrl: 'https://moodle.example.org/keys',
          },
        ],
      },
    };
    const all: Record<string, unknown> = { ...example, ...commentedOut };
    // The chart sets the address of the internal listener.
    all['sharing'] = { screens: 10 };
    expect(settings.filter((name) => all[name] === undefined)).toEqual([]);
    const manifests = render('production', {
      config: Object.fromEntries(settings.map((name) => [name, all[name]])),
      recordings: { enabled: true, existingSecret: 'keys', persistence: { enabled: true } },
    });
    const relayConfig = parse(configOf(manifests, 'relay')) as object;
    expect(Object.keys(relayConfig).filter((name) => !readByRelays.includes(name))).toEqual([]);
  });
});

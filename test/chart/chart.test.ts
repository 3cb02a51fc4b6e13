import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkBrokerConfig } from '@porthole/broker/check-config';
import { readConfig } from '@porthole/shared/config/read';
import { parse } from 'yaml';
import { describeWith } from '../needs.ts';
import { find, render, tryRender, valueSets, valuesOf, type Manifest } from './render.ts';
import { quickstartFile, renderQuickstart } from './quickstart.ts';
import { unknownFields } from './unknown-fields.ts';
import { chart, fromValues } from './values.ts';

test('schema and table are those of values.yaml', async () => {
  // If not: npm run chart:values
  const made = await fromValues();
  expect(readFileSync(`${chart}values.schema.json`, 'utf8')).toBe(made.schema);
  expect(readFileSync(`${chart}README.md`, 'utf8')).toBe(made.readme);
});

const podsOf = (objects: readonly Manifest[]) =>
  objects.filter(({ kind }) => kind === 'Deployment').map((one) => one['spec'].template);
const kindsOf = (objects: readonly Manifest[]) => objects.map(({ kind }) => kind);

describeWith('helm')('the chart', () => {
  const rendered = new Map<string, readonly Manifest[]>();
  const objectsOf = (set: string) => rendered.get(set) ?? [];
  beforeAll(() => {
    for (const set of valueSets) rendered.set(set, render(set));
  });

  describe.each(valueSets)('with ci/%s.yaml', (set) => {
    test('passes the strict linter', () => {
      const run = spawnSync('helm', ['lint', '--strict', chart, '-f', `${chart}ci/${set}.yaml`]);
      expect(run.stdout.toString()).toContain('0 chart(s) failed');
    });

    test('has no field that Kubernetes does not know', () => {
      const looked = objectsOf(set).map(unknownFields);
      expect(looked.filter((faults) => faults !== undefined).length).toBeGreaterThan(8);
      expect(looked.flatMap((faults) => faults ?? [])).toEqual([]);
    });

    test('keeps every pod within the restricted Pod Security Standard', () => {
      for (const { spec } of podsOf(objectsOf(set))) {
        expect(spec.securityContext).toMatchObject({
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        });
        expect(spec.hostNetwork ?? spec.hostPID ?? spec.hostIPC).toBeUndefined();
        for (const volume of spec.volumes ?? []) expect(volume.configMap ?? volume.secret).toBeDefined();
        for (const container of [...spec.containers, ...(spec.initContainers ?? [])])
          expect(container.securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
      }
    });

    test('gives each service a configuration that it accepts', () => {
      for (const component of ['broker', 'relay']) {
        const { data } = find(objectsOf(set), 'ConfigMap', `porthole-${component}`);
        const folder = mkdtempSync(join(tmpdir(), 'porthole-chart-'));
        try {
          for (const [name, text] of Object.entries<string>(data)) writeFileSync(join(folder, name), text);
          const file = join(folder, 'porthole.yaml');
          const secret = join(folder, 'secret');
          writeFileSync(secret, 'x'.repeat(64));
          writeFileSync(
            file,
            data['porthole.yaml'].replaceAll(/\/etc\/porthole\/secrets\/[\w./-]+/g, secret),
          );
          const config = readConfig({ PORTHOLE_CONFIG: file, PORTHOLE_GRANT_KEYS_FILE: secret }, folder);
          if (component === 'broker') checkBrokerConfig(config);
          expect(config.redis?.url).toMatch(/^rediss?:/);
        } finally {
          rmSync(folder, { recursive: true });
        }
      }
    });

    test('mounts every file that a configuration names', () => {
      for (const component of ['broker', 'relay']) {
        const text: string = find(objectsOf(set), 'ConfigMap', `porthole-${component}`)['data'][
          'porthole.yaml'
        ];
        const { spec } = find(objectsOf(set), 'Deployment', `porthole-${component}`)['spec'].template;
        const mounts: string[] = spec.containers[0].volumeMounts.map(
          (mount: { mountPath: string }) => mount.mountPath,
        );
        for (const file of text.match(/\/etc\/porthole\/[\w./-]+/g) ?? [])
          expect(mounts.some((mount) => file.startsWith(`${mount}/`))).toBe(true);
      }
    });

    test('leaves time for the farewell before a pod is killed', () => {
      const { spec } = find(objectsOf(set), 'Deployment', 'porthole-relay')['spec'].template;
      const { limits } = parse(
        find(objectsOf(set), 'ConfigMap', 'porthole-relay')['data']['porthole.yaml'],
      ) as { limits?: { drainSeconds?: number } };
      const before = spec.containers[0].lifecycle.preStop.sleep.seconds + (limits?.drainSeconds ?? 10);
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(before + 15);
    });

    test('lets a relay reach nothing but DNS, Redis and Proxmox, and gives it no token', () => {
      const { egress } = find(objectsOf(set), 'NetworkPolicy', 'porthole-relay')['spec'];
      expect(egress).toHaveLength(3);
      for (const { ports } of egress) expect(ports.length).toBeGreaterThan(0);
      const { spec } = find(objectsOf(set), 'Deployment', 'porthole-relay')['spec'].template;
      expect(spec.automountServiceAccountToken).toBe(false);
    });

    test('says in one place how many relays there are', () => {
      const counts = Number('replicas' in find(objectsOf(set), 'Deployment', 'porthole-relay')['spec']);
      const scalers = objectsOf(set).filter(({ kind }) =>
        ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind),
      );
      expect(counts + scalers.length).toBe(1);
      for (const { spec } of scalers) {
        const behavior = spec.behavior ?? spec.advanced.horizontalPodAutoscalerConfig.behavior;
        expect(behavior.scaleDown).toEqual({
          stabilizationWindowSeconds: 1800,
          policies: [{ type: 'Pods', value: 1, periodSeconds: 300 }],
        });
      }
    });

    test('keeps the selectors of the releases before', () => {
      for (const component of ['broker', 'relay'])
        expect(find(objectsOf(set), 'Deployment', `porthole-${component}`)['spec'].selector).toEqual({
          matchLabels: {
            'app.kubernetes.io/name': 'porthole',
            'app.kubernetes.io/instance': 'porthole',
            'app.kubernetes.io/component': component,
          },
        });
    });
  });

  test('has no Secret when one is named, and never a readable credential', () => {
    expect(kindsOf(objectsOf('school'))).not.toContain('Secret');
    const faulty = structuredClone(valuesOf('school')) as {
      config: { clusters: { credential: object }[] };
    };
    faulty.config.clusters[0]!.credential = { token: 'a@pve!b', secret: 'hunter2' };
    const { error } = tryRender('school', faulty);
    expect(error).toContain('would stand readable in a ConfigMap');
    expect(error).not.toContain('hunter2');
  });

  test('gives each service its own credential', () => {
    const text = (component: string) =>
      find(objectsOf('school'), 'ConfigMap', `porthole-${component}`)['data']['porthole.yaml'] as string;
    expect(text('relay')).toContain('porthole@pve!relay');
    expect(text('relay')).not.toContain('porthole@pve!console');
    expect(text('broker')).not.toContain('porthole@pve!relay');
  });

  test('restarts no relay when only the broker changes', () => {
    const changed = render('school', {
      config: {
        access: [{ who: { groups: ['staff'] }, which: { all: true }, allow: ['control'] }],
        signIn: { local: { usersFile: '/etc/porthole/secrets/broker/others.yaml' } },
      },
      broker: { extraEnv: [{ name: 'TZ', value: 'UTC' }] },
      rbac: { podDeletionCost: false },
    });
    const template = (objects: readonly Manifest[], name: string) =>
      find(objects, 'Deployment', name)['spec'].template as object;
    expect(template(changed, 'porthole-relay')).toEqual(template(objectsOf('school'), 'porthole-relay'));
    expect(template(changed, 'porthole-broker')).not.toEqual(
      template(objectsOf('school'), 'porthole-broker'),
    );
  });

  test('keeps names within 63 characters', () => {
    for (const override of ['x'.repeat(90), ''])
      for (const { metadata } of render('school', { fullnameOverride: override }, 'r'.repeat(50)))
        expect(metadata.name.length).toBeLessThanOrEqual(63);
  });

  test('is what the quickstart was made of', () => {
    // If not: npm run k8s:render
    expect(readFileSync(quickstartFile, 'utf8')).toBe(renderQuickstart());
  });

  test('prefers a digest to a tag', () => {
    const objects = render('school', { broker: { image: { tag: 'ignored' } } });
    const { spec } = find(objects, 'Deployment', 'porthole-broker')['spec'].template;
    expect(spec.containers[0].image).toMatch(/^ghcr\.io\/porthole\/broker@sha256:[0-9a-f]{64}$/);
  });

  test('leaves out timeouts of routes unless they are asked for', () => {
    const rulesOf = (objects: readonly Manifest[]) => find(objects, 'HTTPRoute', 'porthole')['spec'].rules;
    expect(rulesOf(objectsOf('school'))[0].timeouts).toEqual({ request: '0s' });
    const plain = render('timetable', { httpRoute: { enabled: true, parentRefs: [{ name: 'public' }] } });
    for (const rule of rulesOf(plain)) expect(rule.timeouts).toBeUndefined();
  });

  test('gives the broker no rights that nobody asked for, and never more than it needs', () => {
    expect(kindsOf(objectsOf('trial')).filter((kind) => kind.includes('Role'))).toEqual([]);
    expect(find(objectsOf('school'), 'Role', 'porthole-broker')['rules']).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch', 'patch'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: ['porthole-broker'],
        verbs: ['get', 'update'],
      },
    ]);
  });

  test('lets the broker reach the API server when it has rights there', () => {
    const ports = (set: string) => find(objectsOf(set), 'NetworkPolicy', 'porthole-broker')['spec'].egress;
    expect(ports('school')).toContainEqual({ ports: [{ port: 443 }, { port: 6443 }] });
    expect(ports('trial')).toHaveLength(3);
  });

  test('says all that is missing in one message', () => {
    const { error } = tryRender(undefined);
    for (const name of ['config.publicUrl', 'config.clusters', 'secrets.existingSecret', 'redis.url'])
      expect(error).toContain(`- ${name}`);
  });

  test.each([
    [{ relay: { keda: { enabled: true, triggers: [{ type: 'cpu' }] } } }, 'not both'],
    [{ relay: { terminationGracePeriodSeconds: 20 } }, 'must be at least 85'],
    [{ httpRoute: { parentRefs: [] } }, 'name the Gateway'],
    [{ config: { grantKeys: 'x' } }, 'the chart sets this'],
    [{ redis: { url: 'redis://a:b@host' } }, 'leave the password out'],
    [{ relay: { replicas: 3 } }, /additional properties 'replicas' not allowed/i],
    [{ broker: { replicaCount: '3' } }, /replicaCount/],
    [{ secrets: { mounts: [{ name: 'a', secretName: 'b', for: ['pages'] }] } }, /mounts/],
  ])('refuses %j', (values, words) => {
    expect(tryRender('school', values).error).toMatch(words);
  });
});

/** Needs the names of the API's resources, and the chart has no others. */
const resources: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  Ingress: 'ingresses',
};

describeWith('helm', 'kubernetes')('a real API server', () => {
  test.each(valueSets)('accepts all objects of ci/%s.yaml', async (set) => {
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
    for (const object of render(set)) {
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

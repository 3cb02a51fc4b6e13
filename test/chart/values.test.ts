import { readFileSync } from 'node:fs';
import { configSchema } from '@porthole/shared/config/schema';
import { parse } from 'yaml';
import { describeWith } from '../needs.ts';
import { readExample } from './installations.ts';
import {
  dashboardFile,
  dashboardText,
  prometheusRuleFile,
  renderPrometheusRule,
} from './monitoring-files.ts';
import { quickstartFile, renderQuickstart } from './quickstart.ts';
import { danglingReferences } from './references.ts';
import { find, render, tryRender, valueSets, valuesOf, type Manifest } from './render.ts';
import { chart, fromValues } from './values.ts';

const kindsOf = (objects: readonly Manifest[]) => objects.map(({ kind }) => kind);

test('schema and table are those of values.yaml', async () => {
  // If not: npm run chart:values
  const made = await fromValues();
  expect(readFileSync(`${chart}values.schema.json`, 'utf8')).toBe(made.schema);
  expect(readFileSync(`${chart}README.md`, 'utf8')).toBe(made.readme);
});

test('the dashboard is what its source makes', async () => {
  // If not: npm run k8s:render
  expect(readFileSync(dashboardFile, 'utf8')).toBe(await dashboardText());
});

describeWith('helm')('values', () => {
  const rendered = new Map<string, readonly Manifest[]>();
  const objectsOf = (set: string) => rendered.get(set) ?? [];
  beforeAll(() => {
    for (const set of valueSets) rendered.set(set, render(set));
  });
  const podOf = (objects: readonly Manifest[], component: string) =>
    find(objects, 'Deployment', `porthole-${component}`)['spec'].template.spec;

  test('what lies in k8s/ was made of the chart', () => {
    // If not: npm run k8s:render
    expect(readFileSync(quickstartFile, 'utf8')).toBe(renderQuickstart());
    expect(readFileSync(prometheusRuleFile, 'utf8')).toBe(renderPrometheusRule());
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

  test('tells a relay no setting that only brokers read, whichever there are', () => {
    // What services/relay reads, and a stub in place of the ways to sign in, which every configuration must have.
    const read = [
      'audit',
      'allowedOrigins',
      'clusters',
      'limits',
      'logLevel',
      'publicUrl',
      'redis',
      'signIn',
    ];
    const allowed = [...read, 'tracing', 'trustedProxies'];
    const setByChart = ['grantKeys', 'instance', 'listen', 'operationsListen', 'redis'];
    const all = Object.keys(configSchema.shape).filter((name) => !setByChart.includes(name));
    expect(all.length).toBeGreaterThan(15);
    const config = Object.fromEntries(all.map((name) => [name, { placeholder: name }]));
    const objects = render('school', {
      config: { ...config, publicUrl: 'https://a', clusters: [{ name: 'a' }], limits: {}, signIn: {} },
    });
    const told = parse(find(objects, 'ConfigMap', 'porthole-relay')['data']['porthole.yaml']) as object;
    expect(Object.keys(told).filter((name) => !allowed.includes(name))).toEqual([]);
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

  test.each([
    { fullnameOverride: 'x'.repeat(90) },
    { fullnameOverride: 'screens' },
    { nameOverride: 'screens' },
    { nameOverride: 'y'.repeat(80) },
  ])('names stay within 63 characters and lead to what they mean with %j', (values) => {
    for (const release of ['porthole', 'r'.repeat(50)]) {
      const objects = render('school', { ...values, ingress: { enabled: true } }, release);
      expect(danglingReferences(objects)).toEqual([]);
      for (const { metadata } of objects) {
        expect(metadata.name.length).toBeLessThanOrEqual(63);
        for (const label of Object.values(metadata.labels ?? {}))
          expect(label.length).toBeLessThanOrEqual(63);
      }
    }
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

  test('one registry may stand for all, and without one names are as they are', () => {
    const images = (values: object) =>
      render('trial', values).flatMap((object) => {
        const spec = object.kind === 'Pod' ? object['spec'] : object['spec']?.template?.spec;
        return (spec?.containers ?? []).map(({ image }: { image: string }) => image);
      });
    expect(new Set(images({ global: { imageRegistry: 'registry.school:5000' } }))).toEqual(
      new Set([
        'registry.school:5000/porthole/broker:0.1.0',
        'registry.school:5000/porthole/relay:0.1.0',
        'registry.school:5000/valkey/valkey:8.1-alpine',
      ]),
    );
    expect(images({ relay: { image: { registry: '', repository: 'relay', tag: 'x' } } })).toContain(
      'relay:x',
    );
  });

  test('Redis is reached as the values say, and the NetworkPolicies open its ports', () => {
    const redisOf = (objects: readonly Manifest[]) =>
      JSON.stringify(parse(find(objects, 'ConfigMap', 'porthole-relay')['data']['porthole.yaml']).redis);
    const portsOf = (objects: readonly Manifest[]) =>
      find(objects, 'NetworkPolicy', 'porthole-relay')['spec'].egress[1].ports;
    const sentinel = render('school', readExample('redis-sentinel'));
    expect(JSON.parse(redisOf(sentinel))).toEqual({
      sentinel: {
        name: 'mymaster',
        nodes: ['sentinel-0.redis:26379', 'sentinel-1.redis:26379', 'sentinel-2.redis:26379'],
        passwordFile: '/etc/porthole/secrets/redis/sentinel',
      },
      username: 'porthole',
      tls: true,
      passwordFile: '/etc/porthole/secrets/redis/password',
      caFile: '/etc/porthole/secrets/redis/ca.pem',
    });
    expect(portsOf(sentinel)).toEqual([{ port: 6379 }, { port: 26_379 }]);
    const cluster = render('school', readExample('redis-cluster'));
    expect(JSON.parse(redisOf(cluster))).toMatchObject({
      cluster: { nodes: ['redis-0.redis:6379', 'redis-1.redis:6379', 'redis-2.redis:6379'] },
      serverName: 'redis.example.org',
      certFile: '/etc/porthole/secrets/redis/tls.crt',
      keyFile: '/etc/porthole/secrets/redis/tls.key',
    });
    expect(portsOf(cluster)).toEqual([{ port: 6379 }]);
    expect(portsOf(objectsOf('school'))).toEqual([{ port: 6380 }]);
    expect(portsOf(render('school', { redis: { extraPorts: [7000] } }))).toEqual([
      { port: 6380 },
      { port: 7000 },
    ]);
  });

  test('what a pod and its container have can be replaced and added to', () => {
    const objects = render('school', {
      broker: {
        container: {
          livenessProbe: { periodSeconds: 30 },
          lifecycle: { preStop: { sleep: { seconds: 3 } } },
        },
        pod: { securityContext: { runAsUser: 1_000_690_000 }, schedulerName: 'own' },
        extraEnv: [{ name: 'TZ', value: 'UTC' }],
        extraEnvFrom: [{ configMapRef: { name: 'more' } }],
        extraVolumes: [{ name: 'tmp', emptyDir: {} }],
        extraVolumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
        extraContainers: [{ name: 'beside', image: 'a' }],
        initContainers: [{ name: 'before', image: 'b' }],
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ operator: 'Exists' }],
        priorityClassName: 'high',
        dnsConfig: { options: [{ name: 'ndots', value: '1' }] },
        hostAliases: [{ ip: '192.0.2.1', hostnames: ['pve1'] }],
        topologySpreadConstraints: [{ maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
        serviceAccount: { create: false, name: 'mine' },
        podLabels: { team: 'teaching' },
        podAnnotations: { note: 'x' },
      },
    });
    const pod = podOf(objects, 'broker');
    const [ours, beside] = pod.containers;
    expect(ours.livenessProbe).toMatchObject({ periodSeconds: 30, httpGet: { path: '/livez' } });
    expect(ours.lifecycle.preStop.sleep.seconds).toBe(3);
    expect(ours.env).toContainEqual({ name: 'TZ', value: 'UTC' });
    expect(ours.envFrom).toEqual([{ configMapRef: { name: 'more' } }]);
    expect(ours.volumeMounts).toContainEqual({ name: 'tmp', mountPath: '/tmp' });
    expect(beside.name).toBe('beside');
    expect(pod).toMatchObject({
      securityContext: { runAsUser: 1_000_690_000, runAsNonRoot: true },
      schedulerName: 'own',
      initContainers: [{ name: 'before' }],
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ operator: 'Exists' }],
      priorityClassName: 'high',
      dnsConfig: { options: [{ name: 'ndots', value: '1' }] },
      hostAliases: [{ ip: '192.0.2.1', hostnames: ['pve1'] }],
      topologySpreadConstraints: [{ maxSkew: 2 }],
      serviceAccountName: 'mine',
    });
    expect(pod.volumes).toContainEqual({ name: 'tmp', emptyDir: {} });
    const { metadata } = find(objects, 'Deployment', 'porthole-broker')['spec'].template;
    expect(metadata.labels.team).toBe('teaching');
    expect(metadata.annotations.note).toBe('x');
    expect(objects.filter(({ kind }) => kind === 'ServiceAccount').map((one) => one.metadata.name)).toEqual([
      'porthole-relay',
    ]);
    for (const { kind, subjects } of objects)
      if (kind.endsWith('RoleBinding')) expect(subjects[0].name).toBe('mine');
  });

  test('labels and annotations of all objects are on all of them', () => {
    const objects = render('school', { commonLabels: { a: 'b' }, commonAnnotations: { c: 'd' } });
    for (const { metadata } of objects) {
      expect(metadata.labels).toMatchObject({ a: 'b' });
      expect(metadata.annotations).toMatchObject({ c: 'd' });
    }
  });

  test('labels of somebody’s own can not take pods away from their Service', () => {
    const label = { 'app.kubernetes.io/component': 'mine', 'app.kubernetes.io/name': 'mine' };
    const objects = render('school', {
      commonLabels: label,
      broker: { podLabels: label },
      relay: { podLabels: label },
    });
    expect(danglingReferences(objects)).toEqual([]);
  });

  test('labels of all objects change no selector and restart no pod', () => {
    const plain = objectsOf('school');
    const labelled = render('school', { commonLabels: { a: 'b' } });
    for (const component of ['broker', 'relay'])
      for (const part of ['selector', 'template'])
        expect(find(labelled, 'Deployment', `porthole-${component}`)['spec'][part]).toEqual(
          find(plain, 'Deployment', `porthole-${component}`)['spec'][part],
        );
  });

  test('an Ingress has the long timeouts of its controller, and what is given wins', () => {
    const annotationsOf = (ingress: object) =>
      find(render('trial', { ingress }), 'Ingress', 'porthole').metadata.annotations;
    expect(annotationsOf({ controller: 'nginx' })).toMatchObject({
      'nginx.ingress.kubernetes.io/proxy-read-timeout': '3600',
    });
    const own = { 'haproxy.org/timeout-tunnel': '2h' };
    expect(annotationsOf({ controller: 'haproxy', annotations: own })).toEqual(own);
    expect(annotationsOf({})).toBeUndefined();
  });

  test('a ServiceMonitor finds the port of the metrics at the Service', () => {
    const objects = render('school', { relay: { monitor: { kind: 'ServiceMonitor', interval: '15s' } } });
    const { spec } = find(objects, 'ServiceMonitor', 'porthole-relay');
    expect(spec.endpoints).toEqual([{ port: 'operations', path: '/metrics', interval: '15s' }]);
    const ports = find(objects, 'Service', 'porthole-relay')['spec'].ports;
    expect(ports).toContainEqual({ name: 'operations', port: 9090, targetPort: 'operations' });
    expect(find(objects, 'Service', 'porthole-broker')['spec'].ports).toHaveLength(1);
  });

  test('alerts can be left out, and link to the runbooks', () => {
    const rulesOf = (prometheusRule: object) =>
      find(
        render('school', { prometheusRule: { enabled: true, ...prometheusRule } }),
        'PrometheusRule',
        'porthole',
      )['spec'].groups.flatMap(
        ({ rules }: { rules: { alert?: string; annotations?: object }[] }) => rules,
      ) as {
        alert?: string;
        annotations?: object;
      }[];
    const all = rulesOf({ runbookUrl: 'https://wiki.example/runbooks/' });
    const some = rulesOf({ disabled: ['PortholeDrainStuck', 'PortholeOpensFailing'] });
    expect(all.length - some.length).toBe(4);
    expect(all.find(({ alert }) => alert === 'PortholeDrainStuck')?.annotations).toMatchObject({
      runbook_url: 'https://wiki.example/runbooks/PortholeDrainStuck.md',
    });
  });

  test('the test of a release asks a relay, with the settings and the Secrets of the broker', () => {
    const objects = render('school', { relay: { networkPolicy: { ingressFrom: [{ podSelector: {} }] } } });
    const pod = find(objects, 'Pod', 'porthole-test');
    expect(pod.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'test' });
    const [doctor] = pod['spec'].containers;
    expect(doctor.args).toEqual([
      'services/broker/dist/cli/main.js',
      'doctor',
      '--relay',
      'http://porthole-relay',
    ]);
    expect(pod['spec'].volumes).toEqual(podOf(objects, 'broker').volumes);
    // It is no broker: no request of anybody goes there. But it may ask a relay.
    expect(pod.metadata.labels?.['app.kubernetes.io/component']).toBe('test');
    const { ingress } = find(objects, 'NetworkPolicy', 'porthole-relay')['spec'];
    expect(JSON.stringify(ingress[0].from)).toContain('"app.kubernetes.io/component":"test"');
  });

  test('no preStop where nobody wants to wait, and the grace is that much shorter', () => {
    const pod = podOf(render('school', { relay: { preStopSeconds: 0 } }), 'relay');
    expect(pod.containers[0].lifecycle).toBeUndefined();
    expect(pod.terminationGracePeriodSeconds).toBe(75);
  });

  test('relays stay where KEDA can not tell how many are needed', () => {
    const { spec } = find(render('school', readExample('keda-sessions')), 'ScaledObject', 'porthole-relay');
    expect(spec.fallback).toEqual({ failureThreshold: 3, replicas: 4 });
    expect(spec.triggers.map(({ type }: { type: string }) => type)).toEqual(['prometheus', 'cron']);
  });
});

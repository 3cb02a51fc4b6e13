import { describeWith } from '../needs.ts';
import { danglingReferences } from './dangling-references.ts';
import { readExample } from './installations.ts';
import { findManifest, render, valuesFiles, type Manifest } from './render.ts';
import { schemaError } from './schema-errors.ts';
import { unknownFields } from './unknown-fields.ts';

describeWith('helm')('values', () => {
  const rendered = new Map<string, readonly Manifest[]>();
  const manifestsOf = (file: string) => rendered.get(file) ?? [];
  beforeAll(() => {
    for (const file of valuesFiles) rendered.set(file, render(file));
  });

  test.each([
    { fullnameOverride: 'x'.repeat(90) },
    { fullnameOverride: 'screens' },
    { nameOverride: 'screens' },
    { nameOverride: 'y'.repeat(80) },
  ])('names have at most 63 characters and references stay valid with %j', (values) => {
    for (const release of ['porthole', 'r'.repeat(50)]) {
      const enabled = { tests: { publicUrl: { enabled: true } } };
      const manifests = [...render('production', { ...values, ...enabled }, release)];
      const withIngress = { ...values, ingress: { enabled: true }, httpRoute: { enabled: false } };
      manifests.push(...render('production', withIngress, release).filter(({ kind }) => kind === 'Ingress'));
      expect(danglingReferences(manifests)).toEqual([]);
      for (const { metadata } of manifests) {
        expect(metadata.name.length).toBeLessThanOrEqual(63);
        for (const label of Object.values(metadata.labels ?? {}))
          expect(label.length).toBeLessThanOrEqual(63);
      }
    }
  });

  test('the HTTPRoute has timeouts only if httpRoute.relayTimeouts is set', () => {
    const rulesOf = (manifests: readonly Manifest[]) =>
      findManifest(manifests, 'HTTPRoute', 'porthole')['spec'].rules;
    expect(rulesOf(manifestsOf('production'))[0].timeouts).toEqual({ request: '0s' });
    const withoutTimeouts = render('scheduled-scaling', {
      httpRoute: { enabled: true, parentRefs: [{ name: 'public' }] },
    });
    for (const rule of rulesOf(withoutTimeouts)) expect(rule.timeouts).toBeUndefined();
  });

  test('the Ingress has the timeout annotations of its controller, which ingress.annotations override', () => {
    const annotationsWith = (ingress: object) =>
      findManifest(render('evaluation', { ingress }), 'Ingress', 'porthole').metadata.annotations;
    expect(annotationsWith({ controller: 'nginx' })).toMatchObject({
      'nginx.ingress.kubernetes.io/proxy-read-timeout': '3600',
    });
    const annotations = { 'haproxy.org/timeout-tunnel': '2h' };
    expect(annotationsWith({ controller: 'haproxy', annotations })).toEqual(annotations);
    expect(annotationsWith({})).toBeUndefined();
  });

  test.each(['https://Porthole.example.org', 'https://porthole.example.org:8443/'])(
    'the Ingress and the HTTPRoute have only the host of %s',
    (publicUrl) => {
      const config = { publicUrl };
      const { rules } = findManifest(render('evaluation', { config }), 'Ingress', 'porthole')['spec'];
      expect(rules.map(({ host }: { host: string }) => host)).toEqual(['porthole.example.org']);
      const { hostnames } = findManifest(render('production', { config }), 'HTTPRoute', 'porthole')['spec'];
      expect(hostnames).toEqual(['porthole.example.org']);
    },
  );

  test.each(['https://labs.example.org/consoles', 'https://labs.example.org/consoles/'])(
    'the Ingress and the HTTPRoute send only what is below the path of %s to Porthole',
    (publicUrl) => {
      const config = { publicUrl };
      const { rules } = findManifest(render('evaluation', { config }), 'Ingress', 'porthole')['spec'];
      expect(rules).toHaveLength(1);
      expect(rules[0].host).toBe('labs.example.org');
      expect(rules[0].http.paths.map(({ path }: { path: string }) => path)).toEqual([
        '/consoles/relay/',
        '/consoles/',
      ]);
      const route = findManifest(render('production', { config }), 'HTTPRoute', 'porthole')['spec'];
      expect(route.rules.flatMap(({ matches }: { matches: unknown[] }) => matches)).toEqual([
        { path: { type: 'PathPrefix', value: '/consoles/relay/' } },
        { path: { type: 'PathPrefix', value: '/consoles' } },
      ]);
    },
  );

  test('the Ingress has additional hosts and paths, and the host of relays, with one certificate for all', () => {
    const redirect = {
      path: '/',
      pathType: 'Exact',
      backend: { service: { name: 'redirect', port: { name: 'use-annotation' } } },
    };
    const { spec } = findManifest(
      render('evaluation', {
        config: { relayUrl: 'wss://relay.example.org' },
        ingress: { extraHosts: ['lab.example.org'], extraPaths: [redirect], tls: [{ secretName: 'a' }] },
      }),
      'Ingress',
      'porthole',
    );
    const services = ({ http }: { http: { paths: { path: string; backend: typeof redirect.backend }[] } }) =>
      http.paths.map(({ path, backend }) => [path, backend.service.name]);
    const all = [
      ['/', 'redirect'],
      ['/relay/', 'porthole-relay'],
      ['/', 'porthole-broker'],
    ];
    expect(spec.rules.map((rule: Manifest) => [rule['host'], services(rule as never)])).toEqual([
      ['porthole.example.org', all],
      ['lab.example.org', all],
      ['relay.example.org', [['/', 'porthole-relay']]],
    ]);
    expect(spec.tls).toEqual([
      { secretName: 'a', hosts: ['porthole.example.org', 'lab.example.org', 'relay.example.org'] },
    ]);
  });

  test('the HTTPRoute has additional hosts and rules, and relays with a host of their own have a second one', () => {
    const rule = { matches: [{ path: { type: 'Exact', value: '/health' } }] };
    const manifests = render('production', {
      config: { relayUrl: 'wss://relay.example.org' },
      httpRoute: { extraHostnames: ['lab.example.org'], extraRules: [rule] },
      common: { service: { port: 8080 } },
    });
    const { spec } = findManifest(manifests, 'HTTPRoute', 'porthole');
    expect(spec.hostnames).toEqual(['porthole.example.org', 'lab.example.org']);
    expect(spec.rules[0]).toEqual(rule);
    const relay = { backendRefs: [{ name: 'porthole-relay', port: 8080 }], timeouts: { request: '0s' } };
    expect(spec.rules[1]).toMatchObject(relay);
    const ofRelay = findManifest(manifests, 'HTTPRoute', 'porthole-relay')['spec'];
    expect(ofRelay.hostnames).toEqual(['relay.example.org']);
    expect(ofRelay.rules).toEqual([{ matches: [{ path: { type: 'PathPrefix', value: '/' } }], ...relay }]);
    const [doctor] = findManifest(manifests, 'Pod', 'porthole-test')['spec'].containers;
    expect(doctor.args.at(-1)).toBe('http://porthole-relay:8080');
    for (const manifest of manifests) expect(schemaError(manifest)).toBeUndefined();
  });

  test('Services have the fields of NodePorts and load balancers', () => {
    const loadBalancer = {
      type: 'LoadBalancer',
      loadBalancerClass: 'example.org/internal',
      loadBalancerSourceRanges: ['192.0.2.0/24'],
      externalTrafficPolicy: 'Local',
      ipFamilyPolicy: 'PreferDualStack',
      ipFamilies: ['IPv4', 'IPv6'],
    };
    const manifests = render('production', {
      broker: { service: { type: 'NodePort', nodePort: 30_080 } },
      relay: { service: { ...loadBalancer, loadBalancerIP: '192.0.2.7', port: 443 } },
    });
    const broker = findManifest(manifests, 'Service', 'porthole-broker');
    expect(broker['spec']).toMatchObject({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] });
    const relay = findManifest(manifests, 'Service', 'porthole-relay');
    expect(relay['spec']).toMatchObject({
      ...loadBalancer,
      loadBalancerIP: '192.0.2.7',
      ports: [{ port: 443 }],
    });
    for (const manifest of [broker, relay]) {
      expect(unknownFields(manifest)).toEqual([]);
      expect(schemaError(manifest)).toBeUndefined();
    }
  });

  test('relays scale by consoles, by CPU, or by both', () => {
    const metricsWith = (autoscaling: object) => {
      const manifests = render('production', { relay: { autoscaling } });
      const autoscaler = findManifest(manifests, 'HorizontalPodAutoscaler', 'porthole-relay');
      expect([...(unknownFields(autoscaler) ?? []), schemaError(autoscaler)]).toEqual([undefined]);
      return autoscaler['spec'].metrics;
    };
    const cpu = {
      type: 'ContainerResource',
      containerResource: {
        name: 'cpu',
        container: 'relay',
        target: { type: 'Utilization', averageUtilization: 70 },
      },
    };
    const byCpu = { targetCPUUtilizationPercentage: 70 };
    expect(metricsWith({ ...byCpu, targetSessionsPerPod: 0 })).toEqual([cpu]);
    expect(metricsWith(byCpu)).toEqual([expect.objectContaining({ type: 'Pods' }), cpu]);
    expect(metricsWith({})).toEqual([expect.objectContaining({ type: 'Pods' })]);
  });

  test('ingress.tls uses the host of config.publicUrl, unless hosts are given', () => {
    const tlsWith = (tls: object[]) =>
      findManifest(render('evaluation', { ingress: { tls } }), 'Ingress', 'porthole')['spec'].tls;
    expect(tlsWith([{ secretName: 'a' }, { secretName: 'b', hosts: ['other.example.org'] }])).toEqual([
      { secretName: 'a', hosts: ['porthole.example.org'] },
      { secretName: 'b', hosts: ['other.example.org'] },
    ]);
    expect(tlsWith([])).toBeUndefined();
  });

  test('the broker gets API permissions only if rbac values are set, and no more than it needs', () => {
    expect(manifestsOf('evaluation').filter(({ kind }) => kind.includes('Role'))).toEqual([]);
    expect(findManifest(manifestsOf('production'), 'Role', 'porthole-broker')['rules']).toEqual([
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

  test('the NetworkPolicy of the broker allows the Kubernetes API only if rbac values are set', () => {
    const egressOf = (file: string) =>
      findManifest(manifestsOf(file), 'NetworkPolicy', 'porthole-broker')['spec'].egress;
    expect(egressOf('production')).toContainEqual({ ports: [{ port: 443 }, { port: 6443 }] });
    expect(egressOf('evaluation')).toHaveLength(3);
  });

  test('a ServiceMonitor adds the metrics port to its Service', () => {
    const manifests = render('production', {
      relay: { podMonitor: { enabled: false }, serviceMonitor: { enabled: true, interval: '15s' } },
    });
    const { spec } = findManifest(manifests, 'ServiceMonitor', 'porthole-relay');
    expect(spec.endpoints).toEqual([{ port: 'operations', path: '/metrics', interval: '15s' }]);
    const portsOf = (name: string) => findManifest(manifests, 'Service', name)['spec'].ports;
    expect(portsOf('porthole-relay')).toContainEqual({
      name: 'operations',
      port: 9090,
      targetPort: 'operations',
    });
    expect(portsOf('porthole-broker')).toHaveLength(1);
    const podMonitors = manifests.filter(({ kind }) => kind === 'PodMonitor');
    expect(podMonitors.map(({ metadata }) => metadata.name)).toEqual(['porthole-broker']);
  });

  test('prometheusRule.disabled leaves out alerts, and prometheusRule.runbookUrl adds links', () => {
    interface Rule {
      readonly alert?: string;
      readonly annotations?: object;
    }
    const rulesWith = (prometheusRule: object): readonly Rule[] => {
      const manifests = render('production', { prometheusRule: { enabled: true, ...prometheusRule } });
      const { groups } = findManifest(manifests, 'PrometheusRule', 'porthole')['spec'];
      return groups.flatMap(({ rules }: { rules: readonly Rule[] }) => rules);
    };
    const all = rulesWith({ runbookUrl: 'https://wiki.example/runbooks/' });
    const some = rulesWith({ disabled: ['PortholeDrainStuck', 'PortholeOpensFailing'] });
    expect(all.length - some.length).toBe(4);
    expect(all.find(({ alert }) => alert === 'PortholeDrainStuck')?.annotations).toMatchObject({
      runbook_url: 'https://wiki.example/runbooks/PortholeDrainStuck.md',
    });
  });

  test('relay.keda renders triggers, schedules and the fallback', () => {
    const manifests = render('production', readExample('keda-sessions'));
    const { spec } = findManifest(manifests, 'ScaledObject', 'porthole-relay');
    expect(spec.fallback).toEqual({ failureThreshold: 3, replicas: 4 });
    expect(spec.triggers.map(({ type }: { type: string }) => type)).toEqual(['prometheus', 'cron']);
  });
});

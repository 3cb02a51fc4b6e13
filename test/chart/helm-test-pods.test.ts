import { describeWith } from '../needs.ts';
import { readExample } from './installations.ts';
import { findManifest, render } from './render.ts';

describeWith('helm')('the pods of helm test', () => {
  test('run the doctor against the relay Service, with the volumes of the broker', () => {
    const manifests = render('production');
    const pod = findManifest(manifests, 'Pod', 'porthole-test');
    const [doctor] = pod['spec'].containers;
    expect(doctor.args).toEqual([
      'services/broker/dist/cli/main.js',
      'doctor',
      '--relay',
      'http://porthole-relay',
    ]);
    const broker = findManifest(manifests, 'Deployment', 'porthole-broker')['spec'].template.spec;
    expect(pod['spec'].volumes).toEqual(broker.volumes);
    expect(manifests.filter(({ kind }) => kind === 'Pod')).toHaveLength(1);
  });

  test('are kept after the test, so that helm test --logs can read their logs', () => {
    const { annotations } = findManifest(render('production'), 'Pod', 'porthole-test').metadata;
    expect(annotations).toMatchObject({
      'helm.sh/hook': 'test',
      'helm.sh/hook-delete-policy': 'before-hook-creation',
    });
  });

  test('can connect to relays, but get no requests for the broker', () => {
    const manifests = render('production', {
      relay: { networkPolicy: { ingressFrom: [{ podSelector: {} }] } },
    });
    const pod = findManifest(manifests, 'Pod', 'porthole-test');
    expect(pod.metadata.labels?.['app.kubernetes.io/component']).toBe('test');
    const { ingress } = findManifest(manifests, 'NetworkPolicy', 'porthole-relay')['spec'];
    expect(JSON.stringify(ingress[0].from)).toContain('"app.kubernetes.io/component":"test"');
  });

  test('include a pod that connects through config.publicUrl, if tests.publicUrl is enabled', () => {
    const manifests = render('production', { tests: { publicUrl: { enabled: true } } });
    const [doctor] = findManifest(manifests, 'Pod', 'porthole-test-public-url')['spec'].containers;
    expect(doctor.args.slice(-2)).toEqual(['--relay', 'https://porthole.example.org']);
    // No NetworkPolicy selects the pod, so its egress to the ingress or Gateway is allowed.
    for (const { kind, spec } of manifests)
      if (kind === 'NetworkPolicy')
        expect(spec.podSelector.matchLabels['app.kubernetes.io/component']).not.toBe('test');
  });

  test('read what the broker reads: variables, volumes and init containers', () => {
    const values = {
      extraEnv: [{ name: 'TZ', value: 'UTC' }],
      extraEnvFrom: [{ configMapRef: { name: 'extra' } }],
      extraVolumes: [{ name: 'ca', emptyDir: {} }],
      extraVolumeMounts: [{ name: 'ca', mountPath: '/ca' }],
      initContainers: [{ name: 'init', image: 'b' }],
      serviceAccount: { create: false, name: 'custom' },
    };
    const { spec } = findManifest(render('production', { broker: values }), 'Pod', 'porthole-test');
    expect(spec).toMatchObject({ initContainers: [{ name: 'init' }], serviceAccountName: 'custom' });
    expect(spec.volumes).toContainEqual({ name: 'ca', emptyDir: {} });
    const [doctor] = spec.containers;
    expect(doctor.env).toContainEqual({ name: 'TZ', value: 'UTC' });
    expect(doctor.envFrom).toEqual([{ configMapRef: { name: 'extra' } }]);
    expect(doctor.volumeMounts).toContainEqual({ name: 'ca', mountPath: '/ca' });
  });

  test('run with the security context of the broker', () => {
    const { spec } = findManifest(render('production', readExample('openshift')), 'Pod', 'porthole-test');
    expect(spec.securityContext).toMatchObject({ runAsUser: 1_000_690_000, runAsNonRoot: true });
  });
});

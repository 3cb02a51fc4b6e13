import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describeWith } from '../needs.ts';
import { chartFolder } from './chart-folder.ts';
import { danglingReferences } from './dangling-references.ts';
import { findManifest, render, type Manifest } from './render.ts';

const podTemplate = (manifests: readonly Manifest[], component: string) =>
  findManifest(manifests, 'Deployment', `porthole-${component}`)['spec'].template;

describeWith('helm')('pod values', () => {
  let production: readonly Manifest[];
  beforeAll(() => {
    production = render('production');
  });

  test('override and extend every part of the pod', () => {
    const manifests = render('production', {
      broker: {
        podSecurityContext: { runAsUser: 1_000_690_000 },
        containerSecurityContext: { runAsGroup: 7 },
        startupProbe: { failureThreshold: 90 },
        livenessProbe: { periodSeconds: 30 },
        readinessProbe: { timeoutSeconds: 9 },
        lifecycle: { preStop: { sleep: { seconds: 3 } } },
        extraContainerSpec: { terminationMessagePolicy: 'FallbackToLogsOnError' },
        extraPodSpec: { schedulerName: 'custom' },
        extraEnv: [{ name: 'TZ', value: 'UTC' }],
        extraEnvFrom: [{ configMapRef: { name: 'extra' } }],
        extraVolumes: [{ name: 'tmp', emptyDir: {} }],
        extraVolumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
        extraContainers: [{ name: 'sidecar', image: 'a' }],
        initContainers: [{ name: 'init', image: 'b' }],
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ operator: 'Exists' }],
        affinity: { podAntiAffinity: {} },
        priorityClassName: 'high',
        dnsConfig: { options: [{ name: 'ndots', value: '1' }] },
        hostAliases: [{ ip: '192.0.2.1', hostnames: ['pve1'] }],
        topologySpreadConstraints: [{ maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
        serviceAccount: { create: false, name: 'custom' },
        podLabels: { team: 'teaching' },
        podAnnotations: { note: 'x' },
      },
    });
    const { metadata, spec } = podTemplate(manifests, 'broker');
    expect(spec).toMatchObject({
      securityContext: { runAsUser: 1_000_690_000, runAsNonRoot: true },
      schedulerName: 'custom',
      initContainers: [{ name: 'init' }],
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ operator: 'Exists' }],
      affinity: { podAntiAffinity: {} },
      priorityClassName: 'high',
      dnsConfig: { options: [{ name: 'ndots', value: '1' }] },
      hostAliases: [{ ip: '192.0.2.1', hostnames: ['pve1'] }],
      topologySpreadConstraints: [{ maxSkew: 2 }],
      serviceAccountName: 'custom',
    });
    expect(spec.volumes).toContainEqual({ name: 'tmp', emptyDir: {} });
    const [container, sidecar] = spec.containers;
    expect(container).toMatchObject({
      securityContext: { runAsGroup: 7, readOnlyRootFilesystem: true },
      startupProbe: { failureThreshold: 90, httpGet: { path: '/livez' } },
      livenessProbe: { periodSeconds: 30, httpGet: { path: '/livez' } },
      readinessProbe: { timeoutSeconds: 9, httpGet: { path: '/readyz' } },
      lifecycle: { preStop: { sleep: { seconds: 3 } } },
      terminationMessagePolicy: 'FallbackToLogsOnError',
      envFrom: [{ configMapRef: { name: 'extra' } }],
    });
    expect(container.env).toContainEqual({ name: 'TZ', value: 'UTC' });
    expect(container.volumeMounts).toContainEqual({ name: 'tmp', mountPath: '/tmp' });
    expect(sidecar.name).toBe('sidecar');
    expect(metadata.labels.team).toBe('teaching');
    expect(metadata.annotations.note).toBe('x');
    const serviceAccounts = manifests.filter(({ kind }) => kind === 'ServiceAccount');
    expect(serviceAccounts.map((account) => account.metadata.name)).toEqual(['porthole-relay']);
    for (const { kind, subjects } of manifests)
      if (kind.endsWith('RoleBinding')) expect(subjects[0].name).toBe('custom');
  });

  describe('in common', () => {
    const ofEveryPod = {
      podSecurityContext: { runAsUser: 1_000_690_000 },
      containerSecurityContext: { runAsGroup: 7 },
      extraPodSpec: { schedulerName: 'custom' },
      podAnnotations: { note: 'x' },
      podLabels: { team: 'teaching' },
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      priorityClassName: 'high',
      dnsConfig: { nameservers: ['192.0.2.53'] },
      hostAliases: [{ ip: '192.0.2.1', hostnames: ['pve1'] }],
    };
    const podsWith = (values: object) =>
      render('evaluation', {
        ...values,
        global: { imagePullSecrets: ['registry', { name: 'mirror' }] },
        tests: { publicUrl: { enabled: true } },
      }).flatMap((manifest) =>
        manifest.kind === 'Pod'
          ? [manifest]
          : manifest['spec']?.template?.spec
            ? [manifest['spec'].template as Manifest]
            : [],
      );

    test('apply to every pod of the chart, also to those of Valkey and of helm test', () => {
      const pods = podsWith({ common: { ...ofEveryPod, image: { pullPolicy: 'Always' } } });
      expect(pods.map(({ spec }): string => spec.containers[0].name).toSorted()).toEqual([
        'broker',
        'doctor',
        'doctor',
        'relay',
        'valkey',
      ]);
      for (const { metadata, spec } of pods) {
        const { nodeSelector, tolerations, affinity, priorityClassName, dnsConfig, hostAliases } = ofEveryPod;
        expect(spec).toMatchObject({
          nodeSelector,
          tolerations,
          affinity,
          priorityClassName,
          dnsConfig,
          hostAliases,
        });
        expect(spec).toMatchObject({
          schedulerName: 'custom',
          securityContext: { runAsUser: 1_000_690_000, runAsNonRoot: true },
          imagePullSecrets: [{ name: 'registry' }, { name: 'mirror' }],
          automountServiceAccountToken: false,
          enableServiceLinks: false,
        });
        expect(spec.containers[0]).toMatchObject({
          imagePullPolicy: 'Always',
          securityContext: { runAsGroup: 7, readOnlyRootFilesystem: true },
        });
        expect(metadata.labels).toMatchObject({ team: 'teaching' });
        expect(metadata.annotations).toMatchObject({ note: 'x' });
      }
    });

    test('are overridden by those of the component', () => {
      const own = { nodeSelector: { disk: 'hdd' }, podSecurityContext: { runAsUser: 5 }, tolerations: [] };
      const pods = podsWith({ common: ofEveryPod, broker: own, relay: own, redis: { valkey: own } });
      for (const { spec } of pods) {
        expect(spec).toMatchObject({ nodeSelector: { disk: 'hdd' }, securityContext: { runAsUser: 5 } });
        expect(spec.tolerations).toBeUndefined();
        expect(spec.priorityClassName).toBe('high');
      }
      const [broker] = podsWith({
        common: { podDisruptionBudget: { enabled: true }, preStopSeconds: 20 },
        broker: { podDisruptionBudget: { enabled: false }, preStopSeconds: 0 },
      }).filter(({ spec }) => spec.containers[0].name === 'broker');
      expect(broker?.['spec'].containers[0].lifecycle).toBeUndefined();
    });

    test('are either of every pod, or of broker and relay alone', () => {
      const ofServices = [
        'image',
        'revisionHistoryLimit',
        'minReadySeconds',
        'preStopSeconds',
        'terminationGracePeriodSeconds',
        'service',
        'podDisruptionBudget',
        'podMonitor',
        'serviceMonitor',
        'networkPolicy',
        'serviceAccount',
        'startupProbe',
        'livenessProbe',
        'readinessProbe',
        'lifecycle',
        'extraContainerSpec',
        'topologySpreadConstraints',
      ];
      // `helm test` has these of the broker, except for sidecars.
      const ofProgram = [
        'extraEnv',
        'extraEnvFrom',
        'extraVolumes',
        'extraVolumeMounts',
        'extraContainers',
        'initContainers',
      ];
      const covered = [...ofServices, ...ofProgram, ...Object.keys(ofEveryPod)];
      const { common } = parse(readFileSync(`${chartFolder}values.yaml`, 'utf8')) as { common: object };
      expect(Object.keys(common).toSorted()).toEqual(covered.toSorted());
    });
  });

  test('the image digest overrides the tag', () => {
    const manifests = render('production', { broker: { image: { tag: 'ignored' } } });
    expect(podTemplate(manifests, 'broker').spec.containers[0].image).toMatch(
      /^ghcr\.io\/porthole\/broker@sha256:[0-9a-f]{64}$/,
    );
  });

  test('global.imageRegistry overrides every registry, and an empty registry leaves the repository as it is', () => {
    const imagesWith = (values: object) =>
      render('evaluation', values).flatMap((manifest) => {
        const spec = manifest.kind === 'Pod' ? manifest['spec'] : manifest['spec']?.template?.spec;
        return (spec?.containers ?? []).map(({ image }: { image: string }) => image);
      });
    expect(new Set(imagesWith({ global: { imageRegistry: 'registry.school:5000' } }))).toEqual(
      new Set([
        'registry.school:5000/porthole/broker:0.1.0',
        'registry.school:5000/porthole/relay:0.1.0',
        'registry.school:5000/valkey/valkey:8.1-alpine',
      ]),
    );
    expect(imagesWith({ relay: { image: { registry: '', repository: 'relay', tag: 'x' } } })).toContain(
      'relay:x',
    );
  });

  test('commonLabels and commonAnnotations are set on all resources', () => {
    const manifests = render('production', { commonLabels: { a: 'b' }, commonAnnotations: { c: 'd' } });
    for (const { metadata } of manifests) {
      expect(metadata.labels).toMatchObject({ a: 'b' });
      expect(metadata.annotations).toMatchObject({ c: 'd' });
    }
  });

  test('commonLabels and podLabels cannot override the labels that selectors use', () => {
    const labels = { 'app.kubernetes.io/component': 'custom', 'app.kubernetes.io/name': 'custom' };
    const manifests = render('production', {
      commonLabels: labels,
      broker: { podLabels: labels },
      relay: { podLabels: labels },
    });
    expect(danglingReferences(manifests)).toEqual([]);
  });

  test('commonLabels change no selector and restart no pods', () => {
    const labelled = render('production', { commonLabels: { a: 'b' } });
    for (const component of ['broker', 'relay'])
      for (const field of ['selector', 'template'])
        expect(findManifest(labelled, 'Deployment', `porthole-${component}`)['spec'][field]).toEqual(
          findManifest(production, 'Deployment', `porthole-${component}`)['spec'][field],
        );
  });

  test('a change that concerns only brokers does not restart relays', () => {
    const changed = render('production', {
      config: {
        access: [{ who: { groups: ['staff'] }, which: { all: true }, allow: ['control'] }],
        signIn: { local: { usersFile: '/etc/porthole/secrets/broker/others.yaml' } },
      },
      broker: { extraEnv: [{ name: 'TZ', value: 'UTC' }] },
      rbac: { podDeletionCost: false },
    });
    expect(podTemplate(changed, 'relay')).toEqual(podTemplate(production, 'relay'));
    expect(podTemplate(changed, 'broker')).not.toEqual(podTemplate(production, 'broker'));
  });

  test('preStopSeconds: 0 removes the preStop hook and shortens the grace period', () => {
    const { spec } = podTemplate(render('production', { relay: { preStopSeconds: 0 } }), 'relay');
    expect(spec.containers[0].lifecycle).toBeUndefined();
    expect(spec.terminationGracePeriodSeconds).toBe(75);
  });

  test('terminationGracePeriodSeconds overrides the calculated grace period', () => {
    const manifests = render('production', { relay: { terminationGracePeriodSeconds: 300 } });
    expect(podTemplate(manifests, 'relay').spec.terminationGracePeriodSeconds).toBe(300);
  });
});

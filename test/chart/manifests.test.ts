import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkBrokerConfig } from '@porthole/broker/config/check-config';
import { readConfig } from '@porthole/shared/config/read';
import { parse } from 'yaml';
import { describeWith } from '../needs.ts';
import { chartFolder } from './chart-folder.ts';
import { configOf } from './config-of.ts';
import { danglingReferences } from './dangling-references.ts';
import { installations } from './installations.ts';
import { findManifest, valuesFiles, type Manifest } from './render.ts';
import { schemaError } from './schema-errors.ts';
import { unknownFields } from './unknown-fields.ts';

const podsIn = (manifests: readonly Manifest[]) =>
  manifests.flatMap((manifest) =>
    ['Deployment', 'StatefulSet'].includes(manifest.kind)
      ? [manifest['spec'].template]
      : manifest.kind === 'Pod'
        ? [manifest]
        : [],
  );

describeWith('helm')('the chart', () => {
  test.each(valuesFiles)('passes helm lint --strict with ci/%s-values.yaml', (file) => {
    const values = `${chartFolder}ci/${file}-values.yaml`;
    const run = spawnSync('helm', ['lint', '--strict', chartFolder, '-f', values]);
    expect(run.stdout.toString()).toContain('0 chart(s) failed');
  });

  describe.each(installations)('with $name', ({ manifests }) => {
    test('has no fields that the Kubernetes API does not define', () => {
      const results = manifests().map(unknownFields);
      expect(results.filter((errors) => errors !== undefined).length).toBeGreaterThan(8);
      expect(results.flatMap((errors) => errors ?? [])).toEqual([]);
    });

    test('matches the schema of every kind, including custom resources', () => {
      expect(manifests().map(schemaError).filter(Boolean)).toEqual([]);
    });

    test('has no dangling references', () => {
      expect(danglingReferences(manifests())).toEqual([]);
    });

    test('runs every pod within the restricted Pod Security Standard', () => {
      expect(podsIn(manifests()).length).toBeGreaterThanOrEqual(3);
      for (const { spec } of podsIn(manifests())) {
        expect(spec.securityContext).toMatchObject({
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        });
        expect(spec.hostNetwork ?? spec.hostPID ?? spec.hostIPC).toBeUndefined();
        for (const { configMap, secret, emptyDir, persistentVolumeClaim } of spec.volumes ?? [])
          expect(configMap ?? secret ?? emptyDir ?? persistentVolumeClaim).toBeDefined();
        for (const container of [...spec.containers, ...(spec.initContainers ?? [])])
          expect(container.securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
      }
    });

    test('gives each service a configuration that the service accepts', () => {
      for (const component of ['broker', 'relay']) {
        const text = configOf(manifests(), component);
        const folder = mkdtempSync(join(tmpdir(), 'porthole-chart-'));
        try {
          const secret = join(folder, 'secret');
          writeFileSync(secret, 'x'.repeat(64));
          const config = readConfig(
            {
              PORTHOLE_CONFIG_YAML: text.replaceAll(/\/etc\/porthole\/secrets\/[\w./-]+/g, secret),
              PORTHOLE_GRANT_KEYS_FILE: secret,
            },
            folder,
          );
          if (component === 'broker') checkBrokerConfig(config);
          const { url, sentinel, cluster } = config.redis ?? {};
          expect(url ?? sentinel ?? cluster).toBeDefined();
        } finally {
          rmSync(folder, { recursive: true });
        }
      }
    });

    test('gives pods of an old ReplicaSet all they need after an upgrade, even after a faulty one', () => {
      // An upgrade changes or deletes the ConfigMaps of the release at once.
      const configMaps = manifests()
        .filter(({ kind }) => kind === 'ConfigMap')
        .map(({ metadata }) => metadata.name);
      for (const { spec } of podsIn(manifests()))
        for (const name of configMaps) expect(JSON.stringify(spec)).not.toContain(`"${name}"`);
    });

    test('mounts every file that a configuration refers to', () => {
      for (const component of ['broker', 'relay']) {
        const text = configOf(manifests(), component);
        const { spec } = findManifest(manifests(), 'Deployment', `porthole-${component}`)['spec'].template;
        const mountPaths: string[] = spec.containers[0].volumeMounts.map(
          (mount: { mountPath: string }) => mount.mountPath,
        );
        for (const file of text.match(/\/etc\/porthole\/[\w./-]+/g) ?? [])
          expect(mountPaths.some((path) => file.startsWith(`${path}/`))).toBe(true);
      }
    });

    test('sets a termination grace period that covers preStop and the drain', () => {
      const { spec } = findManifest(manifests(), 'Deployment', 'porthole-relay')['spec'].template;
      const { limits } = parse(configOf(manifests(), 'relay')) as { limits?: { drainSeconds?: number } };
      const preStopAndDrain =
        spec.containers[0].lifecycle.preStop.sleep.seconds + (limits?.drainSeconds ?? 10);
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(preStopAndDrain + 15);
    });

    test('allows relays egress only to DNS, Redis, Proxmox VE, other relays and S3, and mounts no API token', () => {
      const { egress } = findManifest(manifests(), 'NetworkPolicy', 'porthole-relay')['spec'];
      expect(egress).toHaveLength(configOf(manifests(), 'relay').includes('\n    s3:') ? 5 : 4);
      for (const { ports } of egress) expect(ports.length).toBeGreaterThan(0);
      const { spec } = findManifest(manifests(), 'Deployment', 'porthole-relay')['spec'].template;
      expect(spec.automountServiceAccountToken).toBe(false);
    });

    test('lets only relays reach the internal port of relays, and no Service has it', () => {
      const { spec } = findManifest(manifests(), 'Deployment', 'porthole-relay')['spec'].template;
      expect(spec.containers[0].ports).toContainEqual({ name: 'internal', containerPort: 8081 });
      const policy = findManifest(manifests(), 'NetworkPolicy', 'porthole-relay')['spec'];
      const relays = [{ podSelector: policy.podSelector }];
      const portsOf = (rule: { ports: { port: unknown }[] }) => rule.ports.map(({ port }) => port);
      expect(policy.ingress.filter((rule: never) => portsOf(rule).includes('internal'))).toEqual([
        { ports: [{ port: 'internal' }], from: relays },
      ]);
      expect(policy.egress.filter((rule: never) => portsOf(rule).includes(8081))).toEqual([
        { ports: [{ port: 8081 }], to: relays },
      ]);
      for (const { kind, metadata, spec: other } of manifests()) {
        if (kind === 'Service') expect(JSON.stringify(other)).not.toMatch(/internal|8081/);
        if (kind === 'NetworkPolicy' && metadata.name !== 'porthole-relay')
          expect(JSON.stringify(other)).not.toMatch(/"internal"|8081/);
      }
    });

    test('gives every resource a unique name of at most 63 characters', () => {
      const names = manifests().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      expect(new Set(names).size).toBe(names.length);
      for (const { metadata } of manifests()) expect(metadata.name.length).toBeLessThanOrEqual(63);
    });

    test('sets the number of relays in exactly one place', () => {
      const fixed = Number('replicas' in findManifest(manifests(), 'Deployment', 'porthole-relay')['spec']);
      const autoscalers = manifests().filter(({ kind }) =>
        ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind),
      );
      expect(fixed + autoscalers.length).toBe(1);
      for (const { spec } of autoscalers) {
        const behavior = spec.behavior ?? spec.advanced.horizontalPodAutoscalerConfig.behavior;
        expect(behavior.scaleDown).toEqual({
          stabilizationWindowSeconds: 1800,
          policies: [{ type: 'Pods', value: 1, periodSeconds: 300 }],
        });
      }
    });

    test('keeps the Deployment selectors of earlier releases', () => {
      for (const component of ['broker', 'relay'])
        expect(findManifest(manifests(), 'Deployment', `porthole-${component}`)['spec'].selector).toEqual({
          matchLabels: {
            'app.kubernetes.io/name': 'porthole',
            'app.kubernetes.io/instance': 'porthole',
            'app.kubernetes.io/component': component,
          },
        });
    });
  });
});

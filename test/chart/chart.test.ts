import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkBrokerConfig } from '@porthole/broker/config/check-config';
import { readConfig } from '@porthole/shared/config/read';
import { parse } from 'yaml';
import { describeWith } from '../needs.ts';
import { installations } from './installations.ts';
import { faultOf } from './models.ts';
import { danglingReferences } from './references.ts';
import { find, valueSets, type Manifest } from './render.ts';
import { unknownFields } from './unknown-fields.ts';
import { chart } from './values.ts';

const podsOf = (objects: readonly Manifest[]) =>
  objects.flatMap((one) =>
    one.kind === 'Deployment' ? [one['spec'].template] : one.kind === 'Pod' ? [one] : [],
  );

describeWith('helm')('the chart', () => {
  test.each(valueSets)('passes the strict linter with ci/%s.yaml', (set) => {
    const run = spawnSync('helm', ['lint', '--strict', chart, '-f', `${chart}ci/${set}.yaml`]);
    expect(run.stdout.toString()).toContain('0 chart(s) failed');
  });

  describe.each(installations)('with $name', ({ objects }) => {
    test('has no field that Kubernetes does not know', () => {
      const looked = objects().map(unknownFields);
      expect(looked.filter((faults) => faults !== undefined).length).toBeGreaterThan(8);
      expect(looked.flatMap((faults) => faults ?? [])).toEqual([]);
    });

    test('has nothing that a definition of Kubernetes or of its extensions refuses', () => {
      expect(objects().map(faultOf).filter(Boolean)).toEqual([]);
    });

    test('names only what is there', () => {
      expect(danglingReferences(objects())).toEqual([]);
    });

    test('keeps every pod within the restricted Pod Security Standard', () => {
      expect(podsOf(objects()).length).toBeGreaterThanOrEqual(3);
      for (const { spec } of podsOf(objects())) {
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
        const { data } = find(objects(), 'ConfigMap', `porthole-${component}`);
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
          const { url, sentinel, cluster } = config.redis ?? {};
          expect(url ?? sentinel ?? cluster).toBeDefined();
        } finally {
          rmSync(folder, { recursive: true });
        }
      }
    });

    test('mounts every file that a configuration names', () => {
      for (const component of ['broker', 'relay']) {
        const text: string = find(objects(), 'ConfigMap', `porthole-${component}`)['data']['porthole.yaml'];
        const { spec } = find(objects(), 'Deployment', `porthole-${component}`)['spec'].template;
        const mounts: string[] = spec.containers[0].volumeMounts.map(
          (mount: { mountPath: string }) => mount.mountPath,
        );
        for (const file of text.match(/\/etc\/porthole\/[\w./-]+/g) ?? [])
          expect(mounts.some((mount) => file.startsWith(`${mount}/`))).toBe(true);
      }
    });

    test('leaves time for the farewell before a pod is killed', () => {
      const { spec } = find(objects(), 'Deployment', 'porthole-relay')['spec'].template;
      const { limits } = parse(find(objects(), 'ConfigMap', 'porthole-relay')['data']['porthole.yaml']) as {
        limits?: { drainSeconds?: number };
      };
      const before = spec.containers[0].lifecycle.preStop.sleep.seconds + (limits?.drainSeconds ?? 10);
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(before + 15);
    });

    test('lets a relay reach nothing but DNS, Redis and Proxmox, and gives it no token', () => {
      const { egress } = find(objects(), 'NetworkPolicy', 'porthole-relay')['spec'];
      expect(egress).toHaveLength(3);
      for (const { ports } of egress) expect(ports.length).toBeGreaterThan(0);
      const { spec } = find(objects(), 'Deployment', 'porthole-relay')['spec'].template;
      expect(spec.automountServiceAccountToken).toBe(false);
    });

    test('names every object once, within 63 characters', () => {
      const names = objects().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      expect(new Set(names).size).toBe(names.length);
      for (const { metadata } of objects()) expect(metadata.name.length).toBeLessThanOrEqual(63);
    });

    test('says in one place how many relays there are', () => {
      const counts = Number('replicas' in find(objects(), 'Deployment', 'porthole-relay')['spec']);
      const scalers = objects().filter(({ kind }) =>
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
        expect(find(objects(), 'Deployment', `porthole-${component}`)['spec'].selector).toEqual({
          matchLabels: {
            'app.kubernetes.io/name': 'porthole',
            'app.kubernetes.io/instance': 'porthole',
            'app.kubernetes.io/component': component,
          },
        });
    });
  });
});

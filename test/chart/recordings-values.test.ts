import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import { describeWith } from '../needs.ts';
import { configOf } from './config-of.ts';
import { readExample } from './installations.ts';
import { findManifest, render, runHelmTemplate, type Manifest } from './render.ts';

const onVolume = { enabled: true, existingSecret: 'porthole-recordings', persistence: { enabled: true } };
const inBucket = {
  enabled: true,
  existingSecret: 'porthole-recordings',
  s3: { bucket: 'exams', existingSecret: 'porthole-recordings-s3' },
};
const podOf = (manifests: readonly Manifest[], component: string) =>
  findManifest(manifests, 'Deployment', `porthole-${component}`)['spec'].template.spec;
const policyOf = (manifests: readonly Manifest[], component: string): { ports: { port: unknown }[] }[] =>
  findManifest(manifests, 'NetworkPolicy', `porthole-${component}`)['spec'].egress;

describeWith('helm')('recordings values', () => {
  let folder: string;
  let volume: readonly Manifest[];
  let bucket: readonly Manifest[];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'porthole-recordings-values-'));
    writeFileSync(join(folder, 'secret'), 'x'.repeat(64));
    volume = render('production', readExample('recordings-volume'));
    bucket = render('production', readExample('recordings-s3'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What a service makes of its configuration. All secrets have the same text. */
  function recordingsOf(manifests: readonly Manifest[], component: string): Config['recordings'] {
    const secret = join(folder, 'secret');
    return readConfig(
      {
        PORTHOLE_CONFIG_YAML: configOf(manifests, component).replaceAll(
          /\/etc\/porthole\/secrets\/[\w./-]+/g,
          secret,
        ),
        PORTHOLE_GRANT_KEYS_FILE: secret,
      },
      folder,
    ).recordings;
  }

  test('become the settings of both services, of a volume', () => {
    for (const component of ['broker', 'relay'])
      expect(recordingsOf(volume, component)?.storage).toEqual({ directory: '/var/lib/porthole/recordings' });
    expect(recordingsOf(volume, 'relay')?.spool).toEqual({
      directory: '/var/lib/porthole/spool',
      diskMiB: 1024,
      memoryMiB: 64,
      flushSeconds: 4,
      chunkSeconds: 60,
      drainSeconds: 10,
    });
  });

  test('become the settings of both services, of a bucket', () => {
    const manifests = render('production', {
      recordings: {
        ...inBucket,
        s3: { ...inBucket.s3, region: 'eu-central-1', prefix: 'lab/', pathStyle: false },
        spool: { diskMiB: 4096, memoryMiB: 128, flushSeconds: 2, chunkSeconds: 20, drainSeconds: 60 },
      },
    });
    for (const component of ['broker', 'relay'])
      expect(recordingsOf(manifests, component)?.storage).toEqual({
        s3: {
          bucket: 'exams',
          region: 'eu-central-1',
          prefix: 'lab/',
          pathStyle: false,
          accessKeyId: expect.any(Function) as unknown,
          secretAccessKey: expect.any(Function) as unknown,
        },
      });
    expect(recordingsOf(manifests, 'relay')?.spool).toMatchObject({
      diskMiB: 4096,
      memoryMiB: 128,
      flushSeconds: 2,
      chunkSeconds: 20,
      drainSeconds: 60,
    });
    const { s3 } = recordingsOf(bucket, 'broker')?.storage ?? {};
    expect(s3?.endpoint?.href).toBe('https://s3.example.org:9000/');
    expect(s3?.caFile?.()).toContain('xxx');
    expect(configOf(bucket, 'relay')).toContain('caFile: /etc/porthole/secrets/recordings-s3/ca.pem');
    expect(configOf(bucket, 'relay')).toContain(
      'encryptionKeysFile: /etc/porthole/secrets/recordings/encryption-keys',
    );
  });

  test('mount Secrets read-only, and only the storage and the spool writable', () => {
    const mountsOf = (manifests: readonly Manifest[], component: string) =>
      podOf(manifests, component).containers[0].volumeMounts.filter(({ name }: { name: string }) =>
        /record|spool/.test(name),
      );
    const keys = { name: 'recording-keys', mountPath: '/etc/porthole/secrets/recordings', readOnly: true };
    const accessKey = {
      name: 'recordings-s3',
      mountPath: '/etc/porthole/secrets/recordings-s3',
      readOnly: true,
    };
    const storage = { name: 'recordings', mountPath: '/var/lib/porthole/recordings' };
    const spool = { name: 'spool', mountPath: '/var/lib/porthole/spool' };
    expect(mountsOf(volume, 'broker')).toEqual([keys, storage]);
    expect(mountsOf(volume, 'relay')).toEqual([keys, storage, spool]);
    expect(mountsOf(bucket, 'broker')).toEqual([keys, accessKey]);
    expect(mountsOf(bucket, 'relay')).toEqual([keys, accessKey, spool]);
    for (const component of ['broker', 'relay']) {
      const { volumes } = podOf(volume, component);
      expect(volumes).toContainEqual({
        name: 'recordings',
        persistentVolumeClaim: { claimName: 'porthole-recordings' },
      });
      expect(podOf(bucket, component).volumes).toContainEqual({
        name: 'recordings-s3',
        secret: { secretName: 'porthole-recordings-s3' },
      });
    }
  });

  test('give the emptyDir of the spool twice the size that the relay uses, so that the pod is not evicted', () => {
    expect(recordingsOf(bucket, 'relay')?.spool.diskMiB).toBe(1024);
    expect(podOf(bucket, 'relay').volumes).toContainEqual({
      name: 'spool',
      emptyDir: { sizeLimit: '2048Mi' },
    });
  });

  test('create a claim that pods on several nodes can use, and that helm uninstall keeps', () => {
    const claim = findManifest(volume, 'PersistentVolumeClaim', 'porthole-recordings');
    expect(claim.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    expect(claim['spec']).toEqual({
      accessModes: ['ReadWriteMany'],
      storageClassName: 'nfs',
      resources: { requests: { storage: '500Gi' } },
    });
    const existing = render('production', {
      recordings: { ...onVolume, persistence: { enabled: true, existingClaim: 'exams' } },
    });
    expect(existing.map(({ kind }) => kind)).not.toContain('PersistentVolumeClaim');
    expect(podOf(existing, 'relay').volumes).toContainEqual({
      name: 'recordings',
      persistentVolumeClaim: { claimName: 'exams' },
    });
  });

  test('accept a ReadWriteOnce volume if all pods run on one node', () => {
    const manifests = render('production', {
      recordings: { ...onVolume, persistence: { enabled: true, accessMode: 'ReadWriteOnce' } },
      common: { nodeSelector: { 'kubernetes.io/hostname': 'node-1' } },
    });
    const { spec } = findManifest(manifests, 'PersistentVolumeClaim', 'porthole-recordings');
    expect(spec.accessModes).toEqual(['ReadWriteOnce']);
  });

  test('do not change the group of all recordings at each start of a pod', () => {
    for (const component of ['broker', 'relay'])
      expect(podOf(volume, component).securityContext).toMatchObject({
        fsGroup: 10_001,
        fsGroupChangePolicy: 'OnRootMismatch',
      });
    expect(podOf(bucket, 'relay').securityContext).not.toHaveProperty('fsGroupChangePolicy');
  });

  test('allow egress to the S3 storage on its port, and none for a volume', () => {
    const withoutRecordings = render('production');
    for (const component of ['broker', 'relay']) {
      const before = policyOf(withoutRecordings, component);
      expect(policyOf(volume, component)).toEqual(before);
      const added = policyOf(bucket, component).filter(
        (rule) => !before.some((known) => JSON.stringify(known) === JSON.stringify(rule)),
      );
      expect(added).toEqual([{ ports: [{ port: 9000 }], to: [{ ipBlock: { cidr: '198.51.100.20/32' } }] }]);
    }
  });

  test.each([
    ['', 443],
    ['http://minio.storage:9000/path', 9000],
    ['http://minio.storage', 80],
    ['https://[2001:db8::1]:8443', 8443],
  ])('allow egress for the endpoint "%s" on port %i', (endpoint, port) => {
    const manifests = render('production', {
      recordings: { ...inBucket, s3: { ...inBucket.s3, endpoint } },
    });
    expect(policyOf(manifests, 'relay')).toContainEqual({ ports: [{ port }] });
  });

  test('give relays more time at their end, in which they store what is left in the spool', () => {
    const graceOf = (component: string, of = bucket) => podOf(of, component).terminationGracePeriodSeconds;
    expect(graceOf('relay')).toBe(100);
    expect(graceOf('broker')).toBe(85);
    const longer = render('production', {
      ...readExample('recordings-s3'),
      recordings: { ...inBucket, spool: { drainSeconds: 120 } },
    });
    expect(graceOf('relay', longer)).toBe(210);
  });

  test.each(['1.2Gi', 1_288_490_188, '1300M'])(
    'compare the memory of the spool with the memory limit %s of relays',
    (memory) => {
      const errorWith = (memoryMiB: number) =>
        runHelmTemplate('production', {
          recordings: { ...inBucket, spool: { memoryMiB } },
          relay: { resources: { limits: { memory } } },
        }).error;
      expect(errorWith(307)).toBe('');
      expect(errorWith(310)).toMatch(/relay\.resources\.limits\.memory \(12\d\d MiB\)/);
    },
  );

  test('leave the memory of the spool to the operator if relays have no memory limit', () => {
    const { error } = runHelmTemplate('production', {
      recordings: { ...inBucket, spool: { memoryMiB: 4096 } },
      relay: { resources: { limits: { memory: null } } },
    });
    expect(error).toBe('');
  });

  test('are not needed for rules that only try to record', () => {
    const rule = { who: { everyone: true }, which: { all: true }, allow: ['control'] };
    const access = [{ ...rule, record: 'try' }, { ...rule, record: { mode: 'try', keepDays: 7 } }, rule];
    const manifests = render('production', { config: { access } });
    expect(recordingsOf(manifests, 'relay')).toBeUndefined();
    const aClass = {
      name: 'a',
      members: { groups: ['a'] },
      machines: { pools: ['a'] },
      own: { tags: ['{user}'] },
      record: 'required',
    };
    const { error } = runHelmTemplate('production', {
      config: { classes: [aClass] },
    });
    expect(error).toContain('config.classes[0].record: requires recordings.enabled');
  });

  test('restart no brokers if only the spool changes', () => {
    const spool = render('production', { ...readExample('recordings-s3'), recordings: spoolOf(7) });
    expect(podOf(spool, 'broker')).toEqual(podOf(bucket, 'broker'));
    expect(podOf(spool, 'relay')).not.toEqual(podOf(bucket, 'relay'));
  });
});

const spoolOf = (diskMiB: number) => ({
  ...(readExample('recordings-s3')['recordings'] as object),
  spool: { diskMiB },
});

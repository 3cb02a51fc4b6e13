import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword } from '@porthole/broker/sign-in/local/password-hash';
import { systemRandom } from '@porthole/shared/crypto/random';
import { chartFolder } from '../chart/chart-folder.ts';
import { shownCommands } from '../docs/commands.ts';
import { eventually } from '../eventually.ts';
import { createCertificateAuthority } from '../fakes/proxmox/certificates.ts';
import { describeWith } from '../needs.ts';
import { toYaml } from '../to-yaml.ts';
import { inNamespace, must, run } from './cluster.ts';

/**
 * Installs, tests, upgrades and uninstalls the chart at a real cluster, step by step. The namespace enforces the restricted Pod
 * Security Standard. INSTALLATION_VALUES names a values file with what the cluster needs, such as a registry, pull secrets, and
 * a Proxmox VE that pods can reach.
 */
const name = `porthole-test-${randomUUID().slice(0, 8)}`;
const namespace = inNamespace(name);
const ownValues = process.env['INSTALLATION_VALUES'];
/** Time for pods to start, also where images must be pulled. */
const patience = 10 * 60_000;
let folder: string;

function helm(verb: 'install' | 'upgrade', ...options: readonly string[]) {
  const files = [`${chartFolder}ci/evaluation-values.yaml`, join(folder, 'values.yaml'), ownValues];
  const values = files.flatMap((file) => (file === undefined ? [] : ['-f', file]));
  return run('helm', [verb, 'porthole', chartFolder, '-n', name, ...values, ...options]);
}

async function createSecrets(): Promise<void> {
  const users = [
    { name: 'ada', groups: ['admins'], password: await hashPassword(randomUUID(), systemRandom) },
  ];
  const { caPem } = createCertificateAuthority();
  const secrets = {
    'porthole-users': { 'users.yaml': toYaml({ users }) },
    'porthole-proxmox': { token: randomUUID(), 'ca.pem': caPem },
  };
  for (const [secret, stringData] of Object.entries(secrets))
    must(
      'kubectl',
      ['-n', name, 'apply', '-f', '-'],
      toYaml({ apiVersion: 'v1', kind: 'Secret', metadata: { name: secret }, stringData }),
    );
}

describeWith(
  'helm',
  'kubectl',
  'cluster',
)('at a real cluster', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'porthole-installation-'));
    writeFileSync(
      join(folder, 'values.yaml'),
      toYaml({ ingress: { enabled: false }, rbac: { podDeletionCost: true }, relay: { replicaCount: 3 } }),
    );
    must(
      'kubectl',
      ['apply', '-f', '-'],
      toYaml({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
      }),
    );
    await createSecrets();
  });
  afterAll(() => {
    run('helm', ['uninstall', 'porthole', '-n', name]);
    run('kubectl', ['delete', 'namespace', name, '--wait=false']);
    rmSync(folder, { recursive: true });
  });

  test(
    'helm install --wait ends when all pods are ready',
    () => {
      expect(helm('install', '--wait', '--timeout', '10m')).toMatchObject({ status: 0 });
      expect(namespace.read('deployment/porthole-broker', '.status.readyReplicas')).toBe('2');
      expect(namespace.read('deployment/porthole-relay', '.status.readyReplicas')).toBe('3');
      expect(namespace.read('statefulset/porthole-valkey', '.status.readyReplicas')).toBe('1');
    },
    patience,
  );

  test(
    'helm test --logs shows what the doctor found, and a second run replaces the pod',
    () => {
      for (let round = 0; round < 2; round += 1) {
        const { status, output } = run('helm', ['-n', name, 'test', 'porthole', '--logs']);
        expect(output).toContain('POD LOGS: porthole-test');
        expect(output).not.toContain('unable to get pod logs');
        // The Proxmox VE of the evaluation values does not exist.
        if (ownValues === undefined) expect(output).toContain('proxmox_unreachable');
        else expect(status).toBe(0);
      }
    },
    patience,
  );

  test(
    'a faulty upgrade fails, and pods of the old version can still start',
    async () => {
      const missing = '/etc/porthole/secrets/users/missing.yaml';
      const setting = `config.signIn.local.usersFile=${missing}`;
      const upgrade = helm('upgrade', '--wait', '--timeout', '60s', '--set', setting);
      expect(upgrade.status).toBe(1);
      expect(Number(namespace.read('deployment/porthole-broker', '.status.availableReplicas'))).toBe(2);
      const readyNames =
        'jsonpath={range .items[?(@.status.containerStatuses[0].ready==true)]}{.metadata.name} {end}';
      const label = 'app.kubernetes.io/component=broker';
      const [old = ''] = namespace.kubectl('get', 'pods', '-l', label, '-o', readyNames).split(' ');
      const before = namespace.pods('broker');
      namespace.kubectl('delete', 'pod', old);
      await eventually(
        'the replacement is ready',
        () =>
          !namespace.pods('broker').has(old) &&
          namespace.pods('broker').size >= before.size &&
          namespace.read('deployment/porthole-broker', '.status.availableReplicas') === '2',
        { withinMs: patience },
      );
      expect(run('helm', ['-n', name, 'rollback', 'porthole', '--wait', '--timeout', '5m'])).toMatchObject({
        status: 0,
      });
    },
    2 * patience,
  );

  test(
    'enabling autoscaling keeps the number of relays, and replaces none',
    () => {
      const before = namespace.pods('relay');
      expect(before.size).toBe(3);
      expect(
        helm('upgrade', '--wait', '--timeout', '5m', '--set', 'relay.autoscaling.enabled=true'),
      ).toMatchObject({ status: 0 });
      expect(namespace.read('deployment/porthole-relay', '.spec.replicas')).toBe('3');
      expect(namespace.pods('relay')).toEqual(before);
      expect(namespace.read('hpa/porthole-relay', '.spec.minReplicas')).toBe('2');
    },
    patience,
  );

  test(
    'the commands of docs/install.md uninstall everything',
    async () => {
      await eventually('the brokers have elected a leader', () =>
        namespace.read('lease/porthole-broker', '.spec.holderIdentity').startsWith('porthole-broker'),
      );
      const commands = shownCommands()
        .filter(
          ({ page, line }) =>
            page === 'docs/install.md' && / uninstall | delete pod -l app\S+instance=/.test(line),
        )
        .map(({ line }) => line.replace('-n consoles', `-n ${name}`).split(' '));
      expect(commands).toHaveLength(2);
      for (const [program, ...args] of commands) must(program as 'helm' | 'kubectl', args);
      const kinds =
        'pods,services,deployments,replicasets,statefulsets,persistentvolumeclaims,configmaps,secrets,roles,rolebindings,serviceaccounts,networkpolicies,poddisruptionbudgets,horizontalpodautoscalers';
      const left = () =>
        namespace.kubectl('get', kinds, '-l', 'app.kubernetes.io/instance=porthole', '-o', 'name');
      // Grant keys that the chart generated are kept, as documented.
      await eventually('nothing else is left', () => left() === 'secret/porthole-keys', {
        withinMs: patience,
      });
      await eventually(
        'Kubernetes has deleted the Lease',
        () => namespace.kubectl('get', 'leases', '-o', 'name') === '',
        { withinMs: patience },
      );
    },
    3 * patience,
  );
});

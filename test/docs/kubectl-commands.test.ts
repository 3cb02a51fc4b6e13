import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { configOf } from '../chart/config-of.ts';
import { readExample } from '../chart/installations.ts';
import { runPorthole } from '../broker/cli/run-porthole.ts';
import { render, type Manifest } from '../chart/render.ts';
import { describeWith } from '../needs.ts';
import { commandsOf } from './command-checks.ts';
import { checkedValues, root } from './commands.ts';

interface PodSpec {
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
  readonly containers: readonly {
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
}

/** A command in command substitution, too. */
const commands = commandsOf('kubectl').map(({ page, line }) => ({
  page,
  line: line.replace(/^PASSWORD=\$\((.*?) \|.*$/, '$1'),
}));
/** `kubectl describe pod` in a sentence names the command only. */
const isMention = (line: string) => ['kubectl create secret tls', 'kubectl describe pod'].includes(line);
const createdSecrets = (page: string) =>
  new Map(
    commands
      .filter(({ page: own, line }) => own === page && line.includes('create secret generic'))
      .map(({ line }) => [
        /secret generic (\S+)/.exec(line)?.[1] ?? '',
        Array.from(line.matchAll(/--from-(?:file|literal)=([^=\s]+)/g), ([, key]) => key ?? ''),
      ]),
  );

const podsOf = (objects: readonly Manifest[]) =>
  objects.flatMap(({ spec }) => (spec?.template ? [spec.template.spec as PodSpec] : []));
const mountedSecrets = (objects: readonly Manifest[]) =>
  new Set(
    podsOf(objects).flatMap(({ volumes }) => volumes.flatMap(({ secret }) => secret?.secretName ?? [])),
  );
const readQuickstart = () =>
  parseAllDocuments(readFileSync(join(root, 'k8s/quickstart/porthole.yaml'), 'utf8')).map(
    (document) => document.toJS() as Manifest,
  );

describeWith('helm')('documented kubectl commands', () => {
  const installed = () => render(undefined, parse(checkedValues('docs/install.md')) as object);
  let objects: readonly Manifest[];
  beforeAll(() => {
    objects = [...installed(), ...render('production')];
  });

  test.each([
    ['docs/install.md', installed],
    ['k8s/quickstart/README.md', readQuickstart],
  ])('%s creates the Secrets that the pods mount, with the files that the settings name', (page, read) => {
    const created = createdSecrets(page);
    const manifests = read();
    expect([...created.keys()].toSorted()).toEqual([...mountedSecrets(manifests)].toSorted());
    const settings = ['broker', 'relay'].map((component) => configOf(manifests, component)).join('\n');
    for (const [, folder = '', file = ''] of settings.matchAll(
      /(\/etc\/porthole\/secrets\/[\w-]+)\/([\w.-]+)/g,
    )) {
      const mounted = podsOf(manifests).flatMap(({ volumes, containers }) => {
        const mount = containers[0]?.volumeMounts.find(({ mountPath }) => mountPath === folder);
        return volumes
          .filter(({ name }) => name === mount?.name)
          .map(({ secret }) => secret?.secretName ?? '');
      });
      expect(mounted.length).toBeGreaterThan(0);
      for (const secret of mounted) expect(created.get(secret)).toContain(file);
    }
  });

  test('other Secrets that pages and examples create are mounted, too', () => {
    expect([...createdSecrets('helm/porthole/README.md').keys()]).toEqual(['porthole-keys']);
    expect(createdSecrets('k8s/examples/redis-sentinel.yaml')).toEqual(
      new Map([['porthole-redis', ['password', 'sentinel', 'ca.pem']]]),
    );
    expect(mountedSecrets(render('production', readExample('redis-sentinel')))).toContain('porthole-redis');
  });

  test.each([
    ['docs/recordings.md', () => parse(checkedValues('docs/recordings.md')) as object],
    ['k8s/examples/recordings-s3.yaml', () => readExample('recordings-s3')],
    ['k8s/examples/recordings-volume.yaml', () => readExample('recordings-volume')],
  ])('%s creates the Secrets of recordings, with the files that the settings name', (page, read) => {
    const manifests = render('production', read());
    const files = Array.from(
      configOf(manifests, 'relay').matchAll(/\/etc\/porthole\/secrets\/recordings(?:-s3)?\/([\w.-]+)/g),
      ([, file = '']) => file,
    );
    const created = createdSecrets(page);
    expect([...created.values()].flat().toSorted()).toEqual(files.toSorted());
    for (const secret of created.keys()) expect(mountedSecrets(manifests)).toContain(secret);
  });

  test('Secrets that are read or deleted were created', () => {
    const created = [...createdSecrets('docs/install.md').keys()];
    for (const { line } of commands) {
      const read = / get secret (\S+)/.exec(line)?.[1];
      if (read !== undefined) expect(created).toContain(read);
      const deleted = / delete secret (.+)$/.exec(line)?.[1];
      if (deleted !== undefined) expect(deleted.split(' ').toSorted()).toEqual(created.toSorted());
    }
  });

  test('workloads, labels, kinds and files that commands name are there', () => {
    const workloads = objects.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`);
    const labels = objects.flatMap(({ metadata }) =>
      Object.entries(metadata.labels ?? {}).map((pair) => pair.join('=')),
    );
    expect(commands.length).toBeGreaterThan(20);
    for (const { line } of commands) {
      for (const [, kind = '', name = ''] of line.matchAll(/(deploy|deployment|statefulset)\/([\w-]+)/g))
        expect(workloads).toContain(`${kind === 'deploy' ? 'deployment' : kind}/${name}`);
      for (const [, list = ''] of line.matchAll(/ -l (\S+)/g))
        for (const label of list.split(',')) expect(labels).toContain(label);
      for (const [, file = ''] of line.matchAll(/ -f (\S+)/g))
        expect(() => readFileSync(join(root, file))).not.toThrow();
      if (/ get hpa/.test(line)) expect(objects.map(({ kind }) => kind)).toContain('HorizontalPodAutoscaler');
      const account = /--as=system:serviceaccount:consoles:(\S+)/.exec(line)?.[1];
      if (account !== undefined) {
        expect(workloads).toContain(`serviceaccount/${account}`);
        const [, verb, resource] = / can-i (\S+) (\S+)/.exec(line) ?? [];
        const rules: unknown = objects.find(({ kind }) => kind === 'Role')?.['rules'];
        expect(rules).toContainEqual(
          expect.objectContaining({
            resources: [resource],
            verbs: expect.arrayContaining([verb]) as readonly string[],
          }),
        );
      }
      const namespace = / -n (\S+)/.exec(line)?.[1];
      if (namespace !== undefined) expect(namespace).toBe('consoles');
    }
  });

  const commandsInPods = new Set(commands.flatMap(({ line }) => / exec .*? -- (.*)/.exec(line)?.[1] ?? []));

  test.each([...commandsInPods])('%s is a command of the image', async (line) => {
    const [node, script, ...words] = line.replace(/ > \S+$/, '').split(' ');
    expect([node, script]).toEqual(['node', 'services/broker/dist/cli/main.js']);
    const names = words.filter((word) => /^[a-z]+$/.test(word));
    const { code, out } = await runPorthole([...names, '--help'], '.');
    expect(code).toBe(0);
    expect(out).toContain(`porthole ${names.join(' ')}`);
    for (const option of words.filter((word) => word.startsWith('-'))) expect(out).toContain(option);
  });
});

describeWith('kubectl')('kubectl itself', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'porthole-kubectl-'));
    symlinkSync(join(root, 'k8s'), join(folder, 'k8s'));
    for (const name of [
      'token.txt',
      'token',
      'ca.pem',
      'pve-root-ca.pem',
      'users.yaml',
      'recording-keys.txt',
      'access-key-id',
      'secret-access-key',
    ])
      writeFileSync(join(folder, name), 'x');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (line: string) => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, KUBECONFIG: join(folder, 'none'), PASSWORD: 'x' },
    });
    return { status, output: stdout + stderr };
  };
  const unreachable = '--server=http://127.0.0.1:1';

  test.each(commands.filter(({ line }) => / create (secret generic|namespace)/.test(line)))(
    '$page: $line creates what it says',
    ({ line }) => {
      const { status, output } = run(`${line} --dry-run=client -o name`);
      expect(output.trim()).toBe(
        line.includes('namespace')
          ? 'namespace/consoles'
          : `secret/${/secret generic (\S+)/.exec(line)?.[1]}`,
      );
      expect(status).toBe(0);
    },
  );

  test.each(
    commands.filter(({ line }) => !/ create (secret generic|namespace)/.test(line) && !isMention(line)),
  )('$page: $line is accepted until it needs a cluster', ({ line }) => {
    const { status, output } = run(line.replace('kubectl', `kubectl ${unreachable}`));
    expect(output).toMatch(/127\.0\.0\.1:1.*refused/);
    expect(output).not.toMatch(/unknown|error: (?!error validating|unable to|failed to)/);
    expect(status).toBe(1);
  });

  test('kubectl rejects an unknown option before it needs a cluster', () => {
    expect(run(`kubectl ${unreachable} get events --nope`).output).toContain('unknown flag');
  });

  test.each(commands.filter(({ line }) => isMention(line)))('$page: $line exists', ({ line }) => {
    expect(run(`${line} --help`)).toMatchObject({ status: 0 });
  });
});

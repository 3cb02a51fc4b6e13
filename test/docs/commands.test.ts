import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { describeWith } from '../needs.ts';
import { render, type Manifest } from '../chart/render.ts';
import { checkedValues, root, shownCommands } from './commands.ts';

interface PodSpec {
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
  readonly containers: readonly {
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
}

const commands = shownCommands();
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** Programs that pages call and that no test can: each with what tries the same in its place. */
const elsewhere: Readonly<Record<string, string>> = {
  'apt-get': '.ci/run installs the same packages, see below',
  curl: 'test/relay/door.test.ts asks for an upgrade with the same headers',
  docker: 'test/images/containers.test.ts, where an engine is there',
  echo: 'test/fronts/fronts.test.ts sends the same lines to a real HAProxy',
  export: 'test/standalone/processes.test.ts starts with these variables',
  'k8s/images/debian-base.sh':
    'test/images/debian-base.test.ts runs it with replacements of debootstrap and docker',
  'PASSWORD=$(kubectl': 'test/chart/valkey.test.ts reads the password from the same Secret',
  'redis-cli': 'test/standalone/redis-move.test.ts runs them with two servers',
  pveum: "the simulated Proxmox's account has the same role",
};

const runs = (program: string) => commands.filter(({ line }) => line.split(' ')[0] === program);

test('every command that a page shows is one that something tries', () => {
  const known = new Set(['npm', 'helm', 'kubectl', 'IMAGES=0.1.0', ...Object.keys(elsewhere)]);
  const unknown = commands.filter(
    ({ line }) => !known.has(line.split(' ')[0] ?? '') && !/^[A-Z_]+=\S+$/.test(line),
  );
  expect(unknown).toEqual([]);
  expect(commands.length).toBeGreaterThan(50);
});

test('npm is told to run what there is', () => {
  for (const { line } of commands.filter((one) => /(^|\s)npm /.test(one.line))) {
    const [, verb = '', name = ''] = /npm (?:run )?(--silent )?([\w:-]+)/.exec(line) ?? [];
    if (['ci', 'install'].includes(name)) continue;
    expect({ line, there: scripts[name] !== undefined, verb }).toMatchObject({ there: true });
  }
});

test('the README installs what .ci/run installs', () => {
  const inCi = /^packages=\(([^)]*)\)/m.exec(readFileSync(join(root, '.ci/run'), 'utf8'))?.[1];
  expect(runs('apt-get').map(({ line }) => line)).toContain(`apt-get install ${inCi}`);
});

test('scripts that pages call are there', () => {
  for (const { line } of commands) {
    const [program = ''] = line.split(' ');
    if (program.includes('/') && !program.includes('=')) expect(existsSync(join(root, program))).toBe(true);
  }
});

describeWith('helm')('with helm', () => {
  let folder: string;
  let objects: readonly Manifest[];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'porthole-newcomer-'));
    for (const name of ['helm', 'k8s']) symlinkSync(join(root, name), join(folder, name));
    writeFileSync(join(folder, 'values.yaml'), checkedValues('docs/install.md'));
    objects = render(undefined, parse(checkedValues('docs/install.md')) as object);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const helm = (...args: readonly string[]) => {
    const run = spawnSync('helm', args, { cwd: folder, encoding: 'utf8' });
    return { status: run.status, said: run.stdout + run.stderr };
  };

  test('a newcomer gets from the values of docs/install.md to objects that can be applied', () => {
    const [line = ''] = runs('helm')
      .filter(({ page }) => page === 'docs/install.md')
      .map((one) => one.line);
    const { status, said } = helm(...line.split(' ').slice(1), '--kube-version', '1.34.0');
    expect(status).toBe(0);
    const kinds = parseAllDocuments(said).map((document) => (document.toJS() as Manifest | null)?.kind);
    for (const kind of ['Deployment', 'Service', 'ConfigMap', 'NetworkPolicy', 'Ingress'])
      expect(kinds).toContain(kind);
  });

  test('the Secrets that docs/install.md makes are those that the objects name, with the files that the settings name', () => {
    const made = new Map(
      runs('kubectl')
        .filter(({ page, line }) => page === 'docs/install.md' && line.includes('create secret'))
        .map(({ line }) => [
          /secret generic (\S+)/.exec(line)?.[1] ?? '',
          Array.from(line.matchAll(/--from-(?:file|literal)=([^=\s]+)/g), ([, key]) => key ?? ''),
        ]),
    );
    const pods = objects.flatMap(({ spec }) => (spec?.template ? [spec.template.spec as PodSpec] : []));
    const named = pods.flatMap(({ volumes }) => volumes.flatMap(({ secret }) => secret?.secretName ?? []));
    expect([...made.keys()].toSorted()).toEqual([...new Set(named)].toSorted());
    const settings = JSON.stringify(
      objects.filter(({ kind }) => kind === 'ConfigMap').map(({ data }) => data['porthole.yaml']),
    );
    for (const [, folder = '', file = ''] of settings.matchAll(
      /(\/etc\/porthole\/secrets\/[\w-]+)\/([\w.-]+)/g,
    )) {
      const mounted = pods.flatMap(({ volumes, containers }) => {
        const mount = containers[0]?.volumeMounts.find(({ mountPath }) => mountPath === folder);
        return volumes
          .filter(({ name }) => name === mount?.name)
          .map(({ secret }) => secret?.secretName ?? '');
      });
      expect(mounted.length).toBeGreaterThan(0);
      for (const secret of mounted) expect(made.get(secret)).toContain(file);
    }
  });

  test('Deployments, labels and ways into pods that pages name are there', () => {
    const deployments = objects
      .filter(({ kind }) => kind === 'Deployment')
      .map(({ metadata }) => metadata.name);
    const labels = objects.flatMap(({ metadata }) =>
      Object.entries(metadata.labels ?? {}).map((pair) => pair.join('=')),
    );
    const shown = runs('kubectl').map(({ line }) => line);
    expect(shown.length).toBeGreaterThan(10);
    for (const line of shown) {
      for (const [, name] of line.matchAll(/deploy(?:ment)?\/([\w-]+)/g)) expect(deployments).toContain(name);
      for (const [, list = ''] of line.matchAll(/ -l (\S+)/g))
        for (const label of list.split(',')) expect(labels).toContain(label);
    }
    const entries = shown.flatMap((line) => / exec .* -- (\S+ \S+)/.exec(line)?.[1] ?? []);
    expect(new Set(entries)).toEqual(new Set(['node services/broker/dist/cli/main.js']));
  });

  // What needs a cluster is tried up to the point where the cluster would be asked.
  const asked = ['diff', 'rollback', 'test', '-n'];
  const alone = runs('helm').filter(({ line }) => !asked.includes(line.split(' ')[1] ?? ''));

  test.each(alone)('$page: $line', ({ line }) => {
    const words = line.split(' ').slice(1);
    if (words[0] === 'package') {
      cpSync(join(root, 'helm/porthole'), join(folder, 'copy/porthole'), { recursive: true });
      expect(helm('package', 'copy/porthole')).toMatchObject({ status: 0 });
      return;
    }
    // `install` and `upgrade --install` differ from `template` only in that they send what comes out.
    const names = words.filter((word) => !['install', 'upgrade', 'template', '--install'].includes(word));
    const run = helm('template', ...names, '--kube-version', '1.34.0');
    expect(run.said).toContain('kind: Deployment');
    expect(run.status).toBe(0);
  });

  test('the images that docs/air-gapped.md carries in are those that the chart runs, by the values that it shows', () => {
    const carried = runs('docker')
      .filter(({ page, line }) => page === 'docs/air-gapped.md' && line.startsWith('docker pull'))
      .map(({ line }) => line.replace('docker pull ', ''));
    const pushed = runs('docker')
      .filter(({ page, line }) => page === 'docs/air-gapped.md' && line.startsWith('docker push'))
      .map(({ line }) => line.replace('docker push ', ''));
    const imagesOf = (values: object) =>
      render('production', { broker: { image: { digest: '' } }, ...values })
        .filter(({ kind }) => kind === 'Deployment')
        .map(({ spec }) => spec.template.spec.containers[0].image as string);
    expect(imagesOf({}).sort()).toEqual(carried.sort());
    expect(imagesOf(parse(checkedValues('docs/air-gapped.md')) as object).sort()).toEqual(pushed.sort());
  });
});

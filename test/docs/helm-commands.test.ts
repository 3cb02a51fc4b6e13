import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { render, type Manifest } from '../chart/render.ts';
import { renderNotes } from '../chart/render-notes.ts';
import { describeWith } from '../needs.ts';
import { commandsOf } from './command-checks.ts';
import { checkedValues, root } from './commands.ts';

/** `helm diff` is a plugin with the options of `helm upgrade`. */
const wordsOf = (line: string) => line.replace('helm diff upgrade', 'helm upgrade').split(' ').slice(1);
const verbOf = (words: readonly string[]) =>
  words.find((word, index) => !word.startsWith('-') && words[index - 1] !== '-n') ?? '';
const commands = commandsOf('helm').map((command) => ({ ...command, words: wordsOf(command.line) }));
/** `helm test` in a sentence names the command only. */
const mentions = commands.filter(({ words }) => words.length === 1);
/** Except for those with a registry, which test/chart/package.test.ts runs. */
const complete = commands.filter(({ words, line }) => words.length > 1 && !line.includes('oci://'));
const rendering = complete.filter(({ words }) => ['install', 'template', 'upgrade'].includes(verbOf(words)));
const withCluster = complete.filter(({ words }) => !['package', 'template'].includes(verbOf(words)));

describeWith('helm')('documented helm commands', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'porthole-newcomer-'));
    for (const name of ['helm', 'k8s']) symlinkSync(join(root, name), join(folder, name));
    writeFileSync(join(folder, 'values.yaml'), checkedValues('docs/install.md'));
    writeFileSync(join(folder, 'recordings.yaml'), checkedValues('docs/recordings.md'));
    cpSync(join(root, 'helm/porthole'), join(folder, 'copy/porthole'), { recursive: true });
    expect(helm('package', 'copy/porthole')).toMatchObject({ status: 0 });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const helm = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync('helm', args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, KUBECONFIG: join(folder, 'none') },
    });
    return { status, output: stdout + stderr };
  };

  test('a newcomer gets from the values of docs/install.md to objects that can be applied', () => {
    const line = rendering.find(({ page, words }) => page === 'docs/install.md' && words[0] === 'template');
    const { status, output } = helm(...(line?.words ?? []), '--kube-version', '1.34.0');
    expect(status).toBe(0);
    const kinds = parseAllDocuments(output).map((document) => (document.toJS() as Manifest | null)?.kind);
    for (const kind of ['Deployment', 'Service', 'NetworkPolicy', 'Ingress']) expect(kinds).toContain(kind);
  });

  // `install` and `upgrade` differ from `template` in what they do with the result.
  test.each(rendering)('$page: $line renders', ({ words }) => {
    const notOfTemplate = ['install', 'upgrade', 'template', '--install'];
    const args = words.filter((word) => !notOfTemplate.includes(word));
    const { status, output } = helm('template', ...args, '--kube-version', '1.34.0');
    expect(output).toContain('kind: Deployment');
    expect(status).toBe(0);
  });

  test.each(withCluster)('$page: $line is accepted until it needs a cluster', ({ words }) => {
    const { status, output } = helm(...words);
    expect(output).toMatch(/Kubernetes cluster unreachable/);
    expect(status).toBe(1);
  });

  test('helm rejects an unknown option before it needs a cluster', () => {
    expect(helm('-n', 'consoles', 'test', 'porthole', '--log').output).toContain('unknown flag');
  });

  test.each(complete.filter(({ words }) => words[0] === 'package'))('$page: $line', ({ words }) => {
    const [, ...args] = words;
    expect(helm('package', '--destination', join(folder, 'packaged'), ...args)).toMatchObject({ status: 0 });
  });

  test.each(mentions.filter(({ line }) => line !== 'helm diff'))('$page: $line exists', ({ words }) => {
    const { status, output } = helm(...words, '--help');
    expect(status).toBe(0);
    expect(output).toContain(`helm ${words[0]}`);
  });

  test('every installation waits for the pods, and every upgrade rolls back if they are not ready in time', () => {
    const changing = rendering.filter(({ line }) => !line.includes('diff') && !/ template /.test(line));
    expect(changing.length).toBeGreaterThan(6);
    // Moving Redis has a step of its own for a failure, and an example installs or upgrades.
    const needsAtomic = (line: string) => line.includes(' upgrade ') && !/--install|redis/.test(line);
    for (const { page, line } of changing) {
      expect(line).toContain('--wait');
      if (page !== 'docs/redis.md' && needsAtomic(line)) expect(line).toContain('--atomic');
    }
  });

  test('every command names the release and the namespace of docs/install.md', () => {
    for (const { words } of complete) {
      const namespace = words[words.indexOf('-n') + 1];
      if (words.includes('-n')) expect(namespace).toBe('consoles');
      if (verbOf(words) !== 'package') expect(words).toContain('porthole');
    }
  });

  test('the commands of NOTES.txt name the objects of the release', () => {
    const values = parse(checkedValues('docs/install.md')) as object;
    const text = renderNotes('screens', { ...values, fullnameOverride: 'porthole' });
    expect(Array.from(text.matchAll(/^ {2}((?:kubectl|helm) .*)$/gm), ([, line]) => line)).toEqual([
      'kubectl -n lab rollout status deployment/porthole-broker',
      'kubectl -n lab rollout status deployment/porthole-relay',
      'helm -n lab test screens --logs',
    ]);
  });

  test('the values of docs/air-gapped.md take all images from the registry that the page pushes to', () => {
    const pushed = commandsOf('docker')
      .filter(({ page, line }) => page === 'docs/air-gapped.md' && line.startsWith('docker push'))
      .map(({ line }) => line.replace('docker push ', ''));
    const imagesOf = (values: object) =>
      render('production', { broker: { image: { digest: '' } }, ...values })
        .filter(({ kind }) => kind === 'Deployment')
        .map(({ spec }) => spec.template.spec.containers[0].image as string);
    expect(imagesOf(parse(checkedValues('docs/air-gapped.md')) as object).toSorted()).toEqual(
      pushed.toSorted(),
    );
  });
});

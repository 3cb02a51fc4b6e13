import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { describeWith } from '../needs.ts';
import { findManifest, render } from './render.ts';

/**
 * Runs the commands of the Valkey container with Debian's redis-server and redis-cli, from which Valkey descends. Programs
 * in `bin` add the port of the test.
 */
describeWith('helm', 'redis')('the Valkey of the chart', () => {
  let folder: string;
  let port: number;
  let server: ChildProcess | undefined;
  let container: {
    readonly command: readonly string[];
    readonly readinessProbe: { readonly exec: { readonly command: readonly string[] } };
  };
  const password = 'a password with "quotes" and a $';

  beforeAll(async () => {
    const statefulSet = findManifest(render('evaluation'), 'StatefulSet', 'porthole-valkey');
    container = statefulSet['spec'].template.spec.containers[0];
    folder = mkdtempSync(join(tmpdir(), 'porthole-valkey-'));
    port = await freePort();
    for (const name of ['bin', 'data', 'secret']) mkdirSync(join(folder, name));
    for (const [name, program] of [
      ['valkey-server', `redis-server "$@" --bind 127.0.0.1 --port ${port}`],
      ['valkey-cli', `redis-cli -p ${port} "$@"`],
    ] as const)
      writeFileSync(join(folder, 'bin', name), `#!/bin/sh\nexec ${program}\n`, { mode: 0o755 });
    writeFileSync(join(folder, 'secret/password'), `${password}\n`);
  });
  afterEach(stop);
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The command with the paths of the test. */
  const command = (words: readonly string[]): [string, ...string[]] => {
    const [program = '', ...args] = words.map((word) =>
      word.replaceAll('/etc/valkey', join(folder, 'secret')).replaceAll('/data', join(folder, 'data')),
    );
    return [program, ...args];
  };
  const environment = () => ({ PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter) });

  const isReady = () => {
    const [program, ...args] = command(container.readinessProbe.exec.command);
    return spawnSync(program, args, { env: environment() }).status === 0;
  };
  const send = (auth: string, ...args: string[]) =>
    spawnSync('redis-cli', ['-p', String(port), ...args], {
      encoding: 'utf8',
      env: { ...environment(), REDISCLI_AUTH: auth },
    }).stdout.trim();

  async function start(): Promise<ChildProcess> {
    const [program, ...args] = command(container.command);
    server = spawn(program, args, { env: environment(), stdio: 'ignore' });
    await eventually('the readiness probe passes', isReady);
    return server;
  }

  async function stop(): Promise<void> {
    if (!server || server.exitCode !== null) return;
    server.kill('SIGTERM');
    await once(server, 'exit');
  }

  test('requires the password of the Secret, and shows it in no process list', async () => {
    const { pid } = await start();
    expect(send('', 'get', 'a')).toContain('NOAUTH');
    expect(send(password, 'config', 'get', 'maxmemory-policy')).toContain('noeviction');
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain('quotes');
  }, 30_000);

  test('keeps its data when the pod is replaced', async () => {
    await start();
    expect(send(password, 'set', 'porthole:x', 'kept')).toBe('OK');
    await stop();
    expect(isReady()).toBe(false);
    await start();
    expect(send(password, 'get', 'porthole:x')).toBe('kept');
  }, 30_000);

  test('does not start without a password', () => {
    writeFileSync(join(folder, 'secret/password'), '\n');
    const [program, ...args] = command(container.command);
    const run = spawnSync(program, args, { env: environment(), encoding: 'utf8', timeout: 10_000 });
    expect(run).toMatchObject({ status: 1, stderr: 'The password is empty.\n' });
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '@porthole/shared/config/read';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import { runProcess, type ProcessPort } from '@porthole/shared/process/run-process';
import { StartError } from '@porthole/shared/process/start-error';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { createFakeClock } from '../../fakes/clock.ts';
import { recordedLog } from '../store/store-harness.ts';

/** A fake process that records exit codes and its standard error. */
function aProcess() {
  const listeners = new Map<string, (error: unknown) => void>();
  const exits: number[] = [];
  let told = '';
  const port: ProcessPort = {
    on: (event: string, listener: (error: unknown) => void) => listeners.set(event, listener),
    exit: (code) => void exits.push(code),
    stderr: { write: (text) => (told += text) },
  };
  return {
    port,
    exits,
    told: () => told,
    send: (signal: 'SIGTERM' | 'SIGINT') => listeners.get(signal)?.(undefined),
    fail: (event: 'unhandledRejection' | 'uncaughtException', error: unknown) =>
      listeners.get(event)?.(error),
  };
}

function withParts(components: readonly LifecycleComponent[]) {
  return () => ({
    log: recordedLog().log,
    clock: createFakeClock(),
    registry: createRegistry(),
    components,
  });
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a process', () => {
  test('runs until SIGTERM, and exits with 0', async () => {
    const { port, exits, send } = aProcess();
    const story: string[] = [];
    const part: LifecycleComponent = {
      name: 'server',
      start: async () => void story.push('starts'),
      stop: async () => void story.push('stops'),
    };
    await runProcess(port, withParts([part]));
    expect(exits).toEqual([]);
    send('SIGTERM');
    await settle();
    expect(story).toEqual(['starts', 'stops']);
    expect(exits).toEqual([0]);
  });

  test('handles SIGINT like SIGTERM', async () => {
    const { port, exits, send } = aProcess();
    await runProcess(port, withParts([{ name: 'a' }]));
    send('SIGINT');
    await settle();
    expect(exits).toEqual([0]);
  });

  test.each([
    [new StartError('Cannot listen on :8080.'), /^Cannot listen on :8080\.\n$/],
    [new Error('a bug'), /^Error: a bug\n +at /],
  ])('that cannot start writes %s, with a stack only for bugs, and exits with 1', async (error, output) => {
    const { port, exits, told } = aProcess();
    await runProcess(port, withParts([{ name: 'server', start: () => Promise.reject(error) }]));
    expect(exits).toEqual([1]);
    expect(told()).toMatch(output);
  });

  test('with an invalid configuration lists the issues without a stack, and exits with 2', async () => {
    const { port, exits, told } = aProcess();
    await runProcess(port, () => {
      throw new ConfigError(['clusters: is required', 'signIn: is required']);
    });
    expect(exits).toEqual([2]);
    expect(told()).toBe('Invalid configuration:\n  - clusters: is required\n  - signIn: is required\n');
  });

  test('exits with 1 whatever was thrown', async () => {
    const { port, exits, told } = aProcess();
    await runProcess(port, () => {
      // oxlint-disable-next-line typescript/only-throw-error
      throw 'just a text';
    });
    expect(exits).toEqual([1]);
    expect(told()).toBe('just a text\n');
  });

  test('exits at once on the second signal', async () => {
    const { port, exits, send } = aProcess();
    await runProcess(port, withParts([{ name: 'server', stop: () => new Promise(() => {}) }]));
    send('SIGTERM');
    await settle();
    expect(exits).toEqual([]);
    send('SIGTERM');
    await settle();
    expect(exits).toEqual([1]);
  });

  test('that gets a signal while it starts exits with 0 and no error', async () => {
    const { port, exits, told, send } = aProcess();
    const begun = Promise.withResolvers<void>();
    const story: string[] = [];
    const running = runProcess(
      port,
      withParts([
        { name: 'store', start: () => begun.promise },
        { name: 'server', start: async () => void story.push('server starts') },
      ]),
    );
    send('SIGTERM');
    await settle();
    begun.resolve();
    await running;
    await settle();
    expect(exits).toEqual([0]);
    expect(told()).toBe('');
    expect(story).toEqual([]);
  });
});

describe.each([
  ['unhandledRejection', 'unhandled promise rejection', 'porthole_unhandled_rejections_total'],
  ['uncaughtException', 'uncaught exception', 'porthole_uncaught_exceptions_total'],
] as const)('a process with an %s', (event, message, metric) => {
  function aService(components: readonly LifecycleComponent[]) {
    const { log, lines, linesWith } = recordedLog();
    const registry = createRegistry();
    const counted = async () =>
      (await registry.getSingleMetric(metric)?.get())?.values.map(({ value }) => value);
    const build = () => ({ log, clock: createFakeClock(), registry, components });
    return { build, lines, linesWith, counted };
  }

  test('logs and counts it, stops its components, and exits with 1', async () => {
    const { port, exits, fail } = aProcess();
    const story: string[] = [];
    const stopped = Promise.withResolvers<void>();
    const { build, linesWith, counted } = aService([
      { name: 'server', stop: () => (story.push('drains'), stopped.promise) },
    ]);
    await runProcess(port, build);
    expect(await counted()).toEqual([0]);
    fail(event, new Error('GET /api2/json/x?ticket=hidden failed'));
    await settle();
    expect(story).toEqual(['drains']);
    expect(exits).toEqual([]);
    expect(await counted()).toEqual([1]);
    expect(linesWith(message)).toHaveLength(1);
    expect(JSON.parse(linesWith(message)[0] ?? '')).toMatchObject({ level: 'fatal', err: { name: 'Error' } });
    expect(linesWith('hidden')).toEqual([]);
    stopped.resolve();
    await settle();
    expect(exits).toEqual([1]);
  });

  test('goes on with the drain when there is a second one, and when the first signal comes', async () => {
    const { port, exits, fail, send } = aProcess();
    const stopped = Promise.withResolvers<void>();
    const { build, counted } = aService([{ name: 'server', stop: () => stopped.promise }]);
    await runProcess(port, build);
    fail(event, new Error('first'));
    fail(event, 'second, which is no Error');
    send('SIGTERM');
    await settle();
    expect(exits).toEqual([]);
    expect(await counted()).toEqual([2]);
    stopped.resolve();
    await settle();
    expect(exits).toEqual([1]);
  });

  test('exits with 1 also when it was stopping already', async () => {
    const { port, exits, fail, send } = aProcess();
    const stopped = Promise.withResolvers<void>();
    await runProcess(port, aService([{ name: 'server', stop: () => stopped.promise }]).build);
    send('SIGTERM');
    fail(event, new Error('while draining'));
    stopped.resolve();
    await settle();
    expect(exits).toEqual([1]);
  });

  test('that is still starting stops what has started', async () => {
    const { port, exits, told, fail } = aProcess();
    const begun = Promise.withResolvers<void>();
    const story: string[] = [];
    const { build } = aService([
      { name: 'store', start: () => begun.promise, stop: async () => void story.push('store stops') },
      { name: 'server', start: async () => void story.push('server starts') },
    ]);
    const running = runProcess(port, build);
    fail(event, new Error('early'));
    begun.resolve();
    await running;
    await settle();
    expect(story).toEqual(['store stops']);
    expect(exits).toEqual([1]);
    expect(told()).toBe('');
  });

  test('is a real process that drains and exits with 1', async () => {
    const script = fileURLToPath(new URL('./failing-service.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=source', script, event], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    if (child.exitCode === null) await once(child, 'exit');
    expect(stderr).toBe('');
    expect(stdout).toContain(`"msg":"${message}"`);
    expect(stdout).toContain('"msg":"drained"');
    expect(child.exitCode).toBe(1);
  });
});

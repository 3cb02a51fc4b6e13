import { ConfigError } from '@porthole/shared/config/read';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import { runProcess, type ProcessPort } from '@porthole/shared/process/run-process';
import { createFakeClock } from '../../fakes/clock.ts';
import { recordedLog } from '../store/store-harness.ts';

/** A process that writes down how it would have ended. */
function aProcess() {
  const listeners = new Map<string, () => void>();
  const exits: number[] = [];
  let told = '';
  const port: ProcessPort = {
    on: (signal, listener) => listeners.set(signal, listener),
    exit: (code) => void exits.push(code),
    stderr: { write: (text) => (told += text) },
  };
  return {
    port,
    exits,
    told: () => told,
    send: (signal: 'SIGTERM' | 'SIGINT') => listeners.get(signal)?.(),
  };
}

function withParts(components: readonly LifecycleComponent[], started = () => {}) {
  return () => ({ log: recordedLog().log, clock: createFakeClock(), components, started });
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a process', () => {
  test('runs until it is told to stop, and ends well', async () => {
    const { port, exits, send } = aProcess();
    const story: string[] = [];
    const part: LifecycleComponent = {
      name: 'server',
      start: async () => void story.push('starts'),
      stop: async () => void story.push('stops'),
    };
    await runProcess(
      port,
      withParts([part], () => story.push('is ready')),
    );
    expect(exits).toEqual([]);
    send('SIGTERM');
    await settle();
    expect(story).toEqual(['starts', 'is ready', 'stops']);
    expect(exits).toEqual([0]);
  });

  test('takes Ctrl-C like the signal of Kubernetes', async () => {
    const { port, exits, send } = aProcess();
    await runProcess(port, withParts([{ name: 'a' }]));
    send('SIGINT');
    await settle();
    expect(exits).toEqual([0]);
  });

  test('that can not start says why and ends with 1', async () => {
    const { port, exits, told } = aProcess();
    const part: LifecycleComponent = {
      name: 'server',
      start: () => Promise.reject(new Error('Can not listen on :8080.')),
    };
    await runProcess(port, withParts([part]));
    expect(exits).toEqual([1]);
    expect(told()).toContain('Can not listen on :8080.');
  });

  test('with a wrong configuration lists the faults, without a stack, and ends with 2', async () => {
    const { port, exits, told } = aProcess();
    await runProcess(port, () => {
      throw new ConfigError(['clusters: is missing', 'signIn: is missing']);
    });
    expect(exits).toEqual([2]);
    expect(told()).toBe(
      'The configuration has 2 faults:\n  - clusters: is missing\n  - signIn: is missing\n',
    );
  });

  test('ends with 1 whatever was thrown', async () => {
    const { port, exits, told } = aProcess();
    await runProcess(port, () => {
      // oxlint-disable-next-line typescript/only-throw-error
      throw 'just a text';
    });
    expect(exits).toEqual([1]);
    expect(told()).toBe('just a text\n');
  });

  test('does not wait any longer at the second signal', async () => {
    const { port, exits, send } = aProcess();
    await runProcess(port, withParts([{ name: 'server', stop: () => new Promise(() => {}) }]));
    send('SIGTERM');
    await settle();
    expect(exits).toEqual([]);
    send('SIGTERM');
    await settle();
    expect(exits).toEqual([1]);
  });

  test('that is told to stop while it starts ends well, without complaint', async () => {
    const { port, exits, told, send } = aProcess();
    const begun = Promise.withResolvers<void>();
    const story: string[] = [];
    const running = runProcess(
      port,
      withParts([{ name: 'store', start: () => begun.promise }, { name: 'server' }], () =>
        story.push('ready'),
      ),
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

import { createLifecycle, type LifecycleComponent } from '@porthole/shared/process/lifecycle';
import { createFakeClock } from '../../fakes/clock.ts';
import { recordedLog } from '../store/store-harness.ts';

/** Components that record their starts and stops. */
function someParts(names: readonly string[], different: Record<string, Partial<LifecycleComponent>> = {}) {
  const story: string[] = [];
  const parts = names.map((name): LifecycleComponent => ({
    name,
    start: async () => void story.push(`${name} starts`),
    stop: async () => void story.push(`${name} stops`),
    ...different[name],
  }));
  return { story, parts };
}

function aLifecycle(parts: readonly LifecycleComponent[]) {
  const clock = createFakeClock();
  const { log, lines } = recordedLog();
  return { ...createLifecycle({ clock, log, components: parts }), clock, lines };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a lifecycle', () => {
  test('starts its components in order and stops them in reverse', async () => {
    const { story, parts } = someParts(['store', 'server', 'consoles']);
    const { start, stop, clock } = aLifecycle(parts);
    await start();
    await stop();
    expect(story).toEqual([
      'store starts',
      'server starts',
      'consoles starts',
      'consoles stops',
      'server stops',
      'store stops',
    ]);
    expect(clock.pending()).toBe(0);
  });

  test('waits for each component before it starts or stops the next', async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const { story, parts } = someParts(['store', 'server'], {
      store: { start: () => begun.promise },
      server: { stop: () => ended.promise },
    });
    const { start, stop } = aLifecycle(parts);
    const starting = start();
    await settle();
    expect(story).toEqual([]);
    begun.resolve();
    await starting;
    const stopping = stop();
    await settle();
    expect(story).toEqual(['server starts']);
    ended.resolve();
    await stopping;
    expect(story).toEqual(['server starts', 'store stops']);
  });

  test('accepts components without start or stop', async () => {
    const { start, stop } = aLifecycle([{ name: 'a' }, { name: 'b' }]);
    await start();
    await stop();
  });

  test('stops what has started if a component cannot start, and rejects with its error', async () => {
    const { story, parts } = someParts(['store', 'server', 'consoles'], {
      server: { start: () => Promise.reject(new Error('port taken')) },
    });
    await expect(aLifecycle(parts).start()).rejects.toThrow('port taken');
    expect(story).toEqual(['store starts', 'server stops', 'store stops']);
  });

  test('stops once, however often stop is called', async () => {
    const { story, parts } = someParts(['store']);
    const { start, stop } = aLifecycle(parts);
    await start();
    await Promise.all([stop(), stop()]);
    await stop();
    expect(story).toEqual(['store starts', 'store stops']);
  });

  test('continues with the next component if one takes too long to stop', async () => {
    const { story, parts } = someParts(['store', 'server', 'consoles'], {
      server: { stop: () => new Promise(() => {}) },
      consoles: { stop: () => new Promise(() => {}), stopTimeoutMs: 10_000 },
    });
    const { start, stop, clock, lines } = aLifecycle(parts);
    await start();
    const stopping = stop();
    clock.advance(9999);
    await settle();
    expect(lines).toHaveLength(0);
    clock.advance(1);
    await settle();
    expect(lines).toHaveLength(1);
    clock.advance(5000);
    await stopping;
    expect(story.at(-1)).toBe('store stops');
    expect(lines[0]).toContain('consoles');
    expect(lines[1]).toContain('server');
    expect(clock.pending()).toBe(0);
  });

  test('continues with the next component if one fails to stop, and logs the error', async () => {
    const { story, parts } = someParts(['store', 'server', 'consoles'], {
      consoles: { stop: () => Promise.reject(new Error('no')) },
      server: {
        stop() {
          throw new Error('not even a promise');
        },
      },
    });
    const { start, stop, lines } = aLifecycle(parts);
    await start();
    await stop();
    expect(story.at(-1)).toBe('store stops');
    expect(lines).toHaveLength(2);
  });

  test('that is stopped while a component starts, stops that component too and starts no other', async () => {
    const begun = Promise.withResolvers<void>();
    const { story, parts } = someParts(['store', 'server', 'consoles'], {
      server: { start: () => begun.promise },
    });
    const { start, stop } = aLifecycle(parts);
    const starting = start();
    await settle();
    await stop();
    begun.resolve();
    await expect(starting).rejects.toThrow('Stopped during the start');
    expect(story).toEqual(['store starts', 'server stops', 'store stops']);
  });

  test('that is stopped while its last component starts rejects the start', async () => {
    const begun = Promise.withResolvers<void>();
    const { parts } = someParts(['server'], { server: { start: () => begun.promise } });
    const { start, stop } = aLifecycle(parts);
    const starting = start();
    await stop();
    begun.resolve();
    await expect(starting).rejects.toThrow('Stopped during the start');
  });

  test('that was stopped before its start, starts nothing', async () => {
    const { story, parts } = someParts(['store']);
    const { start, stop } = aLifecycle(parts);
    await stop();
    await expect(start()).rejects.toThrow('Stopped during the start');
    expect(story).toEqual([]);
  });
});

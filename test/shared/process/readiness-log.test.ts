import { createReadinessLog } from '@porthole/shared/process/readiness-log';
import { createFakeClock } from '../../fakes/clock.ts';
import { recordedLog } from '../store/store-harness.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

function start(answers: readonly (readonly string[] | Error)[]) {
  const clock = createFakeClock();
  const { log, linesWith } = recordedLog();
  const remaining = [...answers];
  let ready = 0;
  const component = createReadinessLog({
    readiness: async () => {
      const answer = remaining.shift() ?? [];
      if (answer instanceof Error) throw answer;
      return answer;
    },
    onReady: () => ready++,
    clock,
    log,
  });
  return {
    component,
    clock,
    ready: () => ready,
    warnings: () =>
      linesWith('"not ready"').map((line) => (JSON.parse(line) as { reasons: string[] }).reasons.join()),
    async pass(seconds: number) {
      for (let second = 0; second < seconds; second += 1) {
        clock.advance(1000);
        await settle();
      }
    },
  };
}

describe('the readiness log', () => {
  test('announces once that the service is ready, and then ends', async () => {
    const { component, clock, ready, warnings, pass } = start([]);
    await component.start?.();
    await settle();
    await pass(5);
    expect([ready(), warnings(), clock.pending()]).toEqual([1, [], 0]);
  });

  test('logs each change of the reasons until the service is ready', async () => {
    const { component, ready, warnings, pass } = start([['a'], ['a'], new Error('hidden'), ['a', 'b'], []]);
    await component.start?.();
    await settle();
    await pass(3);
    expect([ready(), warnings()]).toEqual([0, ['a', 'readiness check failed', 'a,b']]);
    await pass(3);
    expect(ready()).toBe(1);
  });

  test('announces nothing after the service was stopped', async () => {
    const { component, clock, ready, pass } = start([['a']]);
    await component.start?.();
    await settle();
    await component.stop?.();
    await pass(3);
    expect([ready(), clock.pending()]).toEqual([0, 0]);
  });
});

import type { Store } from '@porthole/shared/store/ports';
import { eventually } from '../../eventually.ts';

const long = 600_000;

/** Calls each method of a store once and checks the result. */
export async function exercise(store: Store): Promise<void> {
  const { records, leases } = store;
  await records.put('porthole:grant:1', 'v', long);
  expect(await records.get('porthole:grant:1')).toBe('v');
  expect(await records.take('porthole:grant:1')).toBe('v');
  await records.delete('porthole:grant:1');
  expect(await records.add('porthole:session:1', 'a', long)).toBe(true);
  expect(await records.add('porthole:session:1', 'b', long)).toBe(false);
  expect(await records.replace('porthole:session:1', 'a', 'b', long)).toBe(true);
  expect(await records.remove('porthole:session:1', 'b')).toBe(true);
  expect(await leases.list('exercise')).toEqual([]);
  expect(await leases.tryAcquire('exercise', 'h', 1, long)).toBe(true);
  expect(await leases.join('exercise', 'h', 1, long)).toBe(0);
  expect(await leases.count('exercise')).toBe(1);
  await leases.release('exercise', 'h');
  await store.rateLimits.spend('exercise', 100, 600);
  await store.rateLimits.check('exercise', 100, 600);
  const heard: string[] = [];
  const stop = store.signals.subscribe((message) => heard.push(message));
  await eventually(async () => {
    await store.signals.publish('m');
    expect(heard).toContain('m');
  });
  stop();
}

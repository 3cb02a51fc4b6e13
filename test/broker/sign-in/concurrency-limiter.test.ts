import { createConcurrencyLimiter } from '@porthole/broker/sign-in/concurrency-limiter';

const tick = () => new Promise((resolve) => setImmediate(resolve));

test('so many run at once, so many wait in order, and one more is refused', async () => {
  const work = createConcurrencyLimiter({ maxRunning: 2, maxQueued: 2 });
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<number>());
  const begun: number[] = [];
  const runs = gates.map((gate, index) =>
    work.run(() => {
      begun.push(index);
      return gate.promise;
    }),
  );
  await tick();
  expect(begun).toEqual([0, 1]);
  expect(work.queued()).toBe(2);
  await expect(work.run(() => Promise.resolve(9))).rejects.toMatchObject({
    code: 'rate_limited',
    retryAfter: 5,
  });

  gates[1]?.resolve(1);
  await tick();
  expect(begun).toEqual([0, 1, 2]);
  for (const [index, gate] of gates.entries()) gate.resolve(index);
  expect(await Promise.all(runs)).toEqual([0, 1, 2, 3]);
  expect(work.queued()).toBe(0);
});

test('work that fails gives its place on', async () => {
  const work = createConcurrencyLimiter({ maxRunning: 1, maxQueued: 1 });
  const failing = work.run(() => Promise.reject(new Error('no')));
  const next = work.run(() => Promise.resolve('yes'));
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
  expect(await work.run(() => Promise.resolve('again'))).toBe('again');
});

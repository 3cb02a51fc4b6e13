import { createConcurrencyLimiter } from '@porthole/broker/sign-in/concurrency-limiter';

const tick = () => new Promise((resolve) => setImmediate(resolve));

test('tasks above the limit wait in order, and are rejected if the queue is full', async () => {
  const limiter = createConcurrencyLimiter({ maxRunning: 2, maxQueued: 2 });
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<number>());
  const begun: number[] = [];
  const runs = gates.map((gate, index) =>
    limiter.run(() => {
      begun.push(index);
      return gate.promise;
    }),
  );
  await tick();
  expect(begun).toEqual([0, 1]);
  expect(limiter.queued()).toBe(2);
  await expect(limiter.run(() => Promise.resolve(9))).rejects.toMatchObject({
    code: 'rate_limited',
    retryAfter: 5,
  });

  gates[1]?.resolve(1);
  await tick();
  expect(begun).toEqual([0, 1, 2]);
  for (const [index, gate] of gates.entries()) gate.resolve(index);
  expect(await Promise.all(runs)).toEqual([0, 1, 2, 3]);
  expect(limiter.queued()).toBe(0);
});

test('a failed task hands its slot to the next', async () => {
  const limiter = createConcurrencyLimiter({ maxRunning: 1, maxQueued: 1 });
  const failing = limiter.run(() => Promise.reject(new Error('no')));
  const next = limiter.run(() => Promise.resolve('yes'));
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
  expect(await limiter.run(() => Promise.resolve('again'))).toBe('again');
});

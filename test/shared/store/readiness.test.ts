import { createStoreReadiness } from '@porthole/shared/store/readiness';

test('a pod is not ready before its store has answered once, and stays ready when the store goes away', async () => {
  let healthy = false;
  const readiness = createStoreReadiness({ healthy: async () => healthy });
  expect(await readiness()).toEqual(['the store has not responded yet']);
  healthy = true;
  expect(await readiness()).toEqual([]);
  healthy = false;
  expect(await readiness()).toEqual([]);
});

import { createStoreReadiness } from '@porthole/shared/store/readiness';

test('a pod becomes ready with the first response of the store, and stays ready during an outage', async () => {
  let healthy = false;
  const readiness = createStoreReadiness({ healthy: async () => healthy });
  expect(await readiness()).toEqual(['the store has not responded yet']);
  healthy = true;
  expect(await readiness()).toEqual([]);
  healthy = false;
  expect(await readiness()).toEqual([]);
});

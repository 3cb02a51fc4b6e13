import { createWallDials } from '@porthole/relay/sharing/wall-dials';
import type { DialledConsole, DialRequest } from '@porthole/relay/upstream/dial';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant } from '../rig.ts';

/** Dials at a node that allows three at a time, which the test ends. */
function createFixture() {
  const clock = createFakeClock();
  const running = new Map<number, PromiseWithResolvers<DialledConsole>>();
  const dials = createWallDials(({ claims }) => {
    const dial = Promise.withResolvers<DialledConsole>();
    running.set(claims.vmid, dial);
    return dial.promise;
  });
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return {
    dials,
    settle,
    running: () => [...running.keys()],
    async dial(vmid: number, thumbnail: boolean, signal = new AbortController().signal) {
      const claims = aGrant(clock, { vmid, ...(thumbnail ? { thumbnail } : {}) });
      const cluster = { name: claims.cluster, opensPerNode: 3 } as DialRequest['cluster'];
      const result = dials.dial({ holder: 'x', claims, cluster, signal, onProgress() {}, onStep() {} });
      result.catch(() => {});
      await settle();
      return result;
    },
    async end(vmid: number) {
      running.get(vmid)?.reject(new Error('ended'));
      running.delete(vmid);
      await settle();
    },
  };
}

/** Not awaited: a dial resolves when the test ends it. */
const begin = async (
  fixture: ReturnType<typeof createFixture>,
  ...dials: Parameters<typeof fixture.dial>[]
) => {
  for (const each of dials) {
    fixture.dial(...each).catch(() => {});
    await fixture.settle();
  }
};

test('a wall opens as many consoles at a node as it allows, in order', async () => {
  const fixture = createFixture();
  await begin(fixture, [101, true], [102, true], [103, true], [104, true], [105, true]);
  expect(fixture.running()).toEqual([101, 102, 103]);
  await fixture.end(102);
  expect(fixture.running()).toEqual([101, 103, 104]);
  await fixture.end(101);
  await fixture.end(103);
  expect(fixture.running()).toEqual([104, 105]);
});

test('users do not wait for walls, and walls wait for users', async () => {
  const fixture = createFixture();
  await begin(fixture, [101, true], [102, true], [103, true], [201, false], [104, true], [202, false]);
  expect(fixture.running()).toEqual([101, 102, 103, 201, 202]);
  await fixture.end(101);
  await fixture.end(102);
  expect(fixture.running()).toEqual([103, 201, 202]);
  await fixture.end(201);
  expect(fixture.running()).toEqual([103, 202, 104]);
});

test('a console for which a user waits is opened at once', async () => {
  const fixture = createFixture();
  await begin(fixture, [101, true], [102, true], [103, true], [104, true], [105, true]);
  fixture.dials.letPass({ cluster: 'lab', vmid: 105 });
  await fixture.settle();
  expect(fixture.running()).toEqual([101, 102, 103, 105]);
  await fixture.end(101);
  expect(fixture.running()).toEqual([102, 103, 105]);
  await fixture.end(102);
  expect(fixture.running()).toEqual([103, 105, 104]);
});

test('a tile that is hidden while it waits gives up its turn', async () => {
  const fixture = createFixture();
  const hidden = new AbortController();
  await begin(fixture, [101, true], [102, true], [103, true], [104, true, hidden.signal], [105, true]);
  hidden.abort(new Error('hidden'));
  await fixture.end(101);
  expect(fixture.running()).toEqual([102, 103, 105]);
});

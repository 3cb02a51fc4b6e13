import { TileCache, type TileSlots } from '@porthole/relay/picture/tile-cache';

const tile = (version: number, size = 600) => ({ version, bytes: Buffer.alloc(size), lossy: false });
/** What a tile of 600 bytes counts. */
const each = 1000;

describe('the tile cache', () => {
  test('forgets what was used least recently, in any picture, when its limit is reached', () => {
    const cache = new TileCache(3 * each);
    const [first, second]: [TileSlots, TileSlots] = [[], []];
    cache.keep(first, 0, tile(1));
    cache.keep(second, 0, tile(2));
    cache.keep(first, 7, tile(3));
    cache.find(first, 0);
    cache.keep(second, 9, tile(4));
    expect(cache.find(second, 0)).toBeUndefined();
    expect([cache.find(first, 0), cache.find(first, 7), cache.find(second, 9)]).toMatchObject([
      { version: 1 },
      { version: 3 },
      { version: 4 },
    ]);
    expect(cache.bytes).toBe(3 * each);
  });

  test('keeps one version of a tile', () => {
    const cache = new TileCache(10 * each);
    const slots: TileSlots = [];
    for (let version = 0; version < 5; version++) cache.keep(slots, 3, tile(version));
    expect(cache.find(slots, 3)).toMatchObject({ version: 4 });
    expect(cache.bytes).toBe(each);
  });

  test('keeps the latest tile even if it is larger than the limit, so that its viewer gets it', () => {
    const cache = new TileCache(each);
    const slots: TileSlots = [];
    cache.keep(slots, 0, tile(1));
    cache.keep(slots, 1, tile(2, 5000));
    expect(cache.find(slots, 0)).toBeUndefined();
    expect(cache.find(slots, 1)).toMatchObject({ version: 2 });
  });

  test('has nothing left of a picture that it forgets', () => {
    const cache = new TileCache(10 * each);
    const [first, second]: [TileSlots, TileSlots] = [[], []];
    cache.keep(first, 0, tile(1));
    cache.keep(first, 5, tile(1));
    cache.keep(second, 0, tile(1));
    cache.forgetAll(first);
    expect(first).toEqual([]);
    expect(cache.bytes).toBe(each);
  });
});

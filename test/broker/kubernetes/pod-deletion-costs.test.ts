import { deletionCostFor } from '@porthole/broker/kubernetes/pod-deletion-costs';
import fc from 'fast-check';

describe('the deletion cost of a relay', () => {
  it.each([
    [0, 0],
    [1, 1],
    [4, 1],
    [5, 5],
    [9, 5],
    [10, 10],
    [19, 10],
    [20, 20],
    [39, 20],
    [40, 40],
    [1000, 640],
  ])('with %i consoles is %i', (consoles, cost) => {
    expect(deletionCostFor(consoles)).toBe(cost);
  });

  it('never decreases with more consoles, and is a 32-bit integer', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(10_000_000), (a, b) => {
        const [few, many] = a < b ? [a, b] : [b, a];
        expect(deletionCostFor(few)).toBeLessThanOrEqual(deletionCostFor(many));
        expect(Number.isInteger(deletionCostFor(many))).toBe(true);
        expect(deletionCostFor(many)).toBeLessThan(2 ** 31);
      }),
    );
  });
});

/** Returns random integers from 0 to `below - 1`, the same ones in every run, so that a failure can be repeated. */
export type SeededRandom = (below: number) => number;

export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

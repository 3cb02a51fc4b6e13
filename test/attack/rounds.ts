/** How many times as long as in `npm test` the attacks go on: `npm run attack` sets it. */
// oxlint-disable-next-line node/no-process-env
const factor = Math.max(1, Number(process.env['PORTHOLE_ATTACK_ROUNDS'] ?? 1) || 1);

/** Rounds of an attack: `base` in `npm test`, a multiple of it in `npm run attack`. */
export function rounds(base: number): number {
  return Math.ceil(base * factor);
}

/** The time that a test with many rounds may take, in milliseconds. */
export const roundsTimeout = 60_000 * factor;

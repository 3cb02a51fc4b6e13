import type { Settings } from './settings.ts';

export const delayProfileNames = ['quick', 'real-life'] as const;
export type DelayProfileName = (typeof delayProfileNames)[number];

/**
 * Settings for the delays of a whole cluster. `quick` leaves those of the caller. `real-life` has those that were
 * measured at Proxmox VE 9.2 on two shared cores: opening a console starts two Perl programs, one in vncproxy and one
 * before the first byte, and pvestatd refreshes the status of guests every ten seconds.
 */
export const delayProfiles: Readonly<Record<DelayProfileName, Partial<Settings>>> = {
  quick: {},
  'real-life': {
    vncproxyMs: { from: 1500, to: 3000 },
    qmStartMs: { from: 1500, to: 3000 },
    statusRefreshMs: 10_000,
    unauthorizedDelayMs: 3000,
  },
};

/** Parses the name of a profile, default `quick`. Throws an error that lists the names. */
export function parseDelayProfile(text = 'quick'): DelayProfileName {
  const name = delayProfileNames.find((known) => known === text);
  if (!name) throw new Error(`There are no delays named "${text}", only ${delayProfileNames.join(' and ')}.`);
  return name;
}

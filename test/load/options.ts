import { parseArgs } from 'node:util';
import {
  delayProfileNames,
  parseDelayProfile,
  type DelayProfileName,
} from '../fakes/proxmox/delay-profiles.ts';

export const workloadNames = ['bulk', 'paced', 'small'] as const;
export type WorkloadName = (typeof workloadNames)[number];

/** Options of `npm run bench`. */
export interface Options {
  /** Measures every row in a quarter of a minute to prove that it can be measured, and writes no report. */
  readonly quick: boolean;
  /** Parts to measure. Default: all. An incomplete report is only printed. */
  readonly only: readonly Part[];
  readonly rounds: number | undefined;
  readonly sessions: number | undefined;
  /** Path of the report. Default: docs/performance.md. */
  readonly report: string | undefined;
  /** Profiles Porthole's CPU time and memory instead of comparing relays. */
  readonly profile: boolean;
  /** Another checkout of Porthole, with its dependencies installed, whose relay is measured in the same run. */
  readonly before: string | undefined;
  /** Delays of the simulated Proxmox when a class opens its consoles. Default: `real-life`, with `--quick` `quick`. */
  readonly proxmox: DelayProfileName;
}

export type Part = WorkloadName | 'idle' | 'recording' | 'shared' | 'wall' | 'broker' | 'class';
export const parts: readonly Part[] = [
  ...workloadNames,
  'idle',
  'recording',
  'shared',
  'wall',
  'broker',
  'class',
];

export const usage = `npm run bench -- [--only ${parts.join(',')}] [--rounds n] [--sessions n] [--quick] [--profile] [--report file] [--before folder] [--proxmox ${delayProfileNames.join('|')}]`;

/** Parses the command line. Throws an error for invalid options. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: parts.join(',') },
      rounds: { type: 'string' },
      sessions: { type: 'string' },
      report: { type: 'string' },
      profile: { type: 'boolean', default: false },
      before: { type: 'string' },
      proxmox: { type: 'string' },
    },
  });
  const selected = values.only.split(',');
  const unknown = selected.find((name) => !parts.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`There is no part "${unknown}". ${usage}`);
  return {
    quick: values.quick,
    only: parts.filter((part) => selected.includes(part)),
    rounds: count('rounds', values.rounds),
    sessions: count('sessions', values.sessions),
    report: values.report,
    profile: values.profile,
    before: values.before,
    proxmox: parseDelayProfile(values.proxmox ?? (values.quick ? 'quick' : 'real-life')),
  };
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--${name} takes a number. ${usage}`);
  return Number(text);
}

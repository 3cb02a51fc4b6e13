import { parseArgs } from 'node:util';

export const workloadNames = ['bulk', 'paced', 'small'] as const;
export type WorkloadName = (typeof workloadNames)[number];

/** What `npm run bench -- ...` was asked to do. */
export interface Options {
  /** Proves in half a minute that every row can be measured, and keeps nothing. */
  readonly quick: boolean;
  /** Parts to measure; all without it. What is not whole is printed and not kept. */
  readonly only: readonly Part[];
  readonly rounds: number | undefined;
  readonly sessions: number | undefined;
  /** Where the report goes instead of docs/performance.md. */
  readonly report: string | undefined;
  /** Says where Porthole's time and memory go, instead of comparing. */
  readonly profile: boolean;
  /** Another checkout of Porthole, with its dependencies installed, whose relay is measured in the same run. */
  readonly before: string | undefined;
}

export type Part = WorkloadName | 'idle' | 'broker';
export const parts: readonly Part[] = [...workloadNames, 'idle', 'broker'];

export const usage = `npm run bench -- [--only ${parts.join(',')}] [--rounds n] [--sessions n] [--quick] [--profile] [--report file] [--before folder]`;

/** Throws an error that says what is wrong. */
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
    },
  });
  const asked = values.only.split(',');
  const unknown = asked.find((name) => !parts.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`There is no part "${unknown}". ${usage}`);
  return {
    quick: values.quick,
    only: parts.filter((part) => asked.includes(part)),
    rounds: count('rounds', values.rounds),
    sessions: count('sessions', values.sessions),
    report: values.report,
    profile: values.profile,
    before: values.before,
  };
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--${name} takes a number. ${usage}`);
  return Number(text);
}

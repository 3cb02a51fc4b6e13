import type { Idle } from './measure.ts';
import type { Results } from './results.ts';
import { median } from './median.ts';

/** Compares the figures of the tables below with the relay's targets, as a Markdown table. */
export function targets({ plan, flows, idle }: Pick<Results, 'plan' | 'flows' | 'idle'>): string[] {
  const cost = (relay: string, workload: string) =>
    median((flows.get(relay)?.get(workload) ?? []).map(({ cpuPerGib }) => cpuPerGib));
  const ratio = (workload: string, relay: string) => cost('Porthole', workload) / cost(relay, workload);
  /** The median, rounded as in the tables, so that readers can verify the ratios. */
  const shown = (relay: string, of: keyof Idle, digits: number) =>
    Number(median((idle.get(relay) ?? []).map((round) => round[of])).toFixed(digits));
  const rows = [
    {
      name: 'bulk, CPU per GiB relative to nginx',
      target: 1,
      result: ratio('bulk', 'nginx'),
    },
    {
      name: 'paced, CPU per GiB relative to bare Node',
      target: 1.05,
      result: ratio('paced', 'bare Node'),
    },
    {
      name: 'small, CPU per GiB relative to bare Node',
      target: 1.1,
      result: ratio('small', 'bare Node'),
    },
    {
      name: 'p99 echo relative to nginx',
      target: 1.3,
      result: shown('Porthole', 'p99', 1) / shown('nginx', 'p99', 1),
    },
    {
      name: `RSS per session, KiB, ${plan.idleSessions} sessions`,
      target: 60,
      result: shown('Porthole', 'kibPerSession', 0),
    },
    {
      name: 'CPU per open, ms',
      target: 2.2,
      result: shown('Porthole', 'cpuMsPerOpen', 2),
    },
  ];
  return [
    '| Metric | Target | Result | Status |',
    '|---|--:|--:|---|',
    ...rows.map(({ name, target, result }) =>
      Number.isNaN(result)
        ? `| ${name} | ≤ ${target} | | not measured |`
        : `| ${name} | ≤ ${target} | ${rounded(result)} | ${rounded(result) <= target ? 'met' : '**missed**'} |`,
    ),
    '',
  ];
}

function rounded(figure: number): number {
  return Number(figure.toFixed(2));
}

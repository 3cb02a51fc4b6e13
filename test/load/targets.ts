import type { Results } from './results.ts';
import { median } from './median.ts';

/** Compares the figures of the tables below with the relay's targets, as a Markdown table. */
export function targets({ plan, flows, idle }: Pick<Results, 'plan' | 'flows' | 'idle'>): string[] {
  const cost = (relay: string, workload: string) =>
    median((flows.get(relay)?.get(workload) ?? []).map(({ cpuPerGib }) => cpuPerGib));
  const ratio = (workload: string, relay = 'Porthole') => cost(relay, workload) / cost('plain ws', workload);
  const p99 = (relay: string) =>
    shown(
      (idle.get(relay) ?? []).map((round) => round.p99),
      1,
    );
  const rows = [
    {
      name: 'bulk, CPU per GiB relative to plain `ws`',
      required: 0.6,
      goal: ratio('bulk', 'nginx'),
      result: ratio('bulk'),
      unit: '',
    },
    {
      name: 'paced, CPU per GiB relative to plain `ws`',
      required: 0.78,
      goal: 0.6,
      result: ratio('paced'),
      unit: '',
    },
    {
      name: 'small, CPU per GiB relative to plain `ws`',
      required: 0.75,
      goal: 0.6,
      result: ratio('small'),
      unit: '',
    },
    {
      name: 'p99 echo relative to nginx',
      required: 1.5,
      goal: 1,
      result: p99('Porthole') / p99('nginx'),
      unit: '',
    },
    {
      name: `RSS per session, ${plan.idleSessions} sessions`,
      required: 80,
      goal: 50,
      result: shown(
        (idle.get('Porthole') ?? []).map(({ kibPerSession }) => kibPerSession),
        0,
      ),
      unit: ' KiB',
    },
  ];
  return [
    '| Metric | Required | Goal | Result | Status |',
    '|---|--:|--:|--:|---|',
    ...rows.map(({ name, required, goal, result, unit }) => {
      const digits = unit === '' ? 2 : 0;
      const status = Number.isNaN(result)
        ? 'not measured'
        : Number(result.toFixed(digits)) <= required
          ? result <= goal
            ? 'goal met'
            : 'met'
          : '**missed**';
      return `| ${name} | ≤ ${required.toFixed(digits)}${unit} | ${Number.isNaN(goal) ? '' : `≤ ${goal.toFixed(digits)}${unit}`} | ${Number.isNaN(result) ? '' : `${result.toFixed(digits)}${unit}`} | ${status} |`;
    }),
    '',
  ];
}

/** The median, rounded as in the tables, so that readers can verify the ratios. */
function shown(values: readonly number[], digits: number): number {
  return Number(median(values).toFixed(digits));
}

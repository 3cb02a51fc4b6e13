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
      most: 0.6,
      aim: ratio('bulk', 'nginx'),
      here: ratio('bulk'),
      unit: '',
    },
    {
      name: 'paced, CPU per GiB relative to plain `ws`',
      most: 0.78,
      aim: 0.6,
      here: ratio('paced'),
      unit: '',
    },
    {
      name: 'small, CPU per GiB relative to plain `ws`',
      most: 0.75,
      aim: 0.6,
      here: ratio('small'),
      unit: '',
    },
    { name: 'p99 echo relative to nginx', most: 1.5, aim: 1, here: p99('Porthole') / p99('nginx'), unit: '' },
    {
      name: `RSS per session, ${plan.idleSessions} sessions`,
      most: 80,
      aim: 50,
      here: shown(
        (idle.get('Porthole') ?? []).map(({ kibPerSession }) => kibPerSession),
        0,
      ),
      unit: ' KiB',
    },
  ];
  return [
    '| Metric | Required | Goal | Result | Status |',
    '|---|--:|--:|--:|---|',
    ...rows.map(({ name, most, aim, here, unit }) => {
      const digits = unit === '' ? 2 : 0;
      const verdict = Number.isNaN(here)
        ? 'not measured'
        : Number(here.toFixed(digits)) <= most
          ? here <= aim
            ? 'goal met'
            : 'met'
          : '**missed**';
      return `| ${name} | ≤ ${most.toFixed(digits)}${unit} | ${Number.isNaN(aim) ? '' : `≤ ${aim.toFixed(digits)}${unit}`} | ${Number.isNaN(here) ? '' : `${here.toFixed(digits)}${unit}`} | ${verdict} |`;
    }),
    '',
  ];
}

/** The median, rounded as in the tables, so that readers can verify the ratios. */
function shown(values: readonly number[], digits: number): number {
  return Number(median(values).toFixed(digits));
}

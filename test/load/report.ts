import type { Flow, Idle } from './measure.ts';
import { median } from './median.ts';
import type { Plan } from './plan.ts';
import { targets } from './targets.ts';

export interface Results {
  readonly machine: string;
  readonly plan: Plan;
  /** By relay, by workload: one entry per round. */
  readonly flows: ReadonlyMap<string, ReadonlyMap<string, readonly Flow[]>>;
  readonly idle: ReadonlyMap<string, readonly Idle[]>;
  readonly skipped: readonly string[];
}

const baseline = 'plain ws';

/** The bench's result as Markdown; the same text is printed and kept in docs/. */
export function report(results: Results): string {
  const { machine, plan, flows, idle, skipped } = results;
  const lines = [
    `Measured on ${machine}, everything over loopback. Each relay is a process of its own, accepts plain WebSockets and dials`,
    `\`wss\` (TLS 1.3, AES-GCM). Figures are medians of ${plan.rounds} interleaved rounds (${plan.idleRounds} for idle sessions); only ratios within one run mean anything.`,
    '',
    ...targets(results),
  ];
  for (const workload of plan.workloads) {
    const of = (relay: string) => flows.get(relay)?.get(workload.name) ?? [];
    const cost = (relay: string) => median(of(relay).map(({ cpuPerGib }) => cpuPerGib));
    lines.push(
      `### ${workload.name}: ${workload.text}`,
      '',
      '| relay | CPU, ratio to plain ws | CPU s per GiB | CPU µs per frame | MiB/s |',
      '|---|--:|--:|--:|--:|',
      ...[...flows.keys()].map((relay) => {
        const frame = median(of(relay).map(({ cpuPerFrame }) => cpuPerFrame)) * 1e6;
        const speed = median(of(relay).map(({ mibPerSecond }) => mibPerSecond));
        return `| ${relay} | ${(cost(relay) / cost(baseline)).toFixed(2)} | ${cost(relay).toFixed(2)} | ${frame.toFixed(1)} | ${speed.toFixed(1)} |`;
      }),
      '',
    );
  }
  if (plan.idleRounds > 0)
    lines.push(
      `### ${plan.idleSessions} sessions, one echo a second each`,
      '',
      '| relay | KiB RSS per session | echo p50 ms | p99 ms | p99.9 ms | lost | opens per second | CPU ms per open |',
      '|---|--:|--:|--:|--:|--:|--:|--:|',
      ...[...idle].map(([relay, rounds]) => {
        const of = (key: keyof Idle, digits: number) => median(rounds.map((one) => one[key])).toFixed(digits);
        return `| ${relay} | ${of('kibPerSession', 0)} | ${of('p50', 2)} | ${of('p99', 1)} | ${of('p999', 1)} | ${of('lost', 0)} | ${of('opensPerSecond', 0)} | ${of('cpuMsPerOpen', 2)} |`;
      }),
      '',
      'Bare Node is what Node’s own sockets and TLS cost with nothing in between. websockify, a process for each connection, is asked for 200 sessions only, and dials TLS 1.2.',
      '',
      "Porthole's opening is a whole console: the grant, Proxmox's status and vncproxy calls, the dial, VNC authentication. The others' is the two upgrades.",
      '',
    );
  lines.push(
    ...skipped.map(
      (name) => `Not measured: ${name}, which is not installed here (Debian package \`${name}\`).`,
    ),
  );
  return `${lines.join('\n').trimEnd()}\n`;
}

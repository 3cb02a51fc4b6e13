import type { Idle } from './measure.ts';
import { median } from './median.ts';
import type { Results } from './results.ts';
import { targets } from './targets.ts';

const baseline = 'plain ws';

/** Formats the results as Markdown, to print and to write to docs/performance.md. */
export function report(results: Results): string {
  const { machine, plan, flows, idle, skipped } = results;
  const lines = [
    `Measured on ${machine}, over loopback. Each relay is a separate process, accepts plain WebSockets and connects`,
    `to \`wss\` (TLS 1.3, AES-GCM). Figures are medians of ${plan.rounds} interleaved rounds (${plan.idleRounds} for idle sessions). Compare only ratios within one run.`,
    '',
    ...targets(results),
  ];
  for (const workload of plan.workloads) {
    const of = (relay: string) => flows.get(relay)?.get(workload.name) ?? [];
    const cost = (relay: string) => median(of(relay).map(({ cpuPerGib }) => cpuPerGib));
    lines.push(
      `### ${workload.name}: ${workload.text}`,
      '',
      '| Relay | CPU, ratio to plain ws | CPU s per GiB | CPU µs per frame | MiB/s |',
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
      `### ${plan.idleSessions} sessions, one echo per second each`,
      '',
      '| Relay | KiB RSS per session | echo p50 ms | p99 ms | p99.9 ms | lost | opens per second | CPU ms per open |',
      '|---|--:|--:|--:|--:|--:|--:|--:|',
      ...[...idle].map(([relay, rounds]) => {
        const of = (key: keyof Idle, digits: number) => median(rounds.map((one) => one[key])).toFixed(digits);
        return `| ${relay} | ${of('kibPerSession', 0)} | ${of('p50', 2)} | ${of('p99', 1)} | ${of('p999', 1)} | ${of('lost', 0)} | ${of('opensPerSecond', 0)} | ${of('cpuMsPerOpen', 2)} |`;
      }),
      '',
      'Bare Node is the cost of Node’s sockets and TLS alone. websockify starts a process per connection; it runs with 200 sessions only, and with TLS 1.2.',
      '',
      "An opening of Porthole is a complete console: the grant, Proxmox's status and vncproxy calls, the connection and VNC authentication. For the others, it is the two upgrades.",
      '',
    );
  lines.push(
    ...skipped.map((name) => `Not measured: ${name} is not installed (Debian package \`${name}\`).`),
  );
  return `${lines.join('\n').trimEnd()}\n`;
}

/** Formats how the relay's cost changed from the checkout given with `--before`, as ratios within the run. */
export function reportChange({ machine, plan, flows, idle }: Results): string {
  const ratio = (values: (relay: string) => readonly number[]) =>
    (median([...values('Porthole')]) / median([...values('Porthole before')])).toFixed(2);
  const rows = plan.workloads.map(({ name }) => {
    const cost = (relay: string) =>
      flows
        .get(relay)
        ?.get(name)
        ?.map(({ cpuPerGib }) => cpuPerGib) ?? [];
    return `| ${name}: CPU | ${ratio(cost)} × |`;
  });
  if (plan.idleRounds > 0) {
    const kib = (relay: string) => idle.get(relay)?.map(({ kibPerSession }) => kibPerSession) ?? [];
    const open = (relay: string) => idle.get(relay)?.map(({ cpuMsPerOpen }) => cpuMsPerOpen) ?? [];
    const [now, before] = ['Porthole', 'Porthole before'].map((relay) => median([...kib(relay)]).toFixed(0));
    rows.push(
      `| idle: RSS per session | ${ratio(kib)} × (${before} KiB, now ${now} KiB) |`,
      `| idle: CPU per open | ${ratio(open)} × |`,
    );
  }
  return [
    `Measured on ${machine}. Medians of ${plan.rounds} interleaved rounds (${plan.idleRounds} for ${plan.idleSessions} idle sessions).`,
    '',
    '| Measurement | Now, relative to before |',
    '|---|--:|',
    ...rows,
    '',
  ].join('\n');
}

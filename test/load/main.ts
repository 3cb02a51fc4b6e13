import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { startChild } from './child.ts';
import { measureBrokerLoad, reportBrokerLoad } from './broker-load.ts';
import { classOpenings, measureClassOpening, reportClassOpenings } from './class-opening.ts';
import {
  isInstalled,
  otherRelays,
  startBareNode,
  startPlainWs,
  startPorthole,
  startPortholeBefore,
  startRecordingPorthole,
  type StartRelay,
  type Upstream,
} from './compared-relays.ts';
import { measureFlows, measureIdle, type Flow, type Idle, type Bench } from './measure.ts';
import { parts, readOptions, workloadNames, type Part } from './options.ts';
import { planOf } from './plan.ts';
import { profileRecording } from './profile-recording.ts';
import { profile } from './profile.ts';
import { measureRecording, reportRecording } from './recording.ts';
import { report, reportChange } from './report.ts';
import { measureShared, reportShared } from './shared.ts';
import { sharedPlan } from './shared-plan.ts';
import { measureWall, reportWall, wallPlan } from './wall.ts';

/**
 * `npm run bench`: compares the cost of the relay's data path with other relays in the same run. Prints the report and
 * writes it to docs/performance.md. `--only small` and the like only print one part; `--profile` shows where Porthole
 * spends time and memory; with `recording` among the parts of `--only`, what its recording thread does.
 */
const options = readOptions(process.argv.slice(2));
const plan = planOf(options);
const found = options.profile ? [] : otherRelays.filter(({ name }) => isInstalled(name));
const skipped = otherRelays.filter((other) => !found.includes(other)).map(({ name }) => name);
if (!options.profile)
  for (const name of skipped) console.error(`SKIPPED: ${name} is not installed (apt-get install ${name}).`);

const aboutRelays =
  options.only.some((part) => !['broker', 'class', 'recording', 'shared', 'wall'].includes(part)) ||
  (options.profile && options.only.includes('recording'));
if (options.only.includes('broker') && !options.profile) {
  const load = options.quick
    ? { users: 20, grants: 5, seconds: 2, machines: 10 }
    : { users: 1000, grants: 300, seconds: 10, machines: 300 };
  const text = isInstalled('redis-server')
    ? reportBrokerLoad(await measureBrokerLoad(load))
    : 'Not measured: redis-server is not installed.\n';
  console.log(text);
  if (!options.quick) keep(options.report ?? 'docs/performance.md', 'crowded', text);
}
if (options.only.includes('class') && !options.profile) {
  const openings = [];
  if (isInstalled('redis-server'))
    for (const opening of classOpenings(options.quick, options.proxmox))
      openings.push(await measureClassOpening(opening));
  const text = reportClassOpenings(openings) || 'Not measured: redis-server is not installed.\n';
  console.log(text);
  if (options.proxmox === 'real-life' && !options.quick)
    keep(options.report ?? 'docs/performance.md', 'opened', text);
}
if (options.only.includes('shared') && !options.profile) {
  const text = reportShared(await measureShared(sharedPlan(options.quick)));
  console.log(text);
  if (!options.quick) keep(options.report ?? 'docs/performance.md', 'shared', text);
}
if (options.only.includes('wall') && !options.profile) {
  const text = reportWall(await measureWall(wallPlan(options.quick, options.proxmox)));
  console.log(text);
  if (!options.quick) keep(options.report ?? 'docs/performance.md', 'wall', text);
}
if (options.only.includes('recording') && !options.profile) {
  const text = reportRecording(
    await measureRecording(planOf({ ...options, only: recordedParts() }), options.before),
  );
  console.log(text);
  const isComplete = recordedParts().length > workloadNames.length;
  const path = options.report ?? (isComplete ? 'docs/performance.md' : undefined);
  if (!options.quick && options.before === undefined && path !== undefined) keep(path, 'recorded', text);
}
if (!aboutRelays) process.exit(0);

const upstream = await startChild('upstream-main.ts');
const listening = upstream.ready as Upstream;
const viewers = await startChild('viewers-main.ts');
const bench: Bench = { upstream, viewers, plan };
const whole = !options.quick && options.only.length === parts.length;

if (options.profile) {
  // Of a relay that records, its recording thread; of one that does not, the rest.
  const isOfRecording = options.only.includes('recording');
  const file = options.report ?? (whole ? 'docs/performance.md' : undefined);
  if (!isOfRecording || whole) {
    const text = await profile(bench, {
      porthole: () => startPorthole(listening),
      bareNode: () => startBareNode(listening),
    });
    console.log(text);
    if (file !== undefined) keep(file, 'profiled', text);
  }
  if (isOfRecording) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-'));
    const recorded = { ...bench, plan: planOf({ ...options, only: recordedParts() }) };
    const text = await profileRecording(recorded, () => startRecordingPorthole(folder)(listening));
    rmSync(folder, { recursive: true, force: true });
    console.log(text);
    if (file !== undefined) keep(file, 'profiled-recording', text);
  }
  process.exit(0);
}

const starts: readonly StartRelay[] =
  options.before === undefined
    ? [startPlainWs, startPorthole, startBareNode, ...found.map(({ start }) => start)]
    : [startPorthole, startPortholeBefore(options.before)];
const flows = new Map<string, Map<string, Flow[]>>();
const idle = new Map<string, Idle[]>();

const running = [];
for (const start of starts) running.push(await start(listening));
for (const relay of running) flows.set(relay.name, new Map(plan.workloads.map(({ name }) => [name, []])));
for (const workload of plan.workloads)
  await measureFlows(bench, running, workload, (round, relay, flow) => {
    if (round > 0) flows.get(relay)?.get(workload.name)?.push(flow);
    console.error(`${round}/${plan.rounds} ${workload.name} ${relay}: ${flow.cpuPerGib.toFixed(2)} s/GiB`);
  });
for (const relay of running) await relay.stop();

// Memory is measured in new processes.
for (let round = 1; round <= plan.idleRounds; round++)
  for (const start of starts) {
    const relay = await start(listening);
    const one = await measureIdle(bench, relay);
    idle.set(relay.name, [...(idle.get(relay.name) ?? []), one]);
    console.error(
      `${round}/${plan.idleRounds} idle ${relay.name}: ${one.kibPerSession.toFixed(0)} KiB, p99 ${one.p99.toFixed(1)} ms`,
    );
    await relay.stop();
  }
await Promise.all([upstream.stop(), viewers.stop()]);

const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}`;
const results = { machine, plan, flows, idle, skipped };
const file = options.report ?? (whole ? 'docs/performance.md' : undefined);
if (options.before !== undefined) {
  const change = reportChange(results);
  console.log(change);
  if (file !== undefined) keep(file, 'compared', change);
  process.exit(0);
}
const text = report(results);
console.log(text);
if (file !== undefined) keep(file, 'measured', text);
process.exit(0);

/** With some workloads beside it, `recording` is measured with these only. Otherwise, with all. */
function recordedParts(): readonly Part[] {
  if (options.quick) return ['small'];
  const named = options.only.filter((part) => part === 'idle' || workloadNames.some((name) => name === part));
  const wanted = named.length > 0 ? named : [...workloadNames, 'idle' as const];
  return options.before === undefined ? wanted : wanted.filter((part) => part !== 'idle');
}

/** Replaces only the text between the two marks. */
function keep(
  path: string,
  mark:
    | 'measured'
    | 'profiled'
    | 'profiled-recording'
    | 'crowded'
    | 'compared'
    | 'opened'
    | 'shared'
    | 'wall'
    | 'recorded',
  measured: string,
): void {
  const marks = [`<!-- ${mark} -->`, `<!-- /${mark} -->`] as const;
  const around = `# Performance\n\n${marks[0]}\n${marks[1]}\n`;
  const old = read(path) ?? around;
  const [before = '', rest = ''] = old.split(marks[0]);
  writeFileSync(path, `${before}${marks[0]}\n\n${measured}\n${marks[1]}${rest.split(marks[1])[1] ?? '\n'}`);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

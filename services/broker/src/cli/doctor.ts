import { parseArgs } from 'node:util';
import { systemClock } from '@porthole/shared/time/clock';
import { ConfigError, readConfig } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import { randomId, systemRandom } from '@porthole/shared/crypto/random';
import { Fault, UsageFault, type Command } from './command.ts';
import { faultsIn } from './config-check.ts';
import { examine } from './doctor/examine.ts';
import { findingKinds, type Finding } from './doctor/findings.ts';

const usage = `[--json] [--relay URL]

Reads the configuration as the services do, and looks at everything that they will need: the store, each entry point and
each node of Proxmox, certificates, credentials, permissions, clocks, issuers. Says what is wrong, and what to do about it.
With --relay (ws://, wss://, http:// or https://, of a relay or of what stands in front) it asks for a console of a machine
that does not exist, as a browser would. It changes nothing. Exit code 1 when something would keep people out; warnings alone are 0.
`;

const timeoutMs = 10_000;

export const doctor: Command = {
  about: 'look at everything around Porthole, and say what to do about each fault',
  usage,
  async run(args, { env, cwd, stdout }) {
    const { values } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, relay: { type: 'string' } },
    });
    const { relay } = values;
    if (relay !== undefined && !/^(ws|http)s?:$/.test(URL.parse(relay)?.protocol ?? ''))
      throw new UsageFault();
    const findings = await look(() => readConfig(env, cwd), relay);
    const faults = findings.filter(({ kind }) => findingKinds[kind].level === 'fault');
    if (values.json)
      stdout.write(
        `${JSON.stringify({ findings: findings.map((one) => ({ ...one, ...findingKinds[one.kind] })) }, undefined, 2)}\n`,
      );
    else stdout.write(inWords(findings));
    if (faults.length > 0) throw new Fault('');
  },
};

async function look(read: () => Config, relay: string | undefined): Promise<readonly Finding[]> {
  let config: Config;
  try {
    config = read();
    const faults = faultsIn(config);
    if (faults.length > 0) throw new ConfigError(faults);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map((what) => ({ kind: 'config_faulty', where: 'configuration', what }));
  }
  return examine(config, { clock: systemClock, name: randomId(systemRandom, 16), timeoutMs, relay });
}

function inWords(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'Everything is well.\n';
  return findings
    .map(({ kind, where, what }) => {
      const { level, remedy } = findingKinds[kind];
      return `${level === 'fault' ? 'FAULT  ' : 'warning'} ${where}: ${what}\n        ${remedy} (${kind})\n`;
    })
    .join('');
}

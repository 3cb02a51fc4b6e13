import { parseArgs } from 'node:util';
import { ConfigError, readConfig } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import { randomId, systemRandom } from '@porthole/shared/crypto/random';
import { systemClock } from '@porthole/shared/time/clock';
import { CommandError, UsageError, type Command } from './command.ts';
import { configErrors } from './config-check.ts';
import { findingKinds, type Finding } from './doctor/findings.ts';
import { runChecks } from './doctor/run-checks.ts';

const usage = `[--json] [--relay URL]

Checks all that the services need: the configuration, the store, each entry point and node of Proxmox, certificates,
credentials, permissions, clocks, OpenID Connect issuers and the storage of recordings. Names a remedy for each problem.
Leaves nothing behind.
With --relay (ws://, wss://, http:// or https://, of a relay or a reverse proxy), also requests a console of a machine that
does not exist, as a browser does. The exit code is 1 if there is an error. Warnings alone are 0.
`;

const timeoutMs = 10_000;

export const doctor: Command = {
  summary: 'check all dependencies of Porthole, and name a remedy for each problem',
  usage,
  async run(args, { env, cwd, stdout }) {
    const { values } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, relay: { type: 'string' } },
    });
    const { relay } = values;
    if (relay !== undefined && !/^(ws|http)s?:$/.test(URL.parse(relay)?.protocol ?? ''))
      throw new UsageError();
    const findings = await findProblems(() => readConfig(env, cwd), relay);
    stdout.write(values.json ? formatJson(findings) : formatText(findings));
    if (findings.some(({ kind }) => findingKinds[kind].level === 'error')) throw new CommandError('');
  },
};

async function findProblems(read: () => Config, relay: string | undefined): Promise<readonly Finding[]> {
  let config: Config;
  try {
    config = read();
    const errors = configErrors(config);
    if (errors.length > 0) throw new ConfigError(errors);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map((what) => ({ kind: 'config_invalid', where: 'configuration', what }));
  }
  return runChecks(config, { clock: systemClock, name: randomId(systemRandom, 16), timeoutMs, relay });
}

function formatJson(findings: readonly Finding[]): string {
  const all = findings.map((finding) => ({ ...finding, ...findingKinds[finding.kind] }));
  return `${JSON.stringify({ findings: all }, undefined, 2)}\n`;
}

function formatText(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'No problems found.\n';
  return findings
    .map(({ kind, where, what }) => {
      const { level, remedy } = findingKinds[kind];
      return `${level === 'error' ? 'ERROR  ' : 'warning'} ${where}: ${what}\n        ${remedy} (${kind})\n`;
    })
    .join('');
}

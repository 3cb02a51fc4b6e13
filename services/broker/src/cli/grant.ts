import { parseArgs } from 'node:util';
import { systemClock } from '@porthole/shared/time/clock';
import { noAudit } from '@porthole/shared/audit/audit';
import { mintGrant } from '@porthole/shared/grant/grant';
import { PortholeError } from '@porthole/shared/errors';
import { randomId, systemRandom } from '@porthole/shared/crypto/random';
import { consoleProtocol, grantProtocolPrefix } from '@porthole/shared/protocol/subprotocols';
import { createAccessRules } from '../access/rules.ts';
import { buildClaims } from '../grants/claims.ts';
import { relayUrlOf } from '../grants/relay-url.ts';
import { authorise, parseGrantRequest } from '../grants/steps.ts';
import { CommandError, UsageError, type Command } from './command.ts';
import { lookUpMachine, lookUpGroups } from './look-up.ts';
import { withStore } from './with-store.ts';

const usage = `--user NAME --machine MACHINE [--groups a,b] [--mode view|control] [--kind screen|terminal] [--json]

Mints a grant as the broker would for that user, for debugging: prints where to connect a WebSocket, with which subprotocols
and from which origin. It is good once, for seconds. Rules decide as they do for the user; it stands in the audit.
MACHINE is cluster/number, a number, or a name. Without --groups, groups are those in the users file.
`;

export const grant: Command = {
  summary: 'mint a grant for a console, for debugging',
  usage,
  async run(args, io) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        user: { type: 'string' },
        machine: { type: 'string' },
        groups: { type: 'string' },
        mode: { type: 'string', default: 'control' },
        kind: { type: 'string', default: 'screen' },
        json: { type: 'boolean' },
      },
    });
    const { user: name, machine: wanted, mode, kind } = values;
    if (name === undefined || wanted === undefined) throw new UsageError();
    if (!['view', 'control'].includes(mode) || !['screen', 'terminal'].includes(kind)) throw new UsageError();
    await withStore(io, async ({ config, store, keys, audit, operator }) => {
      const wish = parseGrantRequest({ mode, kind });
      const user = { id: `local:${name}`, name, groups: lookUpGroups(values.groups, name, config) };
      const machine = await lookUpMachine(config, wanted);
      const log = { info: () => {}, error: () => {} };
      const access = createAccessRules({ config, clock: systemClock, log, audit: noAudit }).current();
      const authorised = authorisedOrFault(() =>
        authorise({ machine, decision: access.decide(user, machine) }, wish),
      );
      const sessionId = randomId(systemRandom, 16);
      const claims = buildClaims({
        sessionId,
        identity: { user, loginRef: operator.id },
        machine,
        request: wish,
        authorised,
        extendSeconds: config.limits.extendSeconds,
        origins: [config.publicUrl.origin],
        now: systemClock.now(),
      });
      const { records } = store;
      const token = await mintGrant({ records, keys, random: systemRandom, clock: systemClock }, claims);
      audit({
        event: 'grant',
        session: sessionId,
        user: { id: user.id, name },
        login: operator.id,
        machine: {
          cluster: machine.cluster,
          vmid: machine.vmid,
          name: claims.machineName,
          node: machine.node,
          type: machine.type,
        },
        mode: claims.mode,
        kind: claims.kind,
        rules: [...authorised.rules],
      });
      const facts = {
        session: sessionId,
        url: relayUrlOf(config).href,
        protocols: [consoleProtocol, `${grantProtocolPrefix}${token}`],
        origin: config.publicUrl.origin,
        expiresAt: new Date(claims.expiresAt).toISOString(),
      };
      io.stdout.write(values.json ? `${JSON.stringify(facts, undefined, 2)}\n` : inWords(facts));
    });
  },
};

function authorisedOrFault<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PortholeError)) throw error;
    throw new CommandError(
      `No rule gives that: ${error.detail ?? error.message}. porthole access explain says why.`,
    );
  }
}

function inWords(facts: {
  readonly session: string;
  readonly url: string;
  readonly protocols: readonly string[];
  readonly origin: string;
  readonly expiresAt: string;
}): string {
  return `Session    ${facts.session}
WebSocket  ${facts.url}
Protocols  ${facts.protocols.join(', ')}
Origin     ${facts.origin}
Good once, until ${facts.expiresAt}. Whoever has the second protocol opens the console: show it to nobody.
`;
}

import { parseArgs } from 'node:util';
import { randomId, systemRandom } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import { mintGrant } from '@porthole/shared/grant/grant';
import { consoleProtocol, grantProtocolPrefix } from '@porthole/shared/protocol/subprotocols';
import { systemClock } from '@porthole/shared/time/clock';
import { compileRules, readAccessDocument } from '../access/rules.ts';
import { classesOf } from '../classes/classes-of.ts';
import { buildClaims } from '../grants/claims.ts';
import { grantEvent } from '../grants/grant-event.ts';
import { parseGrantRequest } from '../grants/grant-request.ts';
import { relayUrlOf } from '../grants/relay-url.ts';
import { authorise } from '../grants/steps.ts';
import { CommandError, UsageError, type Command } from './command.ts';
import { findUserGroups, lookUpMachine } from './look-up.ts';
import { withStore, type StoreContext } from './with-store.ts';

const usage = `--user NAME --machine MACHINE [--groups a,b] [--mode view|control] [--kind screen|terminal] [--json]

Creates a grant as the broker does for this user, for debugging. Prints the URL, the subprotocols and the origin for the
WebSocket. The grant works once, within seconds. The access rules apply, and the audit log records the grant.

MACHINE is CLUSTER/NUMBER, a number, or a name.
--groups  Default: the groups in the users file.
`;

export const grant: Command = {
  summary: 'create a grant for a console, for debugging',
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
    const { user, machine, mode, kind } = values;
    if (user === undefined || machine === undefined) throw new UsageError();
    if (!['view', 'control'].includes(mode) || !['screen', 'terminal'].includes(kind)) throw new UsageError();
    await withStore(io, async (context) => {
      const created = await createGrant(context, { user, machine, groups: values.groups, mode, kind });
      io.stdout.write(values.json ? `${JSON.stringify(created, undefined, 2)}\n` : formatGrant(created));
    });
  },
};

interface CreatedGrant {
  readonly session: string;
  readonly url: string;
  readonly protocols: readonly string[];
  readonly origin: string;
  readonly expiresAt: string;
}

async function createGrant(
  { config, store, keys, audit, operator }: StoreContext,
  wanted: {
    readonly user: string;
    readonly machine: string;
    readonly groups: string | undefined;
    readonly mode: string;
    readonly kind: string;
  },
): Promise<CreatedGrant> {
  const name = wanted.user;
  const user = { id: `local:${name}`, name, groups: findUserGroups(wanted.groups, name, config) };
  const machine = await lookUpMachine(config, wanted.machine);
  const access = compileRules(readAccessDocument(config), { limits: config.limits, clock: systemClock });
  const request = parseGrantRequest({ mode: wanted.mode, kind: wanted.kind });
  const authorised = authoriseOrFail(() =>
    authorise({ machine, decision: access.decide(user, machine) }, request),
  );
  const claims = buildClaims({
    sessionId: randomId(systemRandom, 16),
    identity: { user, loginRef: operator.id },
    machine,
    request,
    authorised,
    classes: classesOf(access.classes, user, machine),
    extendSeconds: config.limits.extendSeconds,
    origins: [config.publicUrl.origin],
    now: systemClock.now(),
  });
  const { records } = store;
  const token = await mintGrant({ records, keys, random: systemRandom, clock: systemClock }, claims);
  audit(grantEvent(claims, authorised.rules, false));
  return {
    session: claims.sessionId,
    url: relayUrlOf(config).href,
    protocols: [consoleProtocol, `${grantProtocolPrefix}${token}`],
    origin: config.publicUrl.origin,
    expiresAt: new Date(claims.expiresAt).toISOString(),
  };
}

function authoriseOrFail<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PortholeError)) throw error;
    throw new CommandError(
      `No access rule permits this: ${error.detail ?? error.message}. For the reasons, run porthole access explain.`,
    );
  }
}

function formatGrant({ session, url, protocols, origin, expiresAt }: CreatedGrant): string {
  return `Session    ${session}
WebSocket  ${url}
Protocols  ${protocols.join(', ')}
Origin     ${origin}
Works once, until ${expiresAt}. Keep the second protocol secret: it opens the console.
`;
}

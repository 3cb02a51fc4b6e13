import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { errorKinds, type ErrorCode } from '@porthole/shared/errors';
import { eventually } from '../../eventually.ts';
import type { ConsoleClient } from '../console-client.ts';
import type { RelayRig } from '../rig.ts';

/** The close code and reason of an error. */
export function closeOf(error: ErrorCode): { code: number; reason: string } {
  const { close, text } = errorKinds[error];
  return { code: closeCodes[close].code, reason: text };
}

/** Expects that the console closes with this error, that the log names it, and that nothing is left at Proxmox. */
export async function expectClose(rig: RelayRig, client: ConsoleClient, error: ErrorCode): Promise<void> {
  expect(await client.closed).toEqual(closeOf(error));
  await eventually('the log names the error', () =>
    rig.logged.some((line) => line.includes(`"end":"${error}"`)),
  );
  await eventually('Proxmox has no open console', () => rig.proxmox.openConsoles() === 0);
}

import type { MachineControl } from '@porthole/shared/control/machine-controls';
import type { GrantClaims } from '@porthole/shared/grant/claims';

/** Whether input of a session passes while this is who has control of its machine. */
export function mayType(
  { sessionId, inputWhenTaken }: Pick<GrantClaims, 'sessionId' | 'inputWhenTaken'>,
  control: MachineControl | undefined,
): boolean {
  return control ? control.sessionId === sessionId : !inputWhenTaken;
}

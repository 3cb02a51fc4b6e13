import type { Clock } from '@porthole/shared/time/clock';
import type { GrantClaims } from '@porthole/shared/grant/claims';

/** Claims that are valid for a minute, with overrides. */
export function someClaims(clock: Clock, different: Partial<GrantClaims> = {}): GrantClaims {
  return {
    version: 1,
    sessionId: 'session-1',
    loginRef: 'login-1',
    user: { id: 'anna', name: 'Anna', groups: ['class-a'] },
    cluster: 'lab',
    node: 'pve1',
    type: 'qemu',
    vmid: 100,
    machineName: 'lab-100',
    mode: 'control',
    kind: 'screen',
    limits: { sessionSeconds: 3600, idleSeconds: 600, perUser: 20, perMachine: 10 },
    origins: ['https://porthole.example'],
    issuedAt: clock.now(),
    expiresAt: clock.now() + 60_000,
    ...different,
  };
}

import { createControlConfirmations } from '@porthole/shared/control/control-confirmations';
import { createMachineControls } from '@porthole/shared/control/machine-controls';
import { systemRandom } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import type { SessionRecord } from '@porthole/shared/session/records';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createControlWatcher } from '@porthole/relay/control/control-watcher';
import { InputGate } from '@porthole/relay/session/input-gate';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant, grantKey } from '../rig.ts';

export const machine = { cluster: 'lab', vmid: 100 };
export const userOf = (id: string) => ({ id, name: id, groups: [] });

/** Relays that share a store, whose time, signals and store the test controls. */
export async function createFixture() {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  await store.start();
  const common = { keys: () => [grantKey], random: systemRandom };
  const signals = createConsoleSignals({ bus: store.signals, ...common, clock });
  /** What the broker does. */
  const controls = createMachineControls({ records: store.records, signals, ...common });
  const settle = async () => {
    for (let turn = 0; turn < 80; turn++) await Promise.resolve();
  };
  /** What the records of sessions say of the open consoles, by their gates. */
  const consoles = new Map<
    InputGate,
    Pick<SessionRecord, 'mode' | 'relay' | 'sessionId' | 'vmid' | 'disconnected'>
  >();
  /** Relays that were killed. */
  const dead = new Set<string>();
  /** Sessions whose input passed together, although control had been taken by one of them. */
  const passedTogether: string[][] = [];
  let relayCount = 0;

  /** What of a machine's consoles passes input now. */
  const passing = () =>
    [...consoles].flatMap(([gate, { relay, sessionId, vmid }]) =>
      !gate.shut && !dead.has(relay) && vmid === machine.vmid ? sessionId : [],
    );

  function startRelay() {
    const relayId = `relay-${relayCount++}`;
    const handovers: string[] = [];
    const state = { calls: 0, unavailable: false, listening: true };
    const found: string[] = [];
    const asked: string[] = [];
    const records = new Proxy(store.records, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => {
          state.calls += 1;
          if (state.unavailable) return Promise.reject(new PortholeError('store_unavailable'));
          return method.apply(target, args) as unknown;
        };
      },
    });
    const watcher = createControlWatcher({
      controls: createMachineControls({ records, signals, ...common }),
      confirmations: createControlConfirmations({ records, ...common }),
      sessions: {
        async list() {
          if (state.unavailable) throw new PortholeError('store_unavailable');
          return [...consoles.values()] as SessionRecord[];
        },
      },
      relayId,
      signals,
      rateLimits: store.rateLimits,
      clock,
      metrics: {
        controlChanged: (foundBy) => found.push(foundBy),
        controlHandedOver: (result) => handovers.push(result),
        controlAsked: (result) => asked.push(result),
      },
    });
    signals.subscribe((signal) => {
      if (!state.listening) return;
      if (signal.type === 'control') watcher.onChanged(signal);
      if (signal.type === 'ask_control') watcher.onAsked(signal);
    });
    const stop = watcher.start();
    return {
      state,
      watcher,
      found,
      asked,
      handovers,
      stop,
      /** The process is gone: it sends nothing any more, and the records of its sessions stay for a while. */
      kill() {
        stop();
        state.listening = false;
        dead.add(relayId);
      },
      /** A place at a shared screen of this relay. */
      seat(user: string, claims: Partial<GrantClaims> = {}) {
        const changes: boolean[] = [];
        const leave = watcher.registerPlace({
          claims: aGrant(clock, { sessionId: `${user}-1`, user: userOf(user), ...claims }),
          setControl: (has) => changes.push(has),
        });
        return { changes, leave };
      },
      async open(user: string, claims: Partial<GrantClaims> = {}, restartIdle = () => {}) {
        const messages: ControlMessage[] = [];
        const gate = new InputGate();
        let idleRestarts = 0;
        const granted = aGrant(clock, { sessionId: `${user}-1`, user: userOf(user), ...claims });
        consoles.set(gate, { ...granted, relay: relayId });
        const registration = watcher.register({
          claims: granted,
          gate: {
            shutFor: (reason) => gate.shutFor(reason),
            openFor(reason) {
              gate.openFor(reason);
              const together = passing();
              if (holder !== undefined && together.length > 1) passedTogether.push(together);
            },
          },
          sendControl: (message) => messages.push(message),
          restartIdle() {
            idleRestarts += 1;
            restartIdle();
          },
        });
        const shutAtFirst = gate.shut;
        await settle();
        return {
          gate,
          messages,
          registration,
          shutAtFirst,
          idleRestarts: () => idleRestarts,
          /** The connection is lost, and the session may resume. */
          lose() {
            registration.stop({ keepControl: true });
            consoles.set(gate, { ...granted, relay: relayId, disconnected: true });
          },
          close() {
            registration.stop({ keepControl: false });
            consoles.delete(gate);
            if (holder === granted.sessionId) holder = undefined;
          },
        };
      },
    };
  }

  let holder: string | undefined;
  /** Each step of the retries of relays that wait for each other. */
  async function settleHandover(): Promise<void> {
    for (let each = 0; each < 3; each++) {
      await settle();
      clock.advance(25);
    }
    await settle();
  }

  return {
    clock,
    controls,
    settle,
    settleHandover,
    startRelay,
    passedTogether,
    async take(user: string, sessionId = `${user}-1`) {
      holder = sessionId;
      await controls.take(machine, { version: 1, userId: user, sessionId, by: user });
      await settleHandover();
    },
    async release(user: string) {
      const released = await controls.release(machine, { userId: user });
      if (released) holder = undefined;
      await settleHandover();
      return released;
    },
    async advance(ms: number) {
      for (let left = ms; left > 0; left -= 500) {
        clock.advance(Math.min(500, left));
        await settle();
      }
    },
  };
}

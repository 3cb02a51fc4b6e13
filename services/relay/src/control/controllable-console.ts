import type { MachineControl } from '@porthole/shared/control/machine-controls';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { InputGate } from '../session/input-gate.ts';
import { mayType } from './may-type.ts';

/** A console, as far as control of its machine affects it. */
export interface ConsoleOfMachine {
  readonly claims: Pick<
    GrantClaims,
    'cluster' | 'vmid' | 'sessionId' | 'user' | 'mode' | 'kind' | 'inputWhenTaken'
  >;
  readonly gate: Pick<InputGate, 'shutFor' | 'openFor'>;
  readonly sendControl: (message: ControlMessage) => void;
  /** The user's idle time begins now. */
  readonly restartIdle: () => void;
}

const reason = 'controlled by another user';

/** Lets input of one console pass or not, by who has control of its machine. Tells its page each change once. */
export class ControllableConsole {
  readonly console: ConsoleOfMachine;
  #control: MachineControl | undefined;
  #sent = '';
  #holdsBack = false;

  /** Holds input back until the first `apply`. */
  constructor(console: ConsoleOfMachine) {
    this.console = console;
    console.gate.shutFor(reason);
  }

  /** Whether this session has control. */
  get hasControl(): boolean {
    return this.#control !== undefined && this.#control.sessionId === this.console.claims.sessionId;
  }

  /** Whether input is held back because another user has control. */
  get isHeldBack(): boolean {
    return this.#holdsBack && this.#control !== undefined && this.console.claims.mode === 'control';
  }

  /** The session that this one may ask for control. */
  get mayAsk(): string | undefined {
    return this.#waitsForOther && !this.#isOwnWindow ? this.#control?.sessionId : undefined;
  }

  isAllowedBy(control: MachineControl | undefined): boolean {
    return mayType(this.console.claims, control);
  }

  /** Users who must not type are not idle. */
  followTime(): void {
    if (this.#waitsForOther) this.console.restartIdle();
  }

  apply(control: MachineControl | undefined): void {
    const { gate } = this.console;
    this.#control = control;
    this.#holdsBack = !this.isAllowedBy(control);
    if (this.#holdsBack) gate.shutFor(reason);
    else gate.openFor(reason);
    this.#tellPage();
  }

  /** What is held back stays so: the session ends, and its last input must not pass. */
  stop(): void {
    this.#control = undefined;
  }

  /** Whether this console would pass input if no session had control. */
  get #waitsForOther(): boolean {
    return this.isHeldBack && !this.console.claims.inputWhenTaken;
  }

  /** Whether another window of the same user has control. */
  get #isOwnWindow(): boolean {
    return !this.hasControl && this.#control?.userId === this.console.claims.user.id;
  }

  #tellPage(): void {
    const control = this.#control;
    const message: ControlMessage = control
      ? {
          type: 'controlled',
          mine: this.hasControl,
          ...(control.by === undefined ? {} : { by: control.by }),
          ...(this.mayAsk === undefined ? {} : { ask: true }),
          ...(this.#isOwnWindow ? { elsewhere: true } : {}),
        }
      : { type: 'uncontrolled' };
    const text = JSON.stringify(message);
    // A page begins as if no user had control.
    if (text === (this.#sent || '{"type":"uncontrolled"}')) return;
    this.#sent = text;
    this.console.sendControl(message);
  }
}

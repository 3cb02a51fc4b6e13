import type { MachineControl } from '@porthole/shared/control/machine-controls';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { mayType } from './may-type.ts';

/** A viewer's place at a shared screen of this relay, whose session may be at another relay. */
export interface PlaceAtScreen {
  readonly claims: Pick<GrantClaims, 'cluster' | 'vmid' | 'sessionId' | 'inputWhenTaken'>;
  /** Lets its input pass or not. Without control, the keys that it holds are released. */
  readonly setControl: (has: boolean) => void;
}

/** Lets input of one place at a shared screen pass or not, by who has control of the machine. */
export class ControllablePlace {
  readonly #place: PlaceAtScreen;

  /** Holds input back until the first `apply`. */
  constructor(place: PlaceAtScreen) {
    this.#place = place;
    place.setControl(false);
  }

  isAllowedBy(control: MachineControl | undefined): boolean {
    return mayType(this.#place.claims, control);
  }

  apply(control: MachineControl | undefined): void {
    this.#place.setControl(this.isAllowedBy(control));
  }
}

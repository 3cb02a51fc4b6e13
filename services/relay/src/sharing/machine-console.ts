import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { linkSignal } from '@porthole/shared/time/link-signal';
import type { ScreenUpstream } from '../screen/shared-screen-contract.ts';
import type { DialledConsole, DialRequest } from '../upstream/dial.ts';
import type { RelayCluster } from '../upstream/machine.ts';
import type { ScreenNotice } from './contracts.ts';
import { MachineScreen, type MachineScreenOptions, type ScreenPlace } from './machine-screen.ts';
import { OwnConsole } from './own-console.ts';
import { OwnedElsewhere, type Ownership } from './ownership.ts';
import type { SharingDeps } from './sharing-deps.ts';
import { nextSharingStates, type SharingState } from './sharing-state.ts';
import { takeOverConsole } from './take-over-console.ts';
import { waitFor } from './wait-for.ts';

/** A viewer that wants a place at a shared screen. */
export interface PlaceRequest extends Pick<DialRequest, 'claims' | 'signal' | 'onProgress' | 'onStep'> {
  readonly onNotice: (notice: ScreenNotice) => void;
}

/** Told about the console of a machine. */
export interface MachineConsoleListener {
  /** The picture can't be shared. */
  onUnshareable(machine: MachineConsole, reason: Parameters<MachineScreenOptions['onUnshareable']>[0]): void;
  /** Nothing is left of it but the claim. */
  onClosed(machine: MachineConsole, ownership: Promise<Ownership>): void;
}

/**
 * What this relay has of one machine's screen: the console of the first session, and a shared screen as soon as there is
 * a second viewer. Ends, and gives up the owner record, when neither is left.
 */
export class MachineConsole {
  /** Which machine it is. */
  readonly key: string;
  readonly #deps: SharingDeps;
  readonly #cluster: RelayCluster;
  readonly #ownership: Promise<Ownership>;
  readonly #listener: MachineConsoleListener;
  #waiting: readonly PlaceRequest[] = [];
  #state: SharingState = 'dialling';
  /** The first session's console, while it is being opened and for as long as the session has it. */
  #own: Promise<OwnConsole> | undefined;
  #screen: MachineScreen | undefined;
  #cancelLinger: (() => void) | undefined;

  constructor(
    deps: SharingDeps,
    options: {
      readonly key: string;
      readonly cluster: RelayCluster;
      /** Does not reject. */
      readonly ownership: Promise<Ownership>;
      readonly listener: MachineConsoleListener;
    },
  ) {
    this.#deps = deps;
    this.key = options.key;
    this.#cluster = options.cluster;
    this.#ownership = options.ownership;
    this.#listener = options.listener;
  }

  get state(): SharingState {
    return this.#state;
  }

  /** Opens the first session's console. Rejects with `OwnedElsewhere`, or with the error of the dial. */
  async openOwn(request: DialRequest): Promise<DialledConsole> {
    const own = (this.#own = this.#dialOwn(request));
    try {
      const console = await own;
      if (this.#state === 'dialling') this.#enter('pass_through');
      return console;
    } catch (error) {
      this.#ownEnded(own);
      throw error;
    }
  }

  /** Gives a viewer a place at the shared screen. Rejects with `OwnedElsewhere`, or with the error of the screen. */
  async share(request: PlaceRequest): Promise<ScreenPlace> {
    this.#waiting = [...this.#waiting, request];
    this.#settle();
    try {
      const ownership = await waitFor(this.#ownership, request.signal);
      if ('owner' in ownership) throw new OwnedElsewhere(ownership.owner);
      const screen = this.#screen ?? this.#startScreen(request.claims);
      await waitFor(screen.opened, request.signal);
      return screen.attach(request);
    } finally {
      this.#waiting = this.#waiting.filter((each) => each !== request);
      this.#settle();
    }
  }

  /** Ends the shared screen. */
  end(error: PortholeError): void {
    this.#screen?.end(error);
  }

  /** Ends the viewers that resume elsewhere. A first session that does not resume keeps its console. */
  async move(signal: AbortSignal): Promise<void> {
    this.#screen?.end(
      new PortholeError('screen_moved', { detail: 'another relay has taken over the machine' }),
    );
    // If it was not opened, its own session reports why.
    const own = await this.#own?.catch(() => undefined);
    if (!own) return;
    const { clock } = this.#deps;
    const connect = async ({ link }: ScreenUpstream) => link.destroy();
    await takeOverConsole(own, { clock, signal, connect }).catch(() => {});
  }

  async #dialOwn(request: DialRequest): Promise<OwnConsole> {
    return new OwnConsole(await this.#dial(request), () => this.#ownEnded());
  }

  /** A function of its own, so that an open console retains nothing of the request. */
  async #dial(request: DialRequest): Promise<DialledConsole> {
    const signal = linkSignal(request.signal);
    const mayOpen = this.#ownership.then((ownership) => {
      if ('owner' in ownership) signal.abort(new OwnedElsewhere(ownership.owner));
    });
    try {
      return await this.#deps.dial({
        ...request,
        signal: signal.signal,
        mayOpen,
        onProgress: (progress) => {
          request.onProgress(progress);
          this.#forEachWaiting((waiting) => waiting.onProgress(progress));
        },
        onStep: (step) => {
          request.onStep(step);
          this.#forEachWaiting((waiting) => waiting.onStep(step));
        },
      });
    } finally {
      signal.unlink();
    }
  }

  #startScreen(claims: GrantClaims): MachineScreen {
    const own = this.#own;
    const screen: MachineScreen = new MachineScreen(this.#deps, {
      claims,
      cluster: this.#cluster,
      // A vncterm does not tell which of its answers belong to which viewer.
      own: claims.type === 'qemu' ? own : undefined,
      onProgress: (progress) => this.#forEachWaiting((waiting) => waiting.onProgress(progress)),
      onStep: (step) => this.#forEachWaiting((waiting) => waiting.onStep(step)),
      onState: (state) => this.#enter(state),
      onViewers: () => this.#settle(),
      onUnshareable: (reason) => this.#listener.onUnshareable(this, reason),
      onEnded: () => this.#screenEnded(screen),
    });
    this.#screen = screen;
    this.#enter('adopting');
    void screen.start();
    return screen;
  }

  #ownEnded(own = this.#own): void {
    if (this.#own !== own) return;
    this.#own = undefined;
    this.#settle();
  }

  #screenEnded(screen: MachineScreen): void {
    if (this.#screen !== screen) return;
    this.#screen = undefined;
    if (this.#own) this.#enter('pass_through');
    this.#settle();
  }

  /** Ends what nothing needs any more, at once or after a while. */
  #settle(): void {
    const screen = this.#screen;
    const needed = this.#waiting.length > 0 || (screen !== undefined && screen.viewers > 0);
    if (needed || !screen) {
      this.#cancelLinger?.();
      this.#cancelLinger = undefined;
    }
    if (needed || this.#state === 'closed') return;
    if (screen)
      this.#cancelLinger ??= this.#deps.clock.after(this.#deps.unwatchedMs, () => {
        this.#cancelLinger = undefined;
        screen.end(new PortholeError('screen_moved', { detail: 'no viewers' }));
      });
    else if (!this.#own) this.#close();
  }

  #close(): void {
    this.#enter('closed');
    this.#listener.onClosed(this, this.#ownership);
  }

  /** A waiting session that has ended meanwhile throws. */
  #forEachWaiting(tell: (waiting: PlaceRequest) => void): void {
    for (const waiting of this.#waiting) if (!waiting.signal.aborted) tell(waiting);
  }

  #enter(next: SharingState): void {
    if (next === this.#state) return;
    if (!nextSharingStates[this.#state].includes(next))
      throw new Error(`A machine's console that is ${this.#state} can't become ${next}.`);
    this.#state = next;
  }
}

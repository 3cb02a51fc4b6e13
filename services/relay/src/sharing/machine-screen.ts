import { randomId } from '@porthole/shared/crypto/random';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { withDeadline } from '@porthole/shared/time/with-deadline';
import type { ScreenUpstream, SharedScreen } from '../screen/shared-screen-contract.ts';
import type { DialledConsole, DialRequest } from '../upstream/dial.ts';
import type { RelayCluster } from '../upstream/machine.ts';
import type { MachineLink } from '../upstream/proxmox-link.ts';
import { attachToScreen, type AttachRequest } from './attach-to-screen.ts';
import type { ScreenNotice } from './contracts.ts';
import { healScreen } from './heal-screen.ts';
import type { OwnConsole } from './own-console.ts';
import type { SharingDeps } from './sharing-deps.ts';
import type { SharingState } from './sharing-state.ts';
import { takeOverConsole } from './take-over-console.ts';
import { waitFor } from './wait-for.ts';

/** How long a console may take to send its first picture. */
const firstPictureMs = 10_000;
/** A taken over console that does not acknowledge within this time is given up. */
const adoptedPictureMs = 5000;
/** How long the start of a worker thread may take. */
const prepareMs = 3000;
/** A screen that was live for so long has healed. Before, its next loss goes on with the last one. */
const settledMs = 30_000;

/** A screen whose console is open, but does not send a picture that can be shared. */
export class ScreenUnusable extends Error {}

/** A viewer's place at a shared screen of this relay. */
export interface ScreenPlace {
  readonly link: MachineLink;
  readonly machine: DialledConsole['machine'];
  /** Resolves with why the screen has ended, or with undefined when the viewer has left. */
  readonly ended: Promise<PortholeError | undefined>;
  /** Idempotent. */
  release(): void;
}

interface SeatedViewer {
  readonly onNotice: (notice: ScreenNotice) => void;
  readonly leave: (error?: PortholeError) => void;
}

export interface MachineScreenOptions extends Pick<DialRequest, 'onProgress' | 'onStep'> {
  /** Of the first viewer that needs the screen: which machine it is. */
  readonly claims: GrantClaims;
  readonly cluster: RelayCluster;
  /** The console to take over. */
  readonly own: Promise<OwnConsole> | undefined;
  readonly onState: (state: SharingState & ('shared' | 'healing')) => void;
  readonly onViewers: () => void;
  /** The picture can't be shared: it is too large, or of a kind that the relay can't decode. */
  readonly onUnshareable: (reason: 'limit' | 'screen_failed') => void;
  /** Called once. */
  readonly onEnded: () => void;
}

/** The shared screen of one machine: gets its console, keeps it, and ends its viewers if that is impossible. */
export class MachineScreen {
  readonly #deps: SharingDeps;
  readonly #options: MachineScreenOptions;
  readonly #abort = new AbortController();
  readonly #seated = new Set<SeatedViewer>();
  readonly #opened = Promise.withResolvers<void>();
  #screen: SharedScreen | undefined;
  #machine: DialledConsole['machine'];
  #state: 'connecting' | 'live' | 'healing' = 'connecting';
  /** The console was lost before the screen became live. */
  #lostEarly = false;
  #liveSince = 0;
  #healUntil = 0;
  #healAttempts = 0;

  constructor(deps: SharingDeps, options: MachineScreenOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#machine = { cluster: options.cluster, node: options.claims.node };
    // Not all who wait for it may still be there.
    this.#opened.promise.catch(() => {});
  }

  /** Resolves when viewers can be attached. Rejects with `screen_full`, `ScreenUnusable` or an error of the dial. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get viewers(): number {
    return Math.min(this.#screen?.viewers ?? 0, this.#seated.size);
  }

  async start(): Promise<void> {
    try {
      await this.#open();
      this.#opened.resolve();
    } catch (error) {
      this.#opened.reject(error);
      this.end(error instanceof PortholeError ? error : undefined);
    }
  }

  /** Throws `screen_full`. */
  attach(request: AttachRequest): ScreenPlace {
    const screen = this.#screen;
    if (!screen) throw new PortholeError('screen_moved', { detail: 'the screen has ended' });
    const { link, stopControl } = attachToScreen(screen, this.#deps.control, request.claims);
    const { promise: ended, resolve } = Promise.withResolvers<PortholeError | undefined>();
    const viewer: SeatedViewer = {
      onNotice: request.onNotice,
      leave: (error) => {
        if (!this.#seated.delete(viewer)) return;
        stopControl();
        resolve(error);
        link.destroy();
        this.#options.onViewers();
      },
    };
    this.#seated.add(viewer);
    if (this.#state === 'healing') request.onNotice({ type: 'screen', state: 'reconnecting' });
    return { link, machine: this.#machine, ended, release: () => viewer.leave() };
  }

  /** Ends all viewers with this error. Idempotent. */
  end(error?: PortholeError): void {
    if (this.#abort.signal.aborted) return;
    const reason = error ?? new PortholeError('screen_moved', { detail: 'the screen has ended' });
    this.#abort.abort(reason);
    this.#opened.reject(reason);
    this.#screen?.end(reason);
    for (const viewer of this.#seated) viewer.leave(reason);
    this.#screen = undefined;
    this.#options.onEnded();
  }

  async #open(): Promise<void> {
    const { claims, onUnshareable, onViewers } = this.#options;
    const { signal } = this.#abort;
    this.#screen = this.#deps.openScreen({
      name: claims.machineName,
      events: { onUpstreamLost: (error) => this.#onUpstreamLost(error), onViewers },
    });
    if (!(await this.#takeOver())) {
      const upstream = await this.#dialOwn();
      await this.#connect(upstream, firstPictureMs).catch((cause: unknown) => {
        signal.throwIfAborted();
        if (isTooLarge(cause)) {
          onUnshareable('limit');
          throw cause;
        }
        onUnshareable('screen_failed');
        throw new ScreenUnusable('no picture that can be shared', { cause });
      });
    }
    signal.throwIfAborted();
    this.#becomeLive();
  }

  #becomeLive(): void {
    this.#state = 'live';
    this.#liveSince = this.#deps.clock.now();
    this.#options.onState('shared');
    if (this.#lostEarly) this.#onUpstreamLost(undefined);
  }

  /** Takes over the console of the first session. Resolves with false if the screen has to open one. */
  async #takeOver(): Promise<boolean> {
    const { clock, log, metrics } = this.#deps;
    const { signal } = this.#abort;
    if (!this.#options.own) return false;
    const prepared = this.#prepare();
    // If it was not opened, its own session reports why.
    const own = await waitFor(
      this.#options.own.catch(() => undefined),
      signal,
    );
    if (!own) return false;
    await prepared;
    signal.throwIfAborted();
    try {
      this.#machine = own.machine;
      const connect = (upstream: ScreenUpstream) => this.#connect(upstream, adoptedPictureMs);
      const takenOver = await takeOverConsole(own, { clock, signal, connect });
      metrics.adoption(takenOver ? 'ok' : 'impossible');
      return takenOver;
    } catch (err) {
      signal.throwIfAborted();
      metrics.adoption('failed');
      if (isTooLarge(err)) {
        this.#options.onUnshareable('limit');
        throw err;
      }
      log.warn({ ...this.#identity(), err }, 'console not taken over');
      return false;
    }
  }

  /** The first viewer has no picture from the moment its console is taken over, so the worker thread runs before. */
  #prepare(): Promise<void> {
    const { clock, prepareScreen } = this.#deps;
    const limits = { clock, signal: this.#abort.signal };
    return withDeadline(limits, prepareMs, 'console_timeout', prepareScreen).catch(() => {});
  }

  async #dialOwn(): Promise<ScreenUpstream> {
    const { dial, random } = this.#deps;
    const { claims, cluster, onProgress, onStep } = this.#options;
    const { signal } = this.#abort;
    const dialled = await dial({
      holder: randomId(random, 12),
      claims: { ...claims, node: this.#machine.node },
      cluster,
      signal,
      onProgress,
      onStep,
    });
    if (signal.aborted) dialled.release();
    signal.throwIfAborted();
    this.#machine = dialled.machine;
    return { link: dialled.link, takeLeftover: dialled.takeLeftover, start: 'authenticated' };
  }

  #connect(upstream: ScreenUpstream, ms: number): Promise<void> {
    const { clock } = this.#deps;
    this.#lostEarly = false;
    return withDeadline({ clock, signal: this.#abort.signal }, ms, 'console_timeout', async () =>
      this.#screen?.connect(upstream),
    );
  }

  #onUpstreamLost(error: PortholeError | undefined): void {
    if (this.#abort.signal.aborted) return;
    if (this.#state !== 'live') {
      this.#lostEarly = true;
      return;
    }
    // The viewers get consoles of their own.
    if (isTooLarge(error)) {
      this.#options.onUnshareable('limit');
      return this.end(new PortholeError('screen_moved', { cause: error }));
    }
    this.#state = 'healing';
    this.#deps.log.warn(
      { ...this.#identity(), end: error?.code ?? 'closed', detail: error?.detail },
      'shared screen lost its console',
    );
    this.#options.onState('healing');
    this.#notify('reconnecting');
    void this.#heal(error);
  }

  async #heal(lost: PortholeError | undefined): Promise<void> {
    const { clock, healMs, log, metrics } = this.#deps;
    const lostAt = clock.now();
    if (this.#healUntil === 0 || lostAt - this.#liveSince >= settledMs) {
      this.#healAttempts = 0;
      this.#healUntil = lostAt + healMs;
    }
    const seconds = () => (clock.now() - lostAt) / 1000;
    try {
      await healScreen({
        clock,
        signal: this.#abort.signal,
        lost,
        until: this.#healUntil,
        attempts: this.#healAttempts,
        onAttempt: () => this.#healAttempts++,
        reconnect: async () => this.#connect(await this.#dialOwn(), firstPictureMs),
      });
      metrics.heal('ok', seconds());
      log.info({ ...this.#identity(), seconds: seconds() }, 'shared screen has its console again');
      this.#notify('live');
      this.#becomeLive();
    } catch (thrown) {
      if (this.#abort.signal.aborted) return;
      const error = asPortholeError(thrown);
      metrics.heal('failed', seconds());
      log.warn(
        { ...this.#identity(), seconds: seconds(), end: error.code, detail: error.detail },
        'shared screen did not get its console again',
      );
      this.end(error);
    }
  }

  #notify(state: ScreenNotice['state']): void {
    for (const { onNotice } of this.#seated) onNotice({ type: 'screen', state });
  }

  #identity() {
    const { cluster, vmid } = this.#options.claims;
    return { cluster, vmid, node: this.#machine.node };
  }
}

/** The picture exceeds what the relay may share. Another console of the machine would, too. */
function isTooLarge(error: unknown): boolean {
  return error instanceof PortholeError && error.code === 'screen_full';
}

import { PortholeError, asPortholeError } from '@porthole/shared/errors';
import { onAbort } from '@porthole/shared/time/on-abort';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Dial, DialledConsole, DialRequest } from '../upstream/dial.ts';
import type {
  AcceptForwarded,
  ForeignOwner,
  ForwardViewer,
  MachineKey,
  MachineOwners,
  OpenThumbnail,
  OwnedMachine,
  ThumbnailPlace,
  ThumbnailRequest,
} from './contracts.ts';
import { CountedConsole } from './counted-console.ts';
import { MachineConsole, type MachineConsoleListener, type PlaceRequest } from './machine-console.ts';
import { ScreenUnusable } from './machine-screen.ts';
import {
  claimMachine,
  notOwnerErrors,
  OwnedElsewhere,
  type Ownership,
  type ReachableOwner,
} from './ownership.ts';
import type { SharingDeps } from './sharing-deps.ts';
import type { FallbackReason } from './sharing-dial-metrics.ts';
import { UnreachableOwners } from './unreachable-owners.ts';
import { UnshareableMachines } from './unshareable-machines.ts';
import { yieldMachine } from './yield-machine.ts';
import { createWallDials, type WallDials } from './wall-dials.ts';

/** Owners that are tried before a session opens a console of its own. */
const maxOwners = 3;

export interface SharingDialDeps extends SharingDeps {
  readonly owners: MachineOwners;
  readonly forward: ForwardViewer;
}

/** The consoles of this relay: one per machine, however many viewers it has. */
export interface SharedConsoles {
  readonly dial: Dial;
  readonly openThumbnail: OpenThumbnail;
  /** Gives viewers of other relays a place. */
  readonly accept: AcceptForwarded;
  /** The relay drains: it accepts no more viewers of other relays. */
  drain(): void;
  /** Ends what is left. Resolves when the owner records are released. */
  stop(): Promise<void>;
}

export function createSharingDial(deps: SharingDialDeps): SharedConsoles {
  const sharing = new SharingDial(deps);
  return {
    dial: (request) => sharing.dial(request),
    openThumbnail: (request) => sharing.openThumbnail(request),
    accept: (request) => sharing.accept(request),
    drain: () => sharing.drain(),
    stop: () => sharing.stop(),
  };
}

class SharingDial implements MachineConsoleListener {
  readonly #deps: SharingDialDeps;
  readonly #wallDials: WallDials;
  readonly #machines = new Map<string, MachineConsole>();
  readonly #unshareable: UnshareableMachines;
  readonly #unreachable: UnreachableOwners;
  readonly #releasing = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  #draining = false;

  constructor(deps: SharingDialDeps) {
    this.#wallDials = createWallDials(deps.dial);
    this.#deps = { ...deps, dial: this.#wallDials.dial };
    this.#unshareable = new UnshareableMachines(deps.clock);
    this.#unreachable = new UnreachableOwners(deps.clock);
  }

  async dial(request: DialRequest): Promise<DialledConsole> {
    const { claims } = request;
    // Each shell of a node is a login of its own.
    if (claims.kind !== 'screen' || claims.type === 'node') return this.#deps.dial(request);
    let instead: ForeignOwner | undefined;
    for (let tries = 0; tries < maxOwners; tries++) {
      try {
        return await this.#dialHere(request, instead);
      } catch (error) {
        if (!(error instanceof OwnedElsewhere)) throw error;
        const { owner } = error;
        try {
          return await this.#forward(request, owner);
        } catch (refusal) {
          const { code } = asPortholeError(refusal);
          if (code === 'screen_full') return this.#fallBack(request, 'limit');
          if (request.signal.aborted || !notOwnerErrors.has(code)) throw refusal;
          instead = owner;
          this.#unreachable.add(keyOf(claims), owner);
        }
      }
    }
    return this.#fallBack(request, 'owner_unreachable');
  }

  async openThumbnail(request: ThumbnailRequest): Promise<ThumbnailPlace> {
    const { claims, signal } = request;
    let instead: ForeignOwner | undefined;
    for (let tries = 0; tries < maxOwners; tries++) {
      if (this.#draining) throw new PortholeError('draining');
      try {
        const machine = this.#machines.get(keyOf(claims)) ?? this.#open(request, instead);
        return await machine.share({ ...request, onProgress() {}, onStep() {} });
      } catch (error) {
        if (error instanceof ScreenUnusable) throw new PortholeError('screen_full', { cause: error });
        if (!(error instanceof OwnedElsewhere)) throw error;
        const { owner } = error;
        try {
          const link = await this.#deps.forward(owner.address, request);
          return { link, ended: new Promise(() => {}), release: () => link.destroy() };
        } catch (refusal) {
          if (signal.aborted || !notOwnerErrors.has(asPortholeError(refusal).code)) throw refusal;
          instead = owner;
          this.#unreachable.add(keyOf(claims), owner);
        }
      }
    }
    throw new PortholeError('owner_unreachable');
  }

  readonly accept: AcceptForwarded = async (request) => {
    const { claims, signal, onNotice } = request;
    if (this.#draining) throw new PortholeError('draining');
    const machine = this.#machines.get(keyOf(claims));
    if (!machine)
      throw new PortholeError('screen_moved', { detail: 'this relay has no console of the machine' });
    if (this.#unshareable.reasonFor(keyOf(claims))) throw new PortholeError('screen_full');
    if (!claims.thumbnail) this.#wallDials.letPass(claims);
    try {
      const place = await machine.share({
        claims,
        signal,
        onNotice,
        onProgress() {},
        onStep() {},
      });
      const stopListening = onAbort(signal, () => place.release());
      void place.ended.then(stopListening);
      return place;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof OwnedElsewhere) throw new PortholeError('screen_moved', { cause: error });
      if (error instanceof ScreenUnusable) throw new PortholeError('screen_full', { cause: error });
      throw error;
    }
  };

  drain(): void {
    this.#draining = true;
  }

  async stop(): Promise<void> {
    this.drain();
    for (const machine of this.#machines.values()) machine.end(new PortholeError('screen_moved'));
    await Promise.all(this.#releasing);
    this.#stopped.abort();
  }

  /** Opens the machine's first console at this relay, or a place at its shared screen. */
  async #dialHere(request: DialRequest, instead: ForeignOwner | undefined): Promise<DialledConsole> {
    const { cluster, vmid } = request.claims;
    const machine = this.#machines.get(keyOf(request.claims));
    if (!machine)
      return new CountedConsole(await this.#open(request, instead).openOwn(request), this.#deps.metrics);
    const reason = this.#unshareable.reasonFor(keyOf(request.claims));
    if (reason) return this.#fallBack(request, reason);
    this.#wallDials.letPass({ cluster, vmid });
    try {
      return await this.#attach(machine, request);
    } catch (error) {
      if (request.signal.aborted) throw error;
      if (error instanceof ScreenUnusable) return this.#fallBack(request, 'screen_failed');
      if (asPortholeError(error).code === 'screen_full') return this.#fallBack(request, 'limit');
      throw error;
    }
  }

  #attach(machine: MachineConsole, request: DialRequest): Promise<DialledConsole> {
    return this.#measured('shared', async () => {
      request.onStep('connect');
      const place = await machine.share({ ...request, onNotice: noticesOf(request) });
      const { link } = place;
      return {
        link,
        machine: place.machine,
        way: 'shared',
        takeLeftover: noLeftover,
        release: place.release,
      };
    });
  }

  #forward(request: DialRequest, owner: ReachableOwner): Promise<DialledConsole> {
    const { claims, cluster, signal } = request;
    return this.#measured('forwarded', async () => {
      request.onStep('connect');
      const link = await this.#deps.forward(owner.address, { claims, signal, onNotice: noticesOf(request) });
      const machine = { cluster, node: claims.node };
      const release = () => link.destroy();
      return { link, machine, way: 'forwarded', takeLeftover: noLeftover, release };
    });
  }

  async #fallBack(request: DialRequest, reason: FallbackReason): Promise<DialledConsole> {
    const { dial, log, metrics } = this.#deps;
    const { cluster, vmid } = request.claims;
    metrics.fallback(reason);
    log.warn({ cluster, vmid, reason }, 'console opened instead of shared');
    return new CountedConsole(await dial(request), metrics);
  }

  /** Claims the machine for its first console at this relay. */
  #open(
    { claims, cluster }: Pick<DialRequest, 'claims' | 'cluster'>,
    instead: ForeignOwner | undefined,
  ): MachineConsole {
    const key = keyOf(claims);
    const ownership = this.#claim(claims, instead ?? this.#unreachable.of(key));
    const machine = new MachineConsole(this.#deps, { key, cluster, ownership, listener: this });
    this.#machines.set(key, machine);
    void ownership.then((result) => {
      // Before its viewers learn that, so that none of them comes back to it.
      if ('owner' in result) this.#forget(machine);
      else if ('owned' in result) this.#yieldWhenLost(result.owned, machine, claims);
    });
    return machine;
  }

  /** Does not reject. */
  async #claim(
    { cluster, vmid }: DialRequest['claims'],
    instead: ForeignOwner | undefined,
  ): Promise<Ownership> {
    const { owners, log, metrics } = this.#deps;
    const { signal } = this.#stopped; // Not the session's: a record that was written must be released.
    try {
      const ownership = await claimMachine(owners, { cluster, vmid }, { signal, instead });
      if ('unowned' in ownership) metrics.fallback(ownership.unowned);
      return ownership;
    } catch (err) {
      log.error({ err }, 'machine not claimed');
      return { unowned: 'store_unavailable' };
    }
  }

  #yieldWhenLost(owned: OwnedMachine, machine: MachineConsole, claims: DialRequest['claims']): void {
    owned.onLost((owner) => {
      // The viewers of a relay that drains leave without it.
      if (this.#draining) return;
      const { forward, log } = this.#deps;
      const { signal } = this.#stopped;
      const onReached = () => this.#forget(machine);
      void yieldMachine(machine, owner, { claims, forward, log, signal, onReached });
    });
  }

  onUnshareable({ key }: MachineConsole, reason: 'limit' | 'screen_failed'): void {
    this.#unshareable.add(key, reason);
  }

  onClosed(machine: MachineConsole, ownership: Promise<Ownership>): void {
    this.#forget(machine);
    const released = ownership
      .then((result) => ('owned' in result ? result.owned.release() : undefined))
      .finally(() => this.#releasing.delete(released));
    this.#releasing.add(released);
  }

  #forget(machine: MachineConsole): void {
    if (this.#machines.get(machine.key) === machine) this.#machines.delete(machine.key);
  }

  async #measured(way: 'shared' | 'forwarded', work: () => Promise<DialledConsole>): Promise<DialledConsole> {
    const { clock, metrics, tracing } = this.#deps;
    const startedAt = clock.now();
    const console = await tracing.withSpan('console attach', { 'porthole.way': way }, work);
    metrics.attached(way, (clock.now() - startedAt) / 1000);
    return new CountedConsole(console, metrics);
  }
}

const noLeftover = () => Buffer.alloc(0);

const noticesOf = ({ onNotice }: DialRequest): PlaceRequest['onNotice'] => onNotice ?? (() => {});

const keyOf = ({ cluster, vmid }: MachineKey): string => leaseNames.machine(cluster, vmid);

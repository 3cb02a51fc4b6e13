import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import { PortholeError } from '@porthole/shared/errors';
import { randomId } from '@porthole/shared/crypto/random';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { SessionRecord } from '@porthole/shared/session/records';
import type { SupersededSignal, TerminationSignal } from '@porthole/shared/session/signals';
import { appliesTo, terminationError } from '@porthole/shared/session/termination-orders';
import type { ControlRegistration } from '../control/control-watcher.ts';
import { endOfConsole } from './end-of-console.ts';
import { endOfScreen } from './end-of-screen.ts';
import { streamConsole } from './stream-console.ts';
import { createControlMessageReader, type ControlMessageReader } from '../viewer/control-message-reader.ts';
import type { Viewer } from '../viewer/viewer.ts';
import type { UpgradeCredentials } from '../viewer/upgrade.ts';
import { admit } from './admit.ts';
import type { ClassMembership } from './class-membership.ts';
import { InputGate } from './input-gate.ts';
import { SessionLifecycle, ViewerLeft, type SessionState } from './lifecycle.ts';
import { openConsole, type OpenConsole } from './open-console.ts';
import { createParking, waitWhileParked, type Parking } from './parking.ts';
import { offerConsole } from './offer-console.ts';
import { openedMessage } from './opened-message.ts';
import { beginRecording, checkRecordable, notRecorded } from './recorded-session.ts';
import { registerSession, toSessionRecord } from './registration.ts';
import { keepReopenable } from './reopenable-session.ts';
import { claimsToResume, ResumeTokens } from './resume-tokens.ts';
import type { SessionDeps } from './session-deps.ts';
import { SessionReporter } from './session-reporter.ts';
import { TimeLimits } from './time-limits.ts';

/**
 * One console, from the viewer's WebSocket to its end: admit the viewer, register the session, open the console,
 * stream, and report why it ended. `lifecycle` holds the state and owns what the session acquires.
 */
export class ConsoleSession {
  /** Resolves when nothing of the session is left. Never rejects. */
  readonly done: Promise<void>;
  readonly #deps: SessionDeps;
  readonly #viewer: Viewer;
  readonly #lifecycle: SessionLifecycle;
  readonly #reporter: SessionReporter;
  readonly #readControlMessage: ControlMessageReader;
  /** Tells this connection from others of the same session. */
  readonly #connection: string;
  #claims: GrantClaims | undefined;
  /** Counts the connections of the session. Undefined until this one has registered. */
  #generation: number | undefined;
  readonly #gate = new InputGate();
  #classes: ClassMembership | undefined;
  #control: ControlRegistration | undefined;
  /** The console belongs to a shared screen, of this relay or of another one. */
  #sharesScreen = false;
  #timeLimits: TimeLimits | undefined;
  #resumeTokens: ResumeTokens | undefined;
  #recording = notRecorded;
  #parking: Parking | undefined;

  constructor(deps: SessionDeps, viewer: Viewer, credentials: UpgradeCredentials) {
    this.#deps = deps;
    this.#viewer = viewer;
    this.#connection = randomId(deps.random, 12);
    this.#readControlMessage = createControlMessageReader(deps.clock);
    this.#reporter = new SessionReporter(deps);
    this.#lifecycle = new SessionLifecycle((error) => (error ? viewer.close(error) : viewer.destroy()));
    this.done = this.#run(admit(deps, credentials));
  }

  get state(): SessionState {
    return this.#lifecycle.state;
  }

  /** Undefined until the grant has been accepted. */
  get claims(): GrantClaims | undefined {
    return this.#claims;
  }

  /** Ends the session in any state, with this error's close code. */
  end(error: PortholeError): void {
    this.#lifecycle.end(error);
  }

  /** Ends the session if the termination order applies to it. */
  onTermination(order: TerminationSignal): void {
    if (this.#claims && appliesTo(order, this.#claims)) this.end(terminationError(order));
  }

  /** Ends this connection if a newer one has resumed the session. A late signal can be about an older one. */
  onSuperseded({ sessionId, generation }: SupersededSignal): void {
    if (this.#claims?.sessionId !== sessionId || this.#generation === undefined) return;
    if (generation > this.#generation) this.end(new PortholeError('taken_over'));
  }

  /** Handles a text frame of the viewer. */
  onText(text: string): void {
    try {
      if (!this.#viewer.supportsControlMessages)
        throw new PortholeError('viewer_protocol', { detail: 'a text frame without porthole.v1' });
      const message = this.#readControlMessage(text);
      if (message.type === 'ping') this.#viewer.sendControl({ type: 'pong' });
      else if (message.type === 'visibility') this.#onVisibility(message.hidden);
      else if (message.type === 'help') this.#classes?.onHelp(message);
      else if (message.type === 'ask_control') this.#control?.ask();
      else if (this.#timeLimits?.extend()) this.#resumeTokens?.rotate();
    } catch (error) {
      this.#lifecycle.end(error);
    }
  }

  /** A page that is visible resumes its parked session, so that it gets a console again. */
  #onVisibility(hidden: boolean): void {
    if (this.state !== 'parked') this.#parking?.setHidden(hidden);
    else if (!hidden) this.end(new PortholeError('unparked'));
  }

  /** Announces that the relay is about to drain. */
  announceDrain(): void {
    this.#viewer.sendControl({ type: 'moving' });
  }

  /** Not given the credentials, because a session keeps the arguments for as long as it lives. */
  async #run(admission: Promise<GrantClaims>): Promise<void> {
    const lifecycle = this.#lifecycle;
    try {
      const claims = await lifecycle.wait(admission);
      // From here on, termination orders find the session.
      this.#claims = claims;
      const console = await this.#reporter.admitted(claims, () => this.#open(claims));
      lifecycle.end(await this.#stream(claims, console));
    } catch (thrown) {
      lifecycle.end(thrown);
    }
    await lifecycle.release().catch((err: unknown) => this.#deps.log.error({ err }, 'session not released'));
    this.#reporter.ended(lifecycle.error);
  }

  async #open(claims: GrantClaims): Promise<OpenConsole> {
    const { clusters, terminations } = this.#deps;
    const lifecycle = this.#lifecycle;
    checkRecordable(this.#deps, claims);
    const order = await lifecycle.wait(terminations.findFor(claims));
    if (order) throw terminationError(order);
    // Owned before the registration, so that the record is gone when observers look.
    lifecycle.own(() => this.#notifyObserverChanged(claims));
    const { generation } = await lifecycle.acquire(
      registerSession(this.#deps, claims, {
        signal: lifecycle.signal,
        describe: () => this.#describe(claims),
        onSuperseded: () => this.end(new PortholeError('taken_over')),
      }),
      (registration) => (this.#mayResume ? registration.keepForResume() : registration.remove()),
    );
    this.#generation = generation;
    const cluster = clusters.get(claims.cluster);
    if (!cluster) throw new PortholeError('machine_not_found', { detail: `no cluster ${claims.cluster}` });
    const viewer = this.#viewer;
    const sendControl = (message: ControlMessage) => viewer.sendControl(message);
    const restartIdle = () => this.#timeLimits?.restartIdle();
    const controlled = { claims, gate: this.#gate, sendControl, restartIdle };
    const control = (this.#control = this.#deps.control.register(controlled));
    lifecycle.own(() => control.stop({ keepControl: this.#goesOnElsewhere }));
    const opened = openConsole(this.#deps, {
      connection: this.#connection,
      claims,
      cluster,
      viewer,
      lifecycle,
    });
    // Otherwise, the first keys would be lost.
    const [console] = await Promise.all([opened, control.known]);
    this.#recording = await beginRecording(this.#deps, console.dialled, { claims, lifecycle, sendControl });
    return console;
  }

  /** Streams until one side ends, and answers why. */
  async #stream(granted: GrantClaims, console: OpenConsole): Promise<PortholeError | ViewerLeft> {
    const { clock, deadlines, linkGauges, metrics } = this.#deps;
    const { signal } = this.#lifecycle;
    const openedAt = clock.now();
    const { cluster, node } = console.dialled.machine;
    // The machine may run on another node than when the grant was issued.
    const claims = (this.#claims = { ...granted, node });
    this.#sharesScreen = console.dialled.way !== 'pass_through';
    this.#lifecycle.enter('open');
    this.#reporter.opened(claims, this.#recording.id);
    const timeLimits = this.#announceOpen(claims);
    this.#lifecycle.own(() => timeLimits.stop());
    timeLimits.start((error) => this.end(error));
    const session = { signal, tokens: this.#resumeTokens, end: (error: PortholeError) => this.end(error) };
    const end = await streamConsole({
      ...console,
      clock,
      claims,
      viewer: this.#viewer,
      count: (direction, bytes) => this.#reporter.forwarded(direction, bytes),
      metrics,
      linkGauges,
      onPicture: () => this.#reporter.pictureArrived(),
      onAnswering: (answers) => this.#onAnswering(answers),
      deadlines,
      timeLimits,
      parking: this.#parking,
      gate: this.#gate,
      capture: this.#recording.capture,
      signal,
      onStreaming: (protocol) => offerConsole(console.dialled, protocol, session),
    });
    if (end.by === 'parking') return this.#park(console);
    if (console.dialled.way !== 'pass_through') return endOfScreen(end);
    return endOfConsole(this.#deps, {
      end,
      cluster,
      claims,
      openedAt,
      signal,
      hadInput: () => timeLimits.hadInput,
    });
  }

  /** Releases the console and keeps the rest of the session until its page is visible or it ends. */
  async #park({ dialled }: OpenConsole): Promise<PortholeError | ViewerLeft> {
    this.#lifecycle.enter('parked');
    this.#sharesScreen = false;
    dialled.release();
    this.#control?.release();
    this.#reporter.parked();
    const left = waitWhileParked(this.#viewer.link);
    this.#viewer.sendControl({ type: 'parked' });
    return (await this.#lifecycle.wait(left)) ?? new ViewerLeft();
  }

  /** A terminal does not answer input, or answers again. */
  #onAnswering(answers: boolean): void {
    this.#viewer.sendControl({ type: answers ? 'answers' : 'unanswered' });
    if (!answers) this.#reporter.inputUnanswered();
  }

  /** Tells the viewer and the observers that the console is open. Returns the time limits that begin now. */
  #announceOpen(claims: GrantClaims): TimeLimits {
    const { clock, keys, observers, random, records, reopenable } = this.#deps;
    const viewer = this.#viewer;
    const lifecycle = this.#lifecycle;
    const recording = this.#recording;
    const sendControl = (message: ControlMessage) => viewer.sendControl(message);
    const timeLimits = (this.#timeLimits = new TimeLimits({ clock, claims, sendControl }));
    const mayPark = () => this.#resumeTokens?.canResumeNow ?? false;
    // A recorded console stays open, so that the recording has no gap.
    if (!recording.capture) this.#parking = createParking({ clock, claims, viewer, mayPark });
    sendControl(openedMessage(claims, { parking: this.#parking !== undefined, ...recording.announced }));
    this.#classes = this.#deps.joinClasses({ claims, gate: this.#gate, sendControl, lifecycle, timeLimits });
    observers.notifyChanged(claims);
    const endReopenable = keepReopenable({ sessions: reopenable, clock }, claims);
    lifecycle.own(() => endReopenable({ error: lifecycle.error, viewerLost: viewer.lost }));
    if (!viewer.supportsControlMessages) return timeLimits;
    const tokens = (this.#resumeTokens = new ResumeTokens({
      records,
      keys,
      random,
      clock,
      claims: () => claimsToResume(recording.continuedBy(claims), timeLimits, this.#generation ?? 0),
      send: (token) => sendControl({ type: 'resume', token }),
      answeredSince: (time) => viewer.lastAnsweredPingAt > time,
    }));
    lifecycle.own(() => (this.#mayResume ? tokens.stop() : tokens.revoke()));
    lifecycle.own(observers.register(claims, recording.observing(sendControl)));
    return timeLimits;
  }

  /** A viewer whose connection was lost, or that is told to reconnect, resumes with its newest token. */
  get #mayResume(): boolean {
    const { error } = this.#lifecycle;
    if (!this.#resumeTokens?.canResume) return false;
    return error ? error.close === 'moving' : this.#viewer.lost;
  }

  /** Whether another connection of the session follows, or has taken over already. */
  get #goesOnElsewhere(): boolean {
    return this.#mayResume || this.#lifecycle.error?.code === 'taken_over';
  }

  #notifyObserverChanged(claims: GrantClaims): void {
    if (this.#timeLimits) this.#deps.observers.notifyChanged(claims);
  }

  #describe(granted: GrantClaims): SessionRecord {
    const { startedAt, bytesForwarded } = this.#reporter;
    return toSessionRecord(granted, {
      connection: this.#connection,
      relay: this.#deps.relayId,
      node: this.#claims?.node ?? granted.node,
      ...(this.state === 'parked' ? { parked: true } : {}),
      ...(this.#sharesScreen ? { shared: true } : {}),
      ...(this.#control?.hasControl ? { hasControl: true } : {}),
      since: this.#timeLimits?.openedAt ?? granted.resumes?.openedAt ?? startedAt,
      bytes: { toViewer: bytesForwarded.to_viewer, toMachine: bytesForwarded.to_machine },
    });
  }
}

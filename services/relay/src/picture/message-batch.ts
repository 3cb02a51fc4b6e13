/**
 * Collects messages for another thread within one turn of the event loop, and posts them as one: each message of its own
 * would wake the other thread and cost as much as a small batch.
 */
export class MessageBatch<Message> {
  readonly #post: (messages: readonly Message[], transfer: readonly ArrayBuffer[]) => void;
  readonly #schedule: (fn: () => void) => void;
  #messages: Message[] = [];
  #transfer: ArrayBuffer[] = [];

  /** `schedule` runs a function at the end of the current turn. */
  constructor(
    post: (messages: readonly Message[], transfer: readonly ArrayBuffer[]) => void,
    schedule: (fn: () => void) => void = setImmediate,
  ) {
    this.#post = post;
    this.#schedule = schedule;
  }

  /** Adds a message. `transfer` is memory that the other thread owns from then on. */
  add(message: Message, transfer?: ArrayBuffer): void {
    if (this.#messages.push(message) === 1) this.#schedule(() => this.#flush());
    if (transfer) this.#transfer.push(transfer);
  }

  #flush(): void {
    const [messages, transfer] = [this.#messages, this.#transfer];
    this.#messages = [];
    this.#transfer = [];
    this.#post(messages, transfer);
  }
}

const none: readonly string[] = [];

/**
 * Decides whether a console's input reaches the machine, apart from its mode. Each reason to hold input back has one
 * owner, such as the pause of a class, and input passes when there is none.
 */
export class InputGate {
  /** Each once. Not a Set, which takes 300 bytes when it is empty, in each of thousands of sessions. */
  #reasons: readonly string[] = none;
  #onShut: (() => void) | undefined;

  get shut(): boolean {
    return this.#reasons.length > 0;
  }

  /** Calls `listener` whenever the gate shuts, and at once if it is shut already. One listener at a time. */
  onShut(listener: () => void): () => void {
    this.#onShut = listener;
    if (this.shut) listener();
    return () => {
      if (this.#onShut === listener) this.#onShut = undefined;
    };
  }

  shutFor(reason: string): void {
    const wasShut = this.shut;
    if (!this.#reasons.includes(reason)) this.#reasons = [...this.#reasons, reason];
    if (!wasShut) this.#onShut?.();
  }

  openFor(reason: string): void {
    const left = this.#reasons.filter((each) => each !== reason);
    this.#reasons = left.length === 0 ? none : left;
  }
}

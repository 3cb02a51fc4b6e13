/**
 * Decides whether a console's input reaches the machine, apart from its mode. Each reason to hold input back has one
 * owner, such as the pause of a class, and input passes when there is none.
 */
export class InputGate {
  readonly #reasons = new Set<string>();
  #onShut: (() => void) | undefined;

  get shut(): boolean {
    return this.#reasons.size > 0;
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
    this.#reasons.add(reason);
    if (!wasShut) this.#onShut?.();
  }

  openFor(reason: string): void {
    this.#reasons.delete(reason);
  }
}

/** A tile that has not changed for so long is quiet. In milliseconds. */
export const quietMs = 1000;

/** Changes within this time count as one. */
const resolutionMs = 50;

/** Remembers when the versions of a picture were made, for as long as it takes to tell which tiles are quiet. */
export class QuietTime {
  readonly #recent: { readonly since: number; until: number; version: number }[] = [];
  #quiet = -1;

  onChange(version: number, now: number): void {
    const last = this.#recent.at(-1);
    if (last && now - last.since < resolutionMs) {
      last.until = now;
      last.version = version;
      return;
    }
    this.#forgetQuiet(now);
    this.#recent.push({ since: now, until: now, version });
  }

  /** The latest version whose tiles are all quiet; -1 if none is. */
  quietVersion(now: number): number {
    this.#forgetQuiet(now);
    return this.#quiet;
  }

  /** When more tiles become quiet, unless they change again. Undefined if all are. */
  nextQuietAt(): number | undefined {
    const [first] = this.#recent;
    return first && first.until + quietMs;
  }

  #forgetQuiet(now: number): void {
    while (this.#recent[0] && now - this.#recent[0].until >= quietMs)
      this.#quiet = this.#recent.shift()?.version ?? this.#quiet;
  }
}

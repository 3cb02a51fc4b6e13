/**
 * That something happens within so many milliseconds. It has three tries: a neighbour may take this machine's processors
 * for seconds, so one slow try says nothing about us, while three say that the promise does not hold.
 */
export async function inTime(ms: number, attempt: () => Promise<{ took: number }>): Promise<void> {
  const tries: number[] = [];
  while (tries.length < 3) {
    const { took } = await attempt();
    if (took < ms) return;
    tries.push(took);
  }
  throw new Error(`Not once within ${ms} ms: it took ${tries.join(', ')} ms.`);
}

/** Milliseconds until this is done. */
export async function timed(work: () => Promise<unknown>): Promise<{ took: number }> {
  const began = performance.now();
  await work();
  return { took: Math.round(performance.now() - began) };
}
